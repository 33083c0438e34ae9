"""A small window over the panel, for what must not move the sections below."""

from __future__ import annotations

from qtpy.QtCore import QPoint, Qt
from qtpy.QtGui import QKeyEvent, QPaintEvent
from qtpy.QtWidgets import QFrame, QWidget

from napari_sam2v.panel.colors import theme_colors
from napari_sam2v.panel.painting import painting


class Popup(QFrame):
    """A popup in the looks of the panel; a click elsewhere, or Escape, closes it."""

    def __init__(self, parent: QWidget, name: str) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setAccessibleName(name)

    def open_below(self, widget: QWidget) -> None:
        """Open with the top right corner below that of a widget, or as near as the screen allows."""
        point = widget.mapToGlobal(QPoint(widget.width(), widget.height() + 2))
        self.adjustSize()
        screen = self.screen().availableGeometry()
        x = min(max(point.x() - self.width(), screen.left()), screen.right() - self.width())
        y = min(max(point.y(), screen.top()), screen.bottom() - self.height())
        self.move(x, y)
        self.show()

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """Draw an edge, since the panel behind has the same color."""
        with painting(self) as painter:
            painter.setPen(theme_colors(self).highlight)
            painter.drawRect(self.rect().adjusted(0, 0, -1, -1))

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        """Close on Escape; letters do nothing here."""
        if event is not None and event.key() == Qt.Key.Key_Escape:
            self.hide()
