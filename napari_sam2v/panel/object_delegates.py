"""How cells of the object table are drawn: icons that toggle, color swatches, bars."""

from __future__ import annotations

from qtpy.QtCore import QAbstractItemModel, QEvent, QModelIndex, QRectF, QSize, Qt
from qtpy.QtGui import QColor, QMouseEvent, QPainter, QPalette, QPen
from qtpy.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from napari_sam2v.panel.colors import blend, legible, theme_colors
from napari_sam2v.panel.icons import line_icon
from napari_sam2v.panel.object_model import ROW_ROLE
from napari_sam2v.panel.view_state import ObjectRow

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


_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
