"""The time strip's canvas: marks from a cached picture, playhead and range on top, pointer and keys."""

from __future__ import annotations

from qtpy.QtCore import QEvent, QPointF, QRect, QRectF, QSize, Qt, Signal
from qtpy.QtGui import (
    QColor,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
    QPolygonF,
    QResizeEvent,
)
from qtpy.QtWidgets import QLabel, QSizePolicy, QWidget

from napari_sam2v.panel.drawing import painting, theme_colors
from napari_sam2v.panel.time_painting import StripLayout, StripPainter, TimeScale
from napari_sam2v.panel.widgets import scaled
from napari_sam2v.view_state import Color, TimeMarks

_GRIP = 6
"""How near to a handle of the range, in device-independent pixels, the pointer grips it."""


class TimeCanvas(QWidget):
    """Ten thousand frames on three hundred pixels, painted once; a new frame moves only the playhead.

    Signals
    -------
    frame_clicked(int)
        The user clicked or dragged to this frame, or reached it by keys (arrows, Page, Home, End).
    hovered(object)
        The frame under the pointer, None where the pointer left.
    range_changed(object, object)
        The first and the last frame of the range while a handle is dragged, both included.
    """

    frame_clicked = Signal(int)
    hovered = Signal(object)
    range_changed = Signal(object, object)

    def __init__(self) -> None:
        super().__init__()
        self._marks: TimeMarks | None = None
        self._color: Color = (128, 128, 128)
        self._frame, self._hover = 0, -1
        self._first: int | None = None
        self._last: int | None = None
        self._gripped: int | None = None
        self._picture: QPixmap | None = None
        # a label follows the theme's size of type, a plain widget does not
        self._type = QLabel(self)
        self._type.hide()
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName("Time strip")

    @property
    def marks(self) -> TimeMarks | None:
        """What is shown, None for nothing."""
        return self._marks

    @property
    def frame(self) -> int:
        """Where the playhead is."""
        return self._frame

    @property
    def range(self) -> tuple[int, int] | None:
        """The first and the last frame of the range, None where there is none."""
        length = self.scale().length
        if not length or (self._first is None and self._last is None):
            return None
        return self._first or 0, length - 1 if self._last is None else min(self._last, length - 1)

    def set_marks(self, marks: TimeMarks | None, color: Color) -> None:
        """Show these marks in the color of their object, or empty rows (None)."""
        self._marks, self._color = marks, color
        self._forget_picture()

    def set_frame(self, frame: int) -> None:
        """Move the playhead; nothing else is painted again."""
        if frame != self._frame:
            before = self._playhead_area()
            self._frame = frame
            self.update(before)
            self.update(self._playhead_area())

    def set_range(self, first: int | None, last: int | None) -> None:
        """Show the handles of a range, both ends included, or none (None on both sides); None is the movie's end."""
        self._first, self._last = first, last
        self.update()

    def scale(self) -> TimeScale:
        """Return where frames lie, counted from the left end of the rows."""
        return self._layout().scale(self._marks.length if self._marks else 0)

    def frame_at(self, x: float) -> int:
        """Return the frame under a pixel of the widget."""
        return self.scale().frame_at(x - self._layout().left)

    def x_of(self, frame: int) -> float:
        """Return the pixel of the widget in the middle of a frame."""
        return self._layout().left + self.scale().middle_of(frame)

    def sizeHint(self) -> QSize:
        """Seven lines of the theme's type; where there is more height, the curve gets it."""
        return QSize(240, round(self._layout().unit * 7))

    def most_height(self) -> int:
        """Return the height in pixels above which the curve would say no more."""
        return round(self._layout().unit * 16)

    def minimumSizeHint(self) -> QSize:
        """As high, and narrower."""
        return QSize(120, self.sizeHint().height())

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """Copy the picture where it is needed, then draw range, pointer and playhead."""
        if self._picture is None or self._picture.devicePixelRatio() != self.devicePixelRatioF():
            self._picture = self._paint_picture()
        area = event.rect() if event is not None else self.rect()
        ratio = self._picture.devicePixelRatio()
        with painting(self) as painter:
            source = QRectF(area.x() * ratio, area.y() * ratio, area.width() * ratio, area.height() * ratio)
            painter.drawPixmap(QRectF(area), self._picture, source)
            if self._marks is not None and self._marks.length > 0:
                painter.setRenderHint(QPainter.RenderHint.Antialiasing)
                self._paint_range(painter)
                self._paint_playhead(painter)
            if self.hasFocus():
                painter.setPen(QPen(theme_colors(self).current, 1))
                painter.drawRect(self.rect().adjusted(0, 0, -1, -1))

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        """Paint the picture anew."""
        self._forget_picture()

    def changeEvent(self, event: QEvent | None) -> None:
        """Follow the theme."""
        super().changeEvent(event)
        if event is not None and event.type() in {QEvent.Type.StyleChange, QEvent.Type.PaletteChange}:
            self.updateGeometry()
            self._forget_picture()

    def mousePressEvent(self, event: QMouseEvent | None) -> None:
        """Grip a handle of the range, or jump."""
        if event is None or event.button() != Qt.MouseButton.LeftButton or self._marks is None:
            return
        self._gripped = self._handle_at(event.position())
        if self._gripped is None:
            self._go_to(self.frame_at(event.position().x()))

    def mouseMoveEvent(self, event: QMouseEvent | None) -> None:
        """Drag what was pressed; without a button, tell which frame is under the pointer."""
        if event is None or self._marks is None:
            return
        frame = self.frame_at(event.position().x())
        if frame != self._hover:
            self._hover = frame
            self.hovered.emit(frame)
        if event.buttons() & Qt.MouseButton.LeftButton:
            if self._gripped is None:
                self._go_to(frame)
            else:
                self._drag_handle(frame)
        else:
            on_handle = self._handle_at(event.position()) is not None
            self.setCursor(Qt.CursorShape.SizeHorCursor if on_handle else Qt.CursorShape.ArrowCursor)

    def mouseReleaseEvent(self, event: QMouseEvent | None) -> None:
        """Let go of the handle."""
        self._gripped = None

    def leaveEvent(self, event: QEvent | None) -> None:
        """Tell that the pointer left."""
        self._hover = -1
        self.hovered.emit(None)

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        """Step with the arrows, a twentieth of the movie with Page, to its ends with Home and End."""
        if event is None:
            return
        length = self.scale().length
        leap = max(1, length // 20)
        steps = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1, Qt.Key.Key_PageUp: -leap, Qt.Key.Key_PageDown: leap}
        steps |= {Qt.Key.Key_Home: -length, Qt.Key.Key_End: length}
        step = steps.get(Qt.Key(event.key()))
        if step is None or not length:
            event.ignore()
            return
        self._go_to(min(max(self._frame + step, 0), length - 1))

    def _go_to(self, frame: int) -> None:
        if frame != self._frame:
            self.set_frame(frame)
            self.frame_clicked.emit(frame)

    def _handle_at(self, position: QPointF) -> int | None:
        """Return 0 on the first handle of the range, 1 on the last one, None beside both."""
        if self.range is None or position.y() > self._layout().ruler.bottom():
            return None
        distances = [abs(position.x() - x) for x in self._range_ends()]
        nearest = distances.index(min(distances))
        return nearest if distances[nearest] <= _GRIP else None

    def _drag_handle(self, frame: int) -> None:
        if self.range is None:
            return
        first, last = self.range
        first, last = (min(frame, last), last) if self._gripped == 0 else (first, max(frame, first))
        self.set_range(first, last)
        self.range_changed.emit(first, last)

    def _range_ends(self) -> tuple[float, float]:
        first, last = self.range or (0, 0)
        left, scale = self._layout().left, self.scale()
        return left + scale.left_of(first), left + scale.left_of(last + 1)

    def _playhead_area(self) -> QRect:
        return QRect(int(self.x_of(self._frame)) - 7, 0, 15, self.height())

    def _paint_playhead(self, painter: QPainter) -> None:
        colors = theme_colors(self)
        x, ruler = self.x_of(self._frame), self._layout().ruler
        painter.setPen(QPen(colors.background, 3))
        painter.drawLine(QPointF(x, ruler.bottom()), QPointF(x, self.height()))
        painter.setPen(QPen(colors.text, 1.4))
        painter.drawLine(QPointF(x, ruler.bottom()), QPointF(x, self.height()))
        painter.setBrush(colors.text)
        tip = QPointF(x, ruler.bottom() + 1)
        painter.drawPolygon(QPolygonF([tip, tip + QPointF(-4, -6), tip + QPointF(4, -6)]))

    def _paint_range(self, painter: QPainter) -> None:
        if self.range is None:
            return
        layout, colors = self._layout(), theme_colors(self)
        start, stop = self._range_ends()
        painter.fillRect(layout.ruler.adjusted(-6, 0, 6, 0), colors.background)
        self._paint_range_ends(painter, start, stop)
        veil = QColor(colors.background)
        veil.setAlpha(170)
        below = layout.ruler.bottom()
        painter.fillRect(QRectF(layout.left, below, start - layout.left, self.height() - below), veil)
        painter.fillRect(QRectF(stop, below, layout.right - stop, self.height() - below), veil)
        painter.setPen(QPen(colors.text, 2))
        for x, inward in ((start, 5), (stop, -5)):
            corners = (QPointF(x + inward, 2), QPointF(x, 2), QPointF(x, below), QPointF(x + inward, below))
            painter.drawPolyline(QPolygonF(corners))

    def _paint_range_ends(self, painter: QPainter, start: float, stop: float) -> None:
        """Write the first and the last frame beside their handles, outside of the range where there is room."""
        layout, (first, last) = self._layout(), self.range or (0, 0)
        painter.setFont(scaled(self._type.font(), 0.85))
        painter.setPen(theme_colors(self).text)
        width = painter.fontMetrics().horizontalAdvance
        x = start - width(f"{first:,}") - 5
        inside = start + 8
        y = layout.ruler.bottom() - painter.fontMetrics().descent() - 1
        painter.drawText(QPointF(x if x > layout.left else inside, y), f"{first:,}")
        end = width(f"{last:,}")
        painter.drawText(QPointF(stop + 5 if stop + 5 + end < layout.right else stop - end - 8, y), f"{last:,}")

    def _paint_picture(self) -> QPixmap:
        ratio = self.devicePixelRatioF()
        picture = QPixmap(max(1, round(self.width() * ratio)), max(1, round(self.height() * ratio)))
        picture.setDevicePixelRatio(ratio)
        colors = theme_colors(self)
        picture.fill(colors.background)
        with painting(picture) as painter:
            StripPainter(self._layout(), colors, QColor(*self._color), self._type.font()).paint(painter, self._marks)
        return picture

    def _layout(self) -> StripLayout:
        self._type.ensurePolished()
        return StripLayout.of(self.width(), self.height(), self._type.font())

    def _forget_picture(self) -> None:
        self._picture = None
        self.update()
