"""The objects as a Qt table model: rows change one by one, hundreds of them without a stutter."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import Any

from qtpy.QtCore import QAbstractTableModel, QModelIndex, Qt, Signal

from napari_sam2v.view_state import ObjectRow
from napari_sam2v.wording import count

Role = Qt.ItemDataRole

_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter

ROW_ROLE = Role.UserRole + 1
SORT_ROLE = Role.UserRole + 2


class Column(IntEnum):
    """The columns of the table, from left to right."""

    VISIBLE = 0
    LOCKED = 1
    COLOR = 2
    NAME = 3
    DONE = 4
    WORST = 5


_TITLES = {Column.NAME: "Object", Column.DONE: "Frames", Column.WORST: "Worst"}
_HEADER_TIPS = {
    Column.VISIBLE: "Shown in the viewer",
    Column.LOCKED: "Locked objects are never changed by tracking",
    Column.COLOR: "Color",
    Column.NAME: "Name; double-click or F2 to rename",
    Column.DONE: "Frames that have a mask",
    Column.WORST: "Lowest score of the tracked frames that nobody has confirmed; a triangle where some are in doubt",
}


class ObjectModel(QAbstractTableModel):
    """Rows of objects. What the user edits is reported, not stored: the rows change when their owner says so.

    Signals
    -------
    renamed(int, str), visibility_changed(int, bool), lock_changed(int, bool)
        What the user asked for, by object id.
    """

    renamed = Signal(int, str)
    visibility_changed = Signal(int, bool)
    lock_changed = Signal(int, bool)

    def __init__(self) -> None:
        super().__init__()
        self._rows: list[ObjectRow] = []
        self._places: dict[int, int] = {}

    def rows(self) -> tuple[ObjectRow, ...]:
        """Return all rows in the order of the document."""
        return tuple(self._rows)

    def place_of(self, object_id: int) -> int | None:
        """Return the row number of an object, None if it is not in the table."""
        return self._places.get(object_id)

    def set_rows(self, rows: Sequence[ObjectRow]) -> bool:
        """Take these rows; only those that differ are drawn again. Return whether objects came, went or moved."""
        if [row.object_id for row in rows] == [row.object_id for row in self._rows]:
            self.update_rows(rows)
            return False
        self.beginResetModel()
        self._rows = list(rows)
        self._places = {row.object_id: place for place, row in enumerate(self._rows)}
        self.endResetModel()
        return True

    def update_rows(self, rows: Sequence[ObjectRow]) -> None:
        """Change the rows of objects that are in the table; others are left out."""
        changed = []
        for row in rows:
            place = self._places.get(row.object_id)
            if place is not None and self._rows[place] != row:
                self._rows[place] = row
                changed.append(place)
        if changed:
            self.dataChanged.emit(self.index(min(changed), 0), self.index(max(changed), len(Column) - 1))

    def rowCount(self, parent: QModelIndex = QModelIndex()) -> int:  # noqa: B008
        """Return the number of objects."""
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: QModelIndex = QModelIndex()) -> int:  # noqa: B008
        """Return the number of columns."""
        return 0 if parent.isValid() else len(Column)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Role.DisplayRole) -> Any:
        """Return titles and tooltips of the columns."""
        if orientation != Qt.Orientation.Horizontal:
            return None
        column = Column(section)
        if role == Role.TextAlignmentRole:
            return _RIGHT if column in {Column.DONE, Column.WORST} else _LEFT
        return {Role.DisplayRole: _TITLES.get(column, ""), Role.ToolTipRole: _HEADER_TIPS[column]}.get(Role(role))

    def flags(self, index: QModelIndex) -> Qt.ItemFlag:
        """Let names be edited and the two states be toggled."""
        if not index.isValid():
            return Qt.ItemFlag.NoItemFlags
        flags = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        if index.column() == Column.NAME:
            flags |= Qt.ItemFlag.ItemIsEditable
        if index.column() in {Column.VISIBLE, Column.LOCKED}:
            flags |= Qt.ItemFlag.ItemIsUserCheckable
        return flags

    def data(self, index: QModelIndex, role: int = Role.DisplayRole) -> Any:
        """Return what a cell shows, sorts by, or says to a screen reader."""
        if not index.isValid():
            return None
        row, column = self._rows[index.row()], Column(index.column())
        if role == ROW_ROLE:
            return row
        if role == SORT_ROLE:
            return _sort_value(row, column)
        if role in {Role.DisplayRole, Role.EditRole}:
            return _text(row, column)
        if role in {Role.ToolTipRole, Role.AccessibleTextRole}:
            return _tip(row, column)
        if role == Role.CheckStateRole and column in {Column.VISIBLE, Column.LOCKED}:
            checked = row.visible if column == Column.VISIBLE else row.locked
            return Qt.CheckState.Checked if checked else Qt.CheckState.Unchecked
        if role == Role.TextAlignmentRole and column in {Column.DONE, Column.WORST}:
            return _RIGHT
        return None

    def setData(self, index: QModelIndex, value: Any, role: int = Role.EditRole) -> bool:
        """Report a new name or a toggled state; return whether it was one."""
        row, column = self._rows[index.row()], Column(index.column())
        if role == Role.EditRole and column == Column.NAME:
            name = str(value).strip()
            if name and name != row.name:
                self.renamed.emit(row.object_id, name)
            return bool(name)
        if role == Role.CheckStateRole and column in {Column.VISIBLE, Column.LOCKED}:
            signal = self.visibility_changed if column == Column.VISIBLE else self.lock_changed
            signal.emit(row.object_id, Qt.CheckState(value) == Qt.CheckState.Checked)
            return True
        return False


def _text(row: ObjectRow, column: Column) -> str | None:
    match column:
        case Column.NAME:
            return row.name
        case Column.DONE:
            return f"{row.frames_done:,}"
        case Column.WORST:
            return "\u2013" if row.worst_score is None else f"{row.worst_score:.2f}"
        case _:
            return None


def _sort_value(row: ObjectRow, column: Column) -> str | int | float:
    match column:
        case Column.VISIBLE:
            return int(not row.visible)
        case Column.LOCKED:
            return int(not row.locked)
        case Column.COLOR:
            return row.object_id
        case Column.NAME:
            return row.name.casefold()
        case Column.DONE:
            return row.frames_done
        case Column.WORST:
            return 2.0 if row.worst_score is None else row.worst_score


def _tip(row: ObjectRow, column: Column) -> str:
    match column:
        case Column.VISIBLE:
            return f"{row.name} is shown; click to hide" if row.visible else f"{row.name} is hidden; click to show"
        case Column.LOCKED:
            return f"{row.name} is locked; click to unlock" if row.locked else f"{row.name} may change; click to lock"
        case Column.COLOR:
            return f"Color of {row.name}; double-click to change"
        case Column.NAME:
            return f"{row.name} (object {row.object_id})"
        case Column.DONE:
            return f"{row.frames_done:,} of {count(row.frames_total, 'frame')} have a mask"
        case Column.WORST:
            if row.worst_score is None or row.worst_frame is None:
                return "No tracked frame that nobody has confirmed"
            lowest = f"Lowest score {row.worst_score:.2f}, on frame {row.worst_frame:,}; Enter jumps there"
            return f"{count(row.doubtful, 'frame')} in doubt. {lowest}" if row.doubtful else lowest
