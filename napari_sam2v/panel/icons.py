"""The icons of the panel: line drawings on a 24 x 24 grid in the color of the theme, sharp at any size."""

from __future__ import annotations

from functools import lru_cache

from qtpy.QtCore import QByteArray, QRect, QRectF, QSize, Qt
from qtpy.QtGui import QColor, QIcon, QIconEngine, QPainter, QPixmap
from qtpy.QtSvg import QSvgRenderer

from napari_sam2v.panel.drawing import painting

_DOT = '<circle cx="{0}" cy="{1}" r="{2}" fill="currentColor" stroke="none"/>'
_CELL = '<circle cx="12" cy="12" r="9"/>'

SHAPES = {
    "point_positive": f'{_CELL}<path d="M12 7.5v9M7.5 12h9"/>',
    "point_negative": f'{_CELL}<path d="M7.5 12h9"/>',
    "scribble": '<path d="M3 16c2-9 5-9 6-4s3 6 5 0 4-6 7-3"/>',
    "box": '<rect x="3.5" y="5.5" width="17" height="13" stroke-dasharray="4 2.2"/>',
    "lasso": '<path d="M8 17C2 15 2 6 10 5c8-1 13 4 10 9-2 3-7 3-12 3z"/><path d="M8 17c2 1 2 4-1 4.5"/>',
    "paint": '<path d="M20.5 3.5c-4 2-8 6-10 9l2.5 2.5c3-2 6-6 7.5-11.5z"/>'
    '<path d="M9.5 13.5c-3 0-3 3-4 5-.5 1-1.5 1.5-2.5 1.5 3 1.5 8 1 8.5-3z"/>',
    "labels": '<path d="M12 3.5l9 4.5-9 4.5L3 8z"/><path d="M3 12.5l9 4.5 9-4.5M3 17l9 4.5 9-4.5"/>',
    "next_object": '<circle cx="9" cy="12" r="6"/><path d="M19 8v8M15.5 12h7"/>',
    "next_mask": '<circle cx="12" cy="12" r="9.5"/><circle cx="12" cy="12" r="5.8"/>' + _DOT.format(12, 12, 2.4),
    "answer": '<path d="M4.5 12.5l5 5L19.5 7"/>',
    "review_next": '<path d="M10 4l8 15H2z"/><path d="M10 9.5v4"/><path d="M18 5l4 4-4 4"/>'
    + _DOT.format(10, 16.2, 1.1),
    "review_previous": '<path d="M14 4l8 15H6z"/><path d="M14 9.5v4"/><path d="M6 5L2 9l4 4"/>'
    + _DOT.format(14, 16.2, 1.1),
    "settings": '<path d="M3 7h9M18 7h3M3 17h3M12 17h9"/><circle cx="15" cy="7" r="2.6"/>'
    '<circle cx="9" cy="17" r="2.6"/>',
    "clear_frame": '<path d="M9 19h11M5 14l8.5-8.5 6 6L12 19H9z"/>',
    "undo": '<path d="M8.5 4L4 8.5 8.5 13"/><path d="M4.5 8.5H14a5.5 5.5 0 0 1 0 11H9"/>',
    "redo": '<path d="M15.5 4L20 8.5 15.5 13"/><path d="M19.5 8.5H10a5.5 5.5 0 0 0 0 11h5"/>',
    "track_forward": '<path d="M5 5l9 7-9 7z" fill="currentColor" stroke="none"/><path d="M19 5v14"/>',
    "track_backward": '<path d="M19 5l-9 7 9 7z" fill="currentColor" stroke="none"/><path d="M5 5v14"/>',
    "track_both": '<path d="M9.5 5.5L2 12l7.5 6.5zM14.5 5.5L22 12l-7.5 6.5z" fill="currentColor" stroke="none"/>',
    "track_all": '<circle cx="5.5" cy="6.5" r="3"/><circle cx="5.5" cy="17.5" r="3"/>'
    '<path d="M11 6.5h10M18 3.5l3 3-3 3M11 17.5h10M18 14.5l3 3-3 3"/>',
    "find_all": '<circle cx="10.5" cy="10.5" r="7.5"/><path d="M16 16l5.5 5.5"/>'
    + _DOT.format(8.3, 9, 1.7)
    + _DOT.format(12.8, 11.8, 1.7),
    "stop": '<rect x="5.5" y="5.5" width="13" height="13" fill="currentColor" stroke="none"/>',
    "repair": '<path d="M2.5 12h3l2.5-6 4 12 3-9 1.5 3h5"/>',
    "worst_frame": '<path d="M3 5l6 11 4-7 3 4 5-8"/>' + _DOT.format(9, 17.5, 3),
    "lineage": '<path d="M12 3v5M6 21V8h12v4M14 21v-9h8v9"/>',
    "plots": '<path d="M3.5 3.5v17h17"/><path d="M7 15.5l4-5 3.5 3L20 6"/>',
    "mark_division": '<path d="M12 3v7M5 21V10h14v11"/>',
    "mark_fusion": '<path d="M12 21v-7M5 3v11h14V3"/>',
    "join_tracks": '<path d="M12 2v7M12 15v7" /><path d="M8.5 9.5L12 6l3.5 3.5M8.5 14.5L12 18l3.5-3.5"/>',
    "cut_track": '<path d="M12 2v6M12 16v6M4 14.5l16-5"/>',
    "show_all": '<path d="M3.5 9V3.5H9M15 3.5h5.5V9M20.5 15v5.5H15M9 20.5H3.5V15"/>',
    "locked": '<rect x="5" y="10.5" width="14" height="10" rx="1.5" fill="currentColor" stroke="none"/>'
    '<path d="M8 10.5V7.5a4 4 0 0 1 8 0v3"/>',
    "unlocked": '<rect x="5" y="10.5" width="14" height="10" rx="1.5"/><path d="M8 10.5V7a4 4 0 0 1 7.5-2"/>',
    "visible": '<path d="M2.5 12C6 6 18 6 21.5 12 18 18 6 18 2.5 12z"/>' + _DOT.format(12, 12, 3),
    "hidden": '<path d="M2.5 11C6 17 18 17 21.5 11M5 14.5L3 17M12 15.5v3.5M19 14.5l2 2.5"/>',
    "save": '<path d="M4 4h13l3 3v13H4z"/><path d="M8 4v5h7V4M8 20v-6.5h8V20"/>',
    "open": '<path d="M3 19V5h6l2 2.5h8V10"/><path d="M3 19l3.5-9H22l-3.5 9z"/>',
    "export": '<path d="M12 15V3.5M7.5 8L12 3.5 16.5 8"/><path d="M5 12v8h14v-8"/>',
    "download": '<path d="M12 3.5V15M7.5 10.5L12 15l4.5-4.5"/><path d="M4 20h16"/>',
    "cancel": '<path d="M6 6l12 12M18 6L6 18"/>',
    "help": f'{_CELL}<path d="M9.3 9.5a2.7 2.7 0 1 1 4 2.4c-1 .6-1.3 1-1.3 2.1"/>' + _DOT.format(12, 16.8, 1.2),
    "hint": '<path d="M4 12h14M12.5 6l6 6-6 6"/>',
    "busy": '<path d="M7 3.5h10M7 20.5h10M8 3.5c0 5 8 6.5 8 17M16 3.5c0 5-8 6.5-8 17"/>',
    "warning": '<path d="M12 3.5L22 20.5H2z"/><path d="M12 10v5"/>' + _DOT.format(12, 17.6, 1.2),
    "error": '<path d="M8 2.5h8L21.5 8v8L16 21.5H8L2.5 16V8z"/><path d="M12 7.5v5.5"/>' + _DOT.format(12, 16.2, 1.3),
}
"""Inner SVG of each icon, by name."""

