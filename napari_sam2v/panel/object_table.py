"""The table of objects: the list one works down."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from qtpy.QtCore import QItemSelectionModel, QModelIndex, QPoint, Signal
from qtpy.QtGui import QColor
from qtpy.QtWidgets import QColorDialog, QMenu, QWidget

from napari_sam2v.panel.object_model import Column, ObjectModel
from napari_sam2v.panel.object_view import ObjectView
from napari_sam2v.panel.widgets import Heading, Tag, column
from napari_sam2v.view_state import ObjectRow
from napari_sam2v.wording import count, with_key

Entry = tuple[str, Callable[[], object], bool]

_LINEAGE = (
    ("mark_division", "Mark division"),
    ("mark_fusion", "Mark fusion"),
    ("join_tracks", "Join into one track"),
    ("cut_track", "Cut before this frame, or between two"),
)
"""Actions of the lineage: id and text of the menu."""


class ObjectTable(QWidget):
    """All objects with their color, name, progress, worst score, lock and visibility.

    Keys: arrows select, F2 renames, Space shows or hides, Enter jumps to the worst frame, Delete deletes. All other
    keys go on to the viewer, so that the shortcuts work here too.

    Signals
    -------
    selected(int)
        The object that the user selected.
    renamed(int, str), recolored(int, object), visibility_changed(int, bool), lock_changed(int, bool)
        What the user changed of one object; a color is (red, green, blue) in 0..255.
    jump_requested(int)
        Jump to the worst frame of this object.
    split_requested(int)
        Give this object's masks from the current frame on to a new object.
    merge_requested(int, object)
        Join the objects of a list of ids into one, which stays.
    delete_requested(object), swap_requested(object), isolate_requested(object)
        A list of object ids: to delete; two whose masks change places from the current frame on; to show alone (the
        empty list: show all).
    action_requested(str)
        Id of an action of the lineage that is to be done with the selected objects.
    selection_changed(object)
        List of the ids of all selected objects, the one that was selected first at the head.
    """

    selected = Signal(int)
    renamed = Signal(int, str)
    recolored = Signal(int, object)
    visibility_changed = Signal(int, bool)
    lock_changed = Signal(int, bool)
    jump_requested = Signal(int)
    split_requested = Signal(int)
    delete_requested = Signal(object)
    merge_requested = Signal(int, object)
    swap_requested = Signal(object)
    isolate_requested = Signal(object)
    action_requested = Signal(str)
    selection_changed = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.model = ObjectModel()
        self.view = ObjectView(self.model)
        self.summary = Tag()
        self._keys: Mapping[str, str] = {}
        self._quiet = False
        self._chosen: list[int] = []
        layout = column(self)
        layout.addWidget(Heading("Objects", self.summary))
        layout.addWidget(self.view, 1)
        self._connect()
        self.set_rows(())

    def _connect(self) -> None:
        for name in ("renamed", "visibility_changed", "lock_changed"):
            getattr(self.model, name).connect(getattr(self, name))
        self.view.selectionModel().currentRowChanged.connect(self._on_current)
        self.view.selectionModel().selectionChanged.connect(lambda *_: self._on_selection())
        self.view.customContextMenuRequested.connect(self._open_menu)
        self.view.doubleClicked.connect(self._on_double_click)
        self.view.delete_pressed.connect(self._on_delete)
        self.view.enter_pressed.connect(self._on_enter)

    def set_rows(self, rows: Sequence[ObjectRow]) -> None:
        """Show these objects; only rows that differ are drawn again, and the selected one stays selected."""
        kept, chosen = self.current(), self.selection()
        self._quiet = True
        if self.model.set_rows(rows):
            self._chosen = []
            self.view.sort_again()
            self.set_selected(kept)
            self._select_too(chosen)
        self._quiet = False
        self.summary.setText(count(len(rows), "object") if rows else "")

    def update_rows(self, rows: Sequence[ObjectRow]) -> None:
        """Change some rows at once: after a tracked frame, all objects on it."""
        self.model.update_rows(rows)

    def set_selected(self, object_id: int | None) -> None:
        """Select one object, or none, without reporting it; where it is the current one already, others stay too."""
        if object_id == self.current():
            return
        index = None if object_id is None else self._index_of(object_id)
        quiet, self._quiet = self._quiet, True
        if index is None:
            self.view.clearSelection()
            self.view.setCurrentIndex(QModelIndex())
        else:
            flag = QItemSelectionModel.SelectionFlag
            self.view.selectionModel().setCurrentIndex(index, flag.ClearAndSelect | flag.Rows)
            self.view.scrollTo(index)
        self._quiet = quiet

    def current(self) -> int | None:
        """Return the selected object, None for none."""
        index = self.view.currentIndex()
        return self._id_at(index) if index.isValid() else None

    def selection(self) -> list[int]:
        """Return all selected objects, the one that was selected first at the head."""
        return list(self._chosen)

    def select_only(self, object_id: int) -> None:
        """Select one object and no other."""
        self.view.clearSelection()
        self.set_selected(None)
        self.set_selected(object_id)

    def toggle(self, object_id: int) -> None:
        """Add an object to those that are selected, or take it out."""
        if (index := self._index_of(object_id)) is not None:
            flag = QItemSelectionModel.SelectionFlag
            self.view.selectionModel().select(index, flag.Toggle | flag.Rows)

    def set_keys(self, keys: Mapping[str, str]) -> None:
        """Name the keys, by action id, in the menu."""
        self._keys = dict(keys)

    def menu(self) -> QMenu:
        """Make the context menu for what is selected."""
        menu = QMenu(self)
        for group in self._entries(self.selection()):
            for text, act, possible in group:
                entry = menu.addAction(text)
                entry.setEnabled(possible)
                entry.triggered.connect(lambda _checked=False, act=act: act())
            menu.addSeparator()
        return menu

    def _entries(self, ids: list[int]) -> tuple[tuple[Entry, ...], ...]:
        """Return the groups of the menu: what is read, what it does, whether it fits the selection."""
        one, two, many = len(ids) == 1, len(ids) == 2, len(ids) > 1
        jump = with_key("Jump to worst frame", self._keys.get("worst_frame", ""))
        isolate = "Show only these" if many else "Show only this"
        merge = self._merge_text(ids) if many else "Merge: select two or more"
        swap = "Swap from this frame on" if two else "Swap: select two"
        delete = f"Delete {count(len(ids), 'object')}" if many else "Delete"
        return (
            (
                (jump, self._on_enter, bool(ids)),
                ("Rename\u2026 (F2)", self.view.rename, one),
                ("Change color\u2026", lambda: self._pick_color(ids[0]), one),
            ),
            (
                (isolate, lambda: self.isolate_requested.emit(ids), bool(ids)),
                ("Show all", lambda: self.isolate_requested.emit([]), True),
            ),
            (
                ("Split off from this frame on", lambda: self.split_requested.emit(ids[0]), one),
                (merge, lambda: self.merge_requested.emit(ids[0], ids[1:]), many),
                (swap, lambda: self.swap_requested.emit(ids), two),
            ),
            tuple(
                (
                    with_key(text, self._keys.get(name, "")),
                    lambda name=name: self.action_requested.emit(name),
                    many or (bool(ids) and name == "cut_track"),
                )
                for name, text in _LINEAGE
            ),
            ((f"{delete} (Del)", lambda: self.delete_requested.emit(ids), bool(ids)),),
        )

    def _merge_text(self, ids: list[int]) -> str:
        """Say which objects become part of which: the one that was selected first stays."""
        first, *others = (self._name_of(object_id) for object_id in ids)
        return f"Merge {others[0] if len(others) == 1 else count(len(others), 'object')} into {first}"

    def _open_menu(self, point: QPoint) -> None:
        self.menu().popup(self.view.viewport().mapToGlobal(point))

    def _on_selection(self) -> None:
        """Keep the order in which objects were selected; those that came together follow from top to bottom."""
        rows = sorted(index.row() for index in self.view.selectionModel().selectedRows(Column.NAME))
        ids = [self._id_at(self.view.proxy.index(row, Column.NAME)) for row in rows]
        kept = [object_id for object_id in self._chosen if object_id in ids]
        self._chosen = [*kept, *(object_id for object_id in ids if object_id not in kept)]
        self.selection_changed.emit(list(self._chosen))

    def _select_too(self, ids: Sequence[int]) -> None:
        """Add objects to the selection, as far as they are still there."""
        flag = QItemSelectionModel.SelectionFlag
        for object_id in ids:
            if (index := self._index_of(object_id)) is not None:
                self.view.selectionModel().select(index, flag.Select | flag.Rows)
        self._chosen = [object_id for object_id in ids if object_id in self._chosen]

    def _index_of(self, object_id: int) -> QModelIndex | None:
        place = self.model.place_of(object_id)
        return None if place is None else self.view.proxy.mapFromSource(self.model.index(place, Column.NAME))

    def _name_of(self, object_id: int) -> str:
        place = self.model.place_of(object_id)
        return f"object {object_id}" if place is None else self.model.rows()[place].name

    def _on_current(self, current: QModelIndex) -> None:
        if current.isValid() and not self._quiet:
            self.selected.emit(self._id_at(current))

    def _on_double_click(self, index: QModelIndex) -> None:
        if index.column() == Column.COLOR:
            self._pick_color(self._id_at(index))
        elif index.column() in {Column.DONE, Column.WORST}:
            self.jump_requested.emit(self._id_at(index))

    def _pick_color(self, object_id: int) -> None:
        place = self.model.place_of(object_id)
        if place is None:
            return
        old = self.model.rows()[place].color
        color = QColorDialog.getColor(QColor(*old), self, "Color of the object")
        if color.isValid():
            self.recolored.emit(object_id, (color.red(), color.green(), color.blue()))

    def _id_at(self, index: QModelIndex) -> int:
        return self.model.rows()[self.view.proxy.mapToSource(index).row()].object_id

    def _on_delete(self) -> None:
        if ids := self.selection():
            self.delete_requested.emit(ids)

    def _on_enter(self) -> None:
        if (current := self.current()) is not None:
            self.jump_requested.emit(current)
