"""Finding every object: of the shown frame, and how many of them stay, or of the whole movie, to track them all."""

from __future__ import annotations

from collections.abc import Mapping

from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QWheelEvent
from qtpy.QtWidgets import QLabel, QSlider, QStackedWidget, QWidget

from napari_sam2v.panel.widgets import IconButton, ProgressBar, column, row
from napari_sam2v.wording import progress_line
from src_model.workflow.progress import RunProgress

_WHOLE_MOVIE = "Find and track all"


class FindSection(QWidget):
    """One row: the buttons, and a slider once something is found; a search puts Stop and its progress in their place.

    Signals
    -------
    find_requested()
        Look for every object of the shown frame.
    whole_movie_requested()
        Find every object of the movie and track all.
    stop_requested()
        Stop looking.
    kept(int)
        The user wants so many of the objects that were found last to stay, those with the best scores.
    """

    find_requested = Signal()
    whole_movie_requested = Signal()
    stop_requested = Signal()
    kept = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self.find_button = IconButton(
            "find_all", "Find every object of this frame that is not annotated yet", "Find all"
        )
        self.whole_movie = IconButton(
            "track_all",
            "Find every object of the movie, also those that come later, and track all of them, through divisions",
            _WHOLE_MOVIE,
        )
        self.slider = _CountSlider()
        self.number = QLabel()
        self.stop = IconButton("stop", "Stop looking; nothing changes then", name="Stop looking")
        self.progress = ProgressBar("Progress of the search")
        self._stack = QStackedWidget()
        for layout in (
            row(self.find_button, self.slider, self.number, self.whole_movie, stretch=(1, 3, 0, 1)),
            row(self.stop, self.progress, stretch=(0, 1)),
        ):
            page = QWidget()
            page.setLayout(layout)
            self._stack.addWidget(page)
        column(self).addWidget(self._stack)
        self.find_button.clicked.connect(lambda: self.find_requested.emit())
        self.whole_movie.clicked.connect(lambda: self.whole_movie_requested.emit())
        self.stop.clicked.connect(lambda: self.stop_requested.emit())
        self.slider.valueChanged.connect(self._on_moved)
        self.set_found(0, 0, None, "Find all first")
        self.set_progress(None)

    def set_found(self, kept: int, total: int, score: float | None, reason: str | None) -> None:
        """Show how many of the objects that were found stay.

        Parameters
        ----------
        kept, total
            How many stay and how many were found; 0 where nothing was.
        score
            The lowest score of those that stay, 0 to 1; None where there is none.
        reason
            Why the slider cannot be moved; None where it can.
        """
        for widget in (self.slider, self.number):
            widget.setVisible(total > 0)
        self.whole_movie.setText("" if total else _WHOLE_MOVIE)  # there is no room for both
        blocked = self.slider.blockSignals(True)
        self.slider.setRange(1, max(total, 1))
        self.slider.setValue(kept if total else 1)
        self.slider.blockSignals(blocked)
        self.slider.setEnabled(reason is None and total > 1)
        what = "How many of the objects that were found stay: those with the best scores"
        least = "" if score is None else f"\nThe lowest score of those that stay is {score:.2f}"
        self.slider.setToolTip(what + (least if reason is None else f"\n{reason}"))
        self.slider.setAccessibleDescription(self.slider.toolTip())
        self._show_number(kept, total)

    def set_progress(self, progress: RunProgress | None) -> None:
        """Show Stop and how far the search is, or the button and the slider again (None)."""
        self._stack.setCurrentIndex(0 if progress is None else 1)
        if progress is not None:
            self.progress.show_progress(progress, progress_line(progress))

    def set_enabled_reason(self, reason: str | None) -> None:
        """Disable the buttons and say why, or enable them (None)."""
        for button in (self.find_button, self.whole_movie):
            button.set_reason(reason)

    def set_keys(self, keys: Mapping[str, str]) -> None:
        """Name the keys, by action id, in the tooltips."""
        self.find_button.set_key(keys.get("find_all", ""))
        self.whole_movie.set_key(keys.get("track_all", ""))
        self.stop.set_key(keys.get("stop", ""))

    def _on_moved(self, number: int) -> None:
        self._show_number(number, self.slider.maximum())
        self.kept.emit(number)

    def _show_number(self, kept: int, total: int) -> None:
        self.number.setText(f"{kept:,} of {total:,}" if total else "")


class _CountSlider(QSlider):
    """A slider that leaves the wheel to the panel, and the keyboard to the image."""

    def __init__(self) -> None:
        super().__init__(Qt.Orientation.Horizontal)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAccessibleName("How many stay")

    def wheelEvent(self, event: QWheelEvent | None) -> None:
        """Scroll the panel: scrolling past it must not change it."""
        if event is not None:
            event.ignore()