_PAGE = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24"><g fill="none" stroke="currentColor" '
    'stroke-width="1.8" stroke-linecap="round" stroke-linejoin="round">{shape}</g></svg>'
)


class _LineEngine(QIconEngine):
    """Draws one SVG at whatever size is asked for, paler where the widget is disabled."""

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self._page = page
        self._renderer = QSvgRenderer(QByteArray(page))
        self._drawn: dict[int, QPixmap] = {}  # by pixels of a side: a table draws each again and again

    def paint(self, painter: QPainter | None, rect: QRect, mode: QIcon.Mode, state: QIcon.State) -> None:
        if painter is None:
            return
        painter.save()
        painter.setOpacity(0.35 if mode == QIcon.Mode.Disabled else 1.0)
        side = min(rect.width(), rect.height())
        square = QRectF(0, 0, side, side)
        square.moveCenter(QRectF(rect).center())
        device = painter.device()
        ratio = 1.0 if device is None else device.devicePixelRatioF()
        drawn = self._of_side(max(1, round(side * ratio)))
        painter.drawPixmap(square, drawn, QRectF(drawn.rect()))
        painter.restore()

    def _of_side(self, pixels: int) -> QPixmap:
        if pixels not in self._drawn:
            drawn = QPixmap(pixels, pixels)
            drawn.fill(Qt.GlobalColor.transparent)
            with painting(drawn) as painter:
                self._renderer.render(painter, QRectF(drawn.rect()))
            self._drawn[pixels] = drawn
        return self._drawn[pixels]

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        pixmap = QPixmap(size)
        pixmap.fill(Qt.GlobalColor.transparent)
        with painting(pixmap) as painter:
            self.paint(painter, QRect(0, 0, size.width(), size.height()), mode, state)
        return pixmap

    def clone(self) -> QIconEngine:
        return _LineEngine(self._page)


def line_icon(name: str, color: QColor) -> QIcon:
    """Make the icon of a name in `SHAPES`, drawn in one color."""
    return _icon(SHAPES[name], color.name())


def swatch_icon(color: QColor) -> QIcon:
    """Make an icon that is a disc of one color, for objects in menus and lists."""
    return _icon(_DOT.format(12, 12, 8), color.name())


@lru_cache(maxsize=512)
def _icon(shape: str, color: str) -> QIcon:
    return QIcon(_LineEngine(_PAGE.format(shape=shape).replace("currentColor", color).encode()))
