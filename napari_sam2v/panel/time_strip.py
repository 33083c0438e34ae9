"""The time strip with its line of text and its buttons."""

from __future__ import annotations

from collections.abc import Mapping

from qtpy.QtCore import QEvent, QPoint, Qt, Signal
from qtpy.QtGui import QShowEvent
from qtpy.QtWidgets import QMenu, QVBoxLayout, QWidget

from napari_sam2v.panel.time_canvas import TimeCanvas
from napari_sam2v.panel.widgets import GAP, Heading, IconButton, Tag, column, row
from napari_sam2v.view_state import Color, TimeMarks
from napari_sam2v.wording import frame_line

_LEGEND = (
    "<b>Prompts</b>: \u25c6 prompted, \u25a0 edited by hand<br>"
    "<b>Tracked</b>: filled where there is a mask, hatched where the object is not in view<br>"
    "<b>Locked</b>: a bracket over frames that tracking leaves alone<br>"
    "<b>Score</b>: how sure the model is; \u25b2 marks the lowest of those that nobody has confirmed<br>"
    "Click or drag to jump. Right-click for a range."
)


class TimeStrip(QWidget):
    """What is known of the selected object through time.

    Signals
    -------
    frame_clicked(int)
        The user clicked this frame, which is to be shown.
    worst_requested()
        Jump to the frame with the lowest score.
    range_changed(object, object)
        The range to track, first and last frame, both included; (None, None) for the whole movie.
    lock_toggled()
        Lock or unlock the shown frame of the selected object.
    """

    frame_clicked = Signal(int)
    worst_requested = Signal()
    range_changed = Signal(object, object)
    lock_toggled = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.canvas = TimeCanvas()
        self.canvas.setToolTip(_LEGEND)
        self.canvas.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.line = Tag()
        self.worst = IconButton("worst_frame", "Jump to the frame with the lowest score", name="Worst frame")
        self.lock = IconButton("unlocked", "", name="Lock frame")
        self._hover: int | None = None
        layout = column(self)
        self._heading = Heading("Frames", self.line)
        layout.addWidget(self._heading)
        buttons = QVBoxLayout()
        buttons.setSpacing(GAP)
        for button in (self.worst, self.lock):
            buttons.addWidget(button)
        buttons.addStretch(1)
        beside = row(self.canvas)
        beside.addLayout(buttons)
        layout.addLayout(beside, 1)
        self.canvas.frame_clicked.connect(self._on_frame)
        self.canvas.hovered.connect(self._on_hover)
        self.canvas.range_changed.connect(self.range_changed)
        self.canvas.customContextMenuRequested.connect(self._open_menu)
        self.worst.clicked.connect(lambda: self.worst_requested.emit())
        self.lock.clicked.connect(lambda: self.lock_toggled.emit())
        self.set_marks(None, (128, 128, 128))

    def set_marks(self, marks: TimeMarks | None, color: Color) -> None:
        """Show the marks of an object in its color, or empty rows where none is selected (None)."""
        self.canvas.set_marks(marks, color)
        self._show()

    def set_frame(self, frame: int) -> None:
        """Move the playhead to the shown frame."""
        self.canvas.set_frame(frame)
        self._show()

    def set_range(self, first: int | None, last: int | None) -> None:
        """Show the range to track, both ends included; None on both sides hides it."""
        self.canvas.set_range(first, last)

    def set_keys(self, keys: Mapping[str, str]) -> None:
        """Name the keys, by action id, in the tooltips."""
        self.worst.set_key(keys.get("worst_frame", ""))
        self.lock.set_key(keys.get("lock_frame", ""))

    def showEvent(self, event: QShowEvent | None) -> None:
        """Leave to other sections the height that the strip has no use for."""
        super().showEvent(event)
        self._bound_height()

    def changeEvent(self, event: QEvent | None) -> None:
        """Follow the size of the theme's type."""
        super().changeEvent(event)
        if event is not None and event.type() == QEvent.Type.StyleChange:
            self._bound_height()

    def menu(self, frame: int) -> QMenu:
        """Make the context menu for one frame."""
        length = self.canvas.scale().length
        first, last = self.canvas.range or (0, max(0, length - 1))
        menu = QMenu(self)
        for text, ends in (
            (f"Track from frame {frame:,} on", (frame, max(frame, last))),
            (f"Track up to frame {frame:,}", (min(first, frame), frame)),
            ("Track the whole movie", (None, None)),
        ):
            entry = menu.addAction(text)
            entry.triggered.connect(lambda _checked=False, ends=ends: self._choose_range(*ends))
        return menu

    def _bound_height(self) -> None:
        self.setMaximumHeight(self._heading.sizeHint().height() + GAP + self.canvas.most_height())

    def _choose_range(self, first: int | None, last: int | None) -> None:
        self.set_range(first, last)
        self.range_changed.emit(first, last)

    def _open_menu(self, point: QPoint) -> None:
        if self.canvas.marks is not None:
            self.menu(self.canvas.frame_at(point.x())).popup(self.canvas.mapToGlobal(point))

    def _on_frame(self, frame: int) -> None:
        self._show()
        self.frame_clicked.emit(frame)

    def _on_hover(self, frame: int | None) -> None:
        self._hover = frame
        self._show()

    def _show(self) -> None:
        marks, frame = self.canvas.marks, self.canvas.frame
        shown = frame if self._hover is None else self._hover
        self.line.setText("no object selected" if marks is None else frame_line(marks, shown))
        self.canvas.setAccessibleDescription(self.line.text())
        known = marks is not None and 0 <= frame < marks.length
        locked = known and marks is not None and bool(marks.locked[frame])
        self.lock.set_icon("locked" if locked else "unlocked")
        tip = "Unlock frame: let tracking change it again" if locked else "Lock frame: keep it as it is"
        self.lock.set_tip(tip)
        self.lock.set_reason(None if known else "No object is selected")
        reviewable = marks is not None and marks.worst_frame() is not None
        self.worst.set_reason(None if reviewable else "No tracked frame that nobody has confirmed")
