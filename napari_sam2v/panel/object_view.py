"""The view of the object table: its looks and its keys."""

from __future__ import annotations

from qtpy.QtCore import QEvent, QModelIndex, QSize, QSortFilterProxyModel, Qt, Signal
from qtpy.QtGui import QKeyEvent, QPaintEvent
from qtpy.QtWidgets import QAbstractItemView, QHeaderView, QLabel, QTableView

from napari_sam2v.panel.colors import theme_colors
from napari_sam2v.panel.object_delegates import BarDelegate, ScoreDelegate, SwatchDelegate, ToggleDelegate, toggle
from napari_sam2v.panel.object_model import SORT_ROLE, Column, ObjectModel
from napari_sam2v.panel.painting import painting

_EMPTY = "No objects yet.\nTake a tool and click an object in the image."
_NAVIGATION = {
    Qt.Key.Key_Up,
    Qt.Key.Key_Down,
    Qt.Key.Key_Left,
    Qt.Key.Key_Right,
    Qt.Key.Key_Home,
    Qt.Key.Key_End,
    Qt.Key.Key_PageUp,
    Qt.Key.Key_PageDown,
}


class ObjectView(QTableView):
    """A sortable table view that handles the keys of a list and lets all others pass.

    Signals
    -------
    delete_pressed(), enter_pressed()
        What to do with the selected rows is for the owner to say.
    """

    delete_pressed = Signal()
    enter_pressed = Signal()

    def __init__(self, model: ObjectModel) -> None:
        super().__init__()
        self.proxy = QSortFilterProxyModel(self)
        self.proxy.setSourceModel(model)
        self.proxy.setSortRole(SORT_ROLE)
        # rows must not run away under the pointer while scores come in; a click on the header sorts anew
        self.proxy.setDynamicSortFilter(False)
        self.setModel(self.proxy)
        self.setAccessibleName("Objects")
        self._type = QLabel(self)
        self._type.hide()
        self._set_behaviour()
        self._set_looks()
        self.follow_type()

    def _set_behaviour(self) -> None:
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        triggers = QAbstractItemView.EditTrigger
        self.setEditTriggers(triggers.DoubleClicked | triggers.EditKeyPressed)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.setSortingEnabled(True)
        header = self.horizontalHeader()
        header.setSortIndicatorClearable(True)
        header.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        self.setTabKeyNavigation(False)

    def _set_looks(self) -> None:
        self.setItemDelegateForColumn(Column.VISIBLE, ToggleDelegate("visible", "hidden", self, off_opacity=0.6))
        self.setItemDelegateForColumn(Column.LOCKED, ToggleDelegate("locked", "unlocked", self))
        self.setItemDelegateForColumn(Column.COLOR, SwatchDelegate(self))
        self.setItemDelegateForColumn(Column.DONE, BarDelegate(self))
        self.setItemDelegateForColumn(Column.WORST, ScoreDelegate(self))
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.verticalHeader().hide()
        self.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.horizontalHeader().setSectionResizeMode(Column.NAME, QHeaderView.ResizeMode.Stretch)
        self.horizontalHeader().setHighlightSections(False)

    def follow_type(self) -> None:
        """Take the theme's size of type, which its style sheet gives to labels only, and size all cells by it."""
        self._type.ensurePolished()
        self.setFont(self._type.font())
        self.horizontalHeader().setFont(self._type.font())
        height = self.fontMetrics().height()
        self.verticalHeader().setDefaultSectionSize(height + 7)
        self.verticalHeader().setMinimumSectionSize(height)
        self.horizontalHeader().setMinimumSectionSize(height)
        for narrow in (Column.VISIBLE, Column.LOCKED, Column.COLOR):
            self.setColumnWidth(narrow, height + 9)
        self.setColumnWidth(Column.DONE, self.fontMetrics().horizontalAdvance("Frames") + 14)
        self.setColumnWidth(Column.WORST, self.fontMetrics().horizontalAdvance("0.00") + height + 14)

    def sort_again(self) -> None:
        """Bring rows into the order that the header shows, after objects came or went."""
        header = self.horizontalHeader()
        self.proxy.sort(header.sortIndicatorSection(), header.sortIndicatorOrder())

    def rename(self) -> None:
        """Start editing the name in the current row."""
        self.edit(self.currentIndex().siblingAtColumn(Column.NAME))

    def sizeHint(self) -> QSize:
        """Six rows; it grows with the panel."""
        return QSize(240, round(self.fontMetrics().height() * 10.5))

    def minimumSizeHint(self) -> QSize:
        """Little more than the header, while an offer needs the place."""
        return QSize(180, round(self.fontMetrics().height() * 2.2))

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        """Handle the keys of a list; letters belong to the viewer's shortcuts, not to a search."""
        if event is None:
            return
        current: QModelIndex = self.currentIndex()
        if event.key() in {Qt.Key.Key_Delete, Qt.Key.Key_Backspace}:
            self.delete_pressed.emit()
        elif event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            self.enter_pressed.emit()
        elif event.key() == Qt.Key.Key_Space and current.isValid():
            column = Column.LOCKED if current.column() == Column.LOCKED else Column.VISIBLE
            toggle(self.proxy, current.siblingAtColumn(column))
        elif event.key() == Qt.Key.Key_F2:
            self.rename()
        elif event.key() in _NAVIGATION:
            super().keyPressEvent(event)
        else:
            event.ignore()

    def changeEvent(self, event: QEvent | None) -> None:
        """Follow the size of the theme's type."""
        super().changeEvent(event)
        if event is not None and event.type() == QEvent.Type.StyleChange:
            self.follow_type()

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """Draw the rows, or what to do where there are none."""
        super().paintEvent(event)
        if self.proxy.rowCount() == 0:
            with painting(self.viewport()) as painter:
                painter.setPen(theme_colors(self).text)
                painter.setOpacity(0.7)
                painter.drawText(self.viewport().rect(), int(Qt.AlignmentFlag.AlignCenter), _EMPTY)
