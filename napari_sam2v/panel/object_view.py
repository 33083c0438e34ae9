"""The view of the object table: its keys, and how its cells are drawn."""

from __future__ import annotations

from qtpy.QtCore import QAbstractItemModel, QEvent, QModelIndex, QRectF, QSize, QSortFilterProxyModel, Qt, Signal
from qtpy.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPalette, QPen
from qtpy.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QLabel,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QWidget,
)

from napari_sam2v.panel.drawing import blend, legible, painting, theme_colors
from napari_sam2v.panel.icons import line_icon
from napari_sam2v.panel.object_model import ROW_ROLE, SORT_ROLE, Column, ObjectModel
from napari_sam2v.view_state import ObjectRow

_EMPTY = "No objects yet.\nChoose a tool, then click an object in the image."
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


_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
_CHECK = Qt.ItemDataRole.CheckStateRole


def _fill(painter: QPainter, option: QStyleOptionViewItem) -> None:
    """Draw the background that says whether the row is selected."""
    if option.state & QStyle.StateFlag.State_Selected:
        painter.fillRect(option.rect, option.palette.color(QPalette.ColorRole.Highlight))


class ToggleDelegate(QStyledItemDelegate):
    """A state as an icon, another and paler one where it is off; a click anywhere in the cell toggles."""

    def __init__(self, on: str, off: str, parent: QWidget, *, off_opacity: float = 0.35) -> None:
        super().__init__(parent)
        self._names, self._off_opacity = (off, on), off_opacity

    def paint(self, painter: QPainter | None, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        """Draw the icon."""
        if painter is None:
            return
        on = Qt.CheckState(index.data(_CHECK)) == Qt.CheckState.Checked
        color = theme_colors(option.widget).text
        icon = line_icon(self._names[on], color)
        side = option.fontMetrics.height()
        place = option.rect.adjusted(0, 0, 0, 0)
        place.setSize(QSize(side, side))
        place.moveCenter(option.rect.center())
        painter.save()
        _fill(painter, option)
        painter.setOpacity(1.0 if on else self._off_opacity)
        icon.paint(painter, place)
        painter.restore()

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex) -> QSize:
        """Take a little more than the icon."""
        side = option.fontMetrics.height() + 6
        return QSize(side, side)

    def editorEvent(
        self, event: QEvent | None, model: QAbstractItemModel | None, option: QStyleOptionViewItem, index: QModelIndex
    ) -> bool:
        """Toggle on a click; swallow the double-click that the second of two fast clicks is."""
        if event is None or model is None or not isinstance(event, QMouseEvent):
            return False
        if event.button() != Qt.MouseButton.LeftButton:
            return False
        if event.type() == QEvent.Type.MouseButtonRelease:
            toggle(model, index)
        return event.type() in {QEvent.Type.MouseButtonRelease, QEvent.Type.MouseButtonDblClick}


def toggle(model: QAbstractItemModel, index: QModelIndex) -> None:
    """Turn the state of a checkable cell round."""
    on = Qt.CheckState(index.data(_CHECK)) == Qt.CheckState.Checked
    model.setData(index, Qt.CheckState.Unchecked if on else Qt.CheckState.Checked, _CHECK)


class SwatchDelegate(QStyledItemDelegate):
    """A disc in the object's color, hollow where the object is hidden."""

    def paint(self, painter: QPainter | None, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        """Draw the disc."""
        if painter is None:
            return
        row: ObjectRow = index.data(ROW_ROLE)
        side = option.fontMetrics.height() * 0.8
        disc = QRectF(0, 0, side, side)
        disc.moveCenter(QRectF(option.rect).center())
        painter.save()
        _fill(painter, option)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        color = QColor(*row.color)
        painter.setPen(QPen(blend(color, theme_colors(option.widget).text, 0.35), 1.3))
        painter.setBrush(color if row.visible else Qt.BrushStyle.NoBrush)
        painter.drawEllipse(disc)
        painter.restore()


class BarDelegate(QStyledItemDelegate):
    """A number over a bar: how much of the movie is done."""

    def paint(self, painter: QPainter | None, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        """Draw the bar, then the number."""
        if painter is None:
            return
        row: ObjectRow = index.data(ROW_ROLE)
        colors = theme_colors(option.widget)
        share = min(1.0, row.frames_done / row.frames_total) if row.frames_total else 0.0
        groove = QRectF(option.rect).adjusted(3, 0, -3, 0)
        groove.setTop(option.rect.bottom() - 3)
        groove.setHeight(2)
        painter.save()
        _fill(painter, option)
        painter.fillRect(groove, blend(colors.foreground, colors.text, 0.2))
        groove.setWidth(groove.width() * share)
        painter.fillRect(groove, blend(colors.foreground, colors.text, 0.55))
        painter.setPen(colors.text)
        painter.setFont(option.font)
        painter.drawText(option.rect.adjusted(2, -1, -4, -2), int(_RIGHT), f"{row.frames_done:,}")
        painter.restore()


class ScoreDelegate(QStyledItemDelegate):
    """A score; a mark beside it says that frames are in doubt, by its shape as well as by its color."""

    def paint(self, painter: QPainter | None, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        """Draw the number, and the mark where it is low."""
        if painter is None:
            return
        row: ObjectRow = index.data(ROW_ROLE)
        colors = theme_colors(option.widget)
        painter.save()
        _fill(painter, option)
        if row.doubtful:
            side = option.fontMetrics.height() - 2
            place = option.rect.adjusted(4, 0, 0, 0)
            place.setWidth(side)
            line_icon("warning", legible(colors.warning, colors)).paint(painter, place)
        painter.setPen(colors.text)
        painter.setOpacity(0.5 if row.worst_score is None else 1.0)
        painter.setFont(option.font)
        painter.drawText(option.rect.adjusted(0, 0, -5, 0), int(_RIGHT), index.data())
        painter.restore()


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
            viewport = self.viewport()
            assert viewport is not None, "every view has one"
            with painting(viewport) as painter:
                painter.setPen(theme_colors(self).text)
                painter.setOpacity(0.7)
                painter.drawText(viewport.rect(), int(Qt.AlignmentFlag.AlignCenter), _EMPTY)
