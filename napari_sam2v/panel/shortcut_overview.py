"""All keys at a glance."""

from __future__ import annotations

from collections.abc import Mapping

from qtpy.QtCore import QPoint, Qt
from qtpy.QtGui import QKeyEvent, QPaintEvent
from qtpy.QtWidgets import QFrame, QGridLayout, QLabel, QWidget

from napari_sam2v.actions import ACTIONS
from napari_sam2v.panel.colors import theme_colors
from napari_sam2v.panel.painting import painting
from napari_sam2v.panel.wording import key_text

_MORE = (
    ("Drag on the strip", "Scrub through the movie"),
    ("Space, F2, Enter, Del", "In the table: show or hide, rename, worst frame, delete"),
)


class ShortcutOverview(QFrame):
    """A popup with all actions and their keys; a click elsewhere, or Escape, closes it."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setAccessibleName("Shortcuts")
        self._lines = 0
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(14, 10, 14, 12)
        self._grid.setHorizontalSpacing(16)
        self._grid.setVerticalSpacing(2)

    def set_keys(self, keys: Mapping[str, str]) -> None:
        """List these keys, by action id; actions without a key are left out."""
        while (item := self._grid.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.deleteLater()
        self._lines, group = 0, ""
        for action in ACTIONS:
            key = keys.get(action.id, "")
            if not key:
                continue
            if action.group != group:
                group = action.group
                self._add(_bold(group), QLabel())
            self._add(QLabel(key_text(key)), QLabel(action.title))
        self._add(_bold("Panel"), QLabel())
        for keys_text, title in _MORE:
            self._add(QLabel(keys_text), QLabel(title))

    def open_at(self, point: QPoint) -> None:
        """Open with the top right corner at a point of the screen, or as near as the screen allows."""
        self.adjustSize()
        screen = self.screen().availableGeometry()
        x = min(max(point.x() - self.width(), screen.left()), screen.right() - self.width())
        y = min(max(point.y(), screen.top()), screen.bottom() - self.height())
        self.move(x, y)
        self.show()

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """Draw an edge, since the panel behind has the same colour."""
        with painting(self) as painter:
            painter.setPen(theme_colors(self).highlight)
            painter.drawRect(self.rect().adjusted(0, 0, -1, -1))

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        """Close on Escape; letters do nothing here."""
        if event is not None and event.key() == Qt.Key.Key_Escape:
            self.hide()

    def _add(self, left: QLabel, right: QLabel) -> None:
        self._grid.addWidget(left, self._lines, 0)
        self._grid.addWidget(right, self._lines, 1)
        self._lines += 1


def _bold(text: str) -> QLabel:
    label = QLabel(text)
    font = label.font()
    font.setBold(True)
    label.setFont(font)
    return label
