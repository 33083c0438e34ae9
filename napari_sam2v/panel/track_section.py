"""Following objects through the movie, and stopping."""

from __future__ import annotations

from collections.abc import Mapping

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QLabel, QStackedWidget, QWidget

from napari_sam2v.panel.forms import Form, FormPopup
from napari_sam2v.panel.widgets import Heading, IconButton, ProgressBar, Tag, column, row
from napari_sam2v.view_state import AdvancedOptions, TrackOptions
from napari_sam2v.wording import progress_line
from src_model.workflow.movie_outcome import WholeMovieOptions
from src_model.workflow.plan import Direction
from src_model.workflow.progress import RunProgress


class TrackSection(QWidget):
    """Buttons for both directions with how far and for whom; a run puts Stop and its progress in their place.

    Signals
    -------
    track_requested(object)
        Track as these `TrackOptions` say.
    stop_requested()
        Stop after the frame that is being worked on, and keep what is done.
    repair_requested()
        Track again around the shown frame, up to the next prompted or locked frames.
    range_changed(object, object)
        The range as typed, first and last frame, both included; (None, None) where no range is to be tracked.
    """

    track_requested = Signal(object)
    stop_requested = Signal()
    repair_requested = Signal()
    range_changed = Signal(object, object)

    def __init__(self) -> None:
        super().__init__()
        self._last = 0
        self._make_buttons()
        self._make_options()
        self.summary = Tag()
        self.more = IconButton("settings", "Settings that are seldom changed", name="Advanced settings")
        self.advanced = FormPopup(self, "Advanced settings", AdvancedOptions)
        layout = column(self)
        layout.addWidget(Heading("Track", self.summary))
        layout.addWidget(self.stack)
        layout.addLayout(row(self.options, self.more, stretch=(1, 0)))
        layout.addWidget(self.numbers)
        self._connect()
        self._show_numbers()
        self.set_repair(None)
        self.set_running(None)

    def _make_buttons(self) -> None:
        self.backward = IconButton("track_backward", "Track backward from the shown frame", "Back")
        self.both = IconButton("track_both", "Track both ways from the shown frame", "Both")
        self.forward = IconButton("track_forward", "Track forward from the shown frame", "Forward")
        self.repair = IconButton("repair", "", "Repair")
        self.stop = IconButton("stop", "Stop now; finished frames are kept and tracking can go on from there", "Stop")
        self.progress = ProgressBar("Tracking progress")
        self.stack = QStackedWidget()
        for layout in (
            row(self.backward, self.both, self.forward, self.repair, stretch=(1, 1, 1, 1)),
            row(self.stop, self.progress, stretch=(0, 1)),
        ):
            page = QWidget()
            page.setLayout(layout)
            self.stack.addWidget(page)

    def _make_options(self) -> None:
        self.options = Form(TrackOptions, ("extent", "objects"), across=True)
        self.numbers = Form(TrackOptions, ("count", "first", "last"), across=True)
        self._unit, self._to = QLabel("frames"), QLabel("to")
        self.numbers.add(self._unit)
        self.numbers.add(self._to, before="last")

    def _connect(self) -> None:
        directions: tuple[tuple[IconButton, Direction], ...] = (
            (self.backward, "backward"),
            (self.both, "both"),
            (self.forward, "forward"),
        )
        for button, direction in directions:
            button.clicked.connect(lambda _checked=False, way=direction: self.track_requested.emit(self.request(way)))
        self.stop.clicked.connect(lambda: self.stop_requested.emit())
        self.repair.clicked.connect(lambda: self.repair_requested.emit())
        self.more.clicked.connect(lambda: self.advanced.open_below(self.more))
        self.options.changed.connect(self._on_option)
        self.numbers.changed.connect(self._on_number)

    def request(self, direction: Direction) -> TrackOptions:
        """Return what the options say, for a key that asks for this direction."""
        return TrackOptions(direction, **self.options.values(), **self.numbers.values())

    def whole_movie_request(self) -> WholeMovieOptions:
        """Return what the settings say of tracking a whole movie."""
        form = self.advanced.form
        return WholeMovieOptions(every=form.value("look_every"), divisions=form.value("divisions"))

    def set_length(self, frames: int) -> None:
        """Let ranges end at the movie's last frame, and begin as the whole movie."""
        for name in ("first", "last"):
            self.numbers.set_bounds(name, 0, frames - 1)
        self._last = frames - 1
        self.numbers.show_values(first=0, last=self._last)

    def set_range(self, first: int | None, last: int | None) -> None:
        """Track a range from now on, both ends included; None on both sides goes back to the end of the movie."""
        if first is None and last is None:
            if self.options.value("extent") == "range":
                self.options.show_values(extent="end")
        else:
            self.options.show_values(extent="range")
            self.numbers.show_values(first=first or 0, last=self._last if last is None else last)
        self._show_numbers()

    def set_running(self, progress: RunProgress | None) -> None:
        """Show Stop and how far the run is, or the buttons again (None)."""
        self.stack.setCurrentIndex(0 if progress is None else 1)
        self.options.setEnabled(progress is None)
        self._show_numbers()
        self.summary.setText("" if progress is None or progress.frame < 0 else f"frame {progress.frame:,}")
        if progress is not None:
            self.progress.show_progress(progress, progress_line(progress))

    def set_enabled_reason(self, reason: str | None) -> None:
        """Disable tracking and say why, or enable it (None)."""
        for button in (self.backward, self.both, self.forward):
            button.set_reason(reason)
        self.options.setEnabled(reason is None)

    def set_repair(self, span: str | None) -> None:
        """Say what a repair would track again ("frames 12 to 30"), None where nothing needs it."""
        self.repair.set_tip(f"Track {span} again and leave all others as they are" if span else "Repair")
        self.repair.set_reason(None if span else "Correct a tracked frame first")

    def set_keys(self, keys: Mapping[str, str]) -> None:
        """Name the keys, by action id, in the tooltips."""
        buttons = {"track_backward": self.backward, "track_both": self.both, "track_forward": self.forward}
        for action, button in {**buttons, "stop": self.stop, "repair": self.repair}.items():
            button.set_key(keys.get(action, ""))

    def _on_option(self, name: str, _value: object) -> None:
        if name == "extent":
            self._show_numbers()
            self._report_range()

    def _on_number(self, name: str, frame: int) -> None:
        if name == "first":
            self.numbers.show_values(last=max(frame, self.numbers.value("last")))
        elif name == "last":
            self.numbers.show_values(first=min(frame, self.numbers.value("first")))
        if name != "count":
            self._report_range()

    def _report_range(self) -> None:
        ranged = self.options.value("extent") == "range"
        ends = (self.numbers.value("first"), self.numbers.value("last")) if ranged else (None, None)
        self.range_changed.emit(*ends)

    def _show_numbers(self) -> None:
        extent = self.options.value("extent")
        self.numbers.setVisible(extent != "end" and self.stack.currentIndex() == 0)
        for name in ("count", "first", "last"):
            self.numbers.show_row(name, (extent == "count") == (name == "count"))
        self._unit.setVisible(extent == "count")
        self._to.setVisible(extent == "range")
