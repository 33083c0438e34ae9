"""What is doubtful in the whole movie, the worst first, and the buttons that go through it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from qtpy.QtCore import QAbstractListModel, QModelIndex, Qt, Signal
from qtpy.QtGui import QColor
from qtpy.QtWidgets import QListView, QWidget

from napari_sam2v.panel.widgets import Heading, IconButton, Tag, column, row
from napari_sam2v.view_state import ReviewRow
from napari_sam2v.wording import count

_ROWS_SEEN = 4


class ReviewSection(QWidget):
    """The list with its count and four buttons; hidden where nothing is doubtful.

    Signals
    -------
    chosen(int)
        The user clicked the event at this place, which is to be brought into view.
    next_requested(), previous_requested()
        Bring the next event, or the one before, into view.
    accept_requested(), reject_requested()
        The event that is looked at is right, or wrong.
    """

    chosen = Signal(int)
    next_requested = Signal()
    previous_requested = Signal()
    accept_requested = Signal()
    reject_requested = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.summary = Tag()
        self.previous = IconButton("review_previous", "Go back to the doubtful place before", name="Previous")
        self.next = IconButton("review_next", "Go to the next doubtful place, the worst first", name="Next")
        self.accept = IconButton("answer", "It is right: lock it and do not ask again", name="Accept")
        self.reject = IconButton("cancel", "It is wrong: remove these masks, or decline the division", name="Reject")
        self.model = ReviewModel()
        self.list = QListView()
        self.list.setModel(self.model)
        self.list.setUniformItemSizes(True)
        self.list.setAccessibleName("What is doubtful")
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # so that the keys go on working on the image
        self.list.setFixedHeight(round(self.list.fontMetrics().height() * 1.5 * _ROWS_SEEN))
        layout = column(self)
        layout.addLayout(row(Heading("Review", self.summary), *self._buttons, stretch=(1, 0, 0, 0, 0)))
        layout.addWidget(self.list)
        answers = (self.previous_requested, self.next_requested, self.accept_requested, self.reject_requested)
        for button, signal in zip(self._buttons, answers, strict=True):
            button.clicked.connect(lambda _checked=False, signal=signal: signal.emit())
        self.list.clicked.connect(lambda index: self.chosen.emit(index.row()))
        self.set_rows((), None)

    @property
    def _buttons(self) -> tuple[IconButton, ...]:
        return self.previous, self.next, self.accept, self.reject

    def set_rows(self, rows: Sequence[ReviewRow], current: int | None) -> None:
        """Show these events, the worst first, and which of them is looked at."""
        self.model.set_rows(rows)
        self.summary.setText(count(len(rows), "doubt") if rows else "")
        self.setVisible(bool(rows))
        index = QModelIndex() if current is None else self.model.index(current)
        self.list.setCurrentIndex(index)
        if current is not None:
            self.list.scrollTo(index)

    def set_keys(self, keys: Mapping[str, str]) -> None:
        """Name the keys, by action id, in the tooltips."""
        actions = ("review_previous", "review_next", "review_accept", "review_reject")
        for button, action in zip(self._buttons, actions, strict=True):
            button.set_key(keys.get(action, ""))


class ReviewModel(QAbstractListModel):
    """The events as a list: color of the object, frames and kind; the tooltip says why."""

    def __init__(self) -> None:
        super().__init__()
        self._rows: tuple[ReviewRow, ...] = ()

    def rows(self) -> tuple[ReviewRow, ...]:
        """Return what is shown."""
        return self._rows

    def set_rows(self, rows: Sequence[ReviewRow]) -> None:
        """Show other events."""
        if tuple(rows) != self._rows:
            self.beginResetModel()
            self._rows = tuple(rows)
            self.endResetModel()

    def rowCount(self, parent: QModelIndex | None = None) -> int:
        """Return how many events there are."""
        return 0 if parent is not None and parent.isValid() else len(self._rows)

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return what is shown of an event."""
        if not index.isValid():
            return None
        shown = self._rows[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return shown.text
        if role == Qt.ItemDataRole.ToolTipRole:
            return shown.hint
        return QColor(*shown.color) if role == Qt.ItemDataRole.DecorationRole else None
