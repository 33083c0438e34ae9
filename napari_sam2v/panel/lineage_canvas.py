"""The lineage's canvas: the tree from a cached picture, frame and selection on top, pointer, wheel and keys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from qtpy.QtCore import QEvent, QPointF, QRect, QRectF, QSize, Qt, Signal
from qtpy.QtGui import (
    QFontMetricsF,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
    QResizeEvent,
    QWheelEvent,
)
from qtpy.QtWidgets import QLabel, QSizePolicy, QWidget

from napari_sam2v.controllers.lineage_scene import Edge, Hit, LineageScene, TrackHit
from napari_sam2v.controllers.lineage_view import LineageView
from napari_sam2v.panel.drawing import legible, painting, theme_colors
from napari_sam2v.panel.lineage_painting import LineagePainter, ObjectLook
from napari_sam2v.panel.widgets import scaled

_DRAG_PIXELS = 5.0
"""How far the pointer moves before a press is a drag."""
_NOTCH = 120.0
"""What Qt counts for one notch of a wheel."""
_ZOOM = 1.25
_PAN_PIXELS = 60.0
"""Zoom factor, and pixels moved sideways, for a notch."""


class LineageCanvas(QWidget):
    """Thousands of tracks, of which only those in view are painted, and only when the view or the lineage changes.

    Signals
    -------
    track_clicked(int, int, bool)
        Object and frame that were clicked, and whether the object is added to those that are selected.
    frame_clicked(int)
        The user clicked beside all tracks, on the ruler, or pressed an arrow.
    edge_clicked(object)
        The edge that was clicked, None where something else was.
    edge_drawn(object), edges_cut(object)
        An edge that was drawn from one track to another; a tuple of edges that were dragged away or deleted.
    hovered(object)
        What is under the pointer, None for nothing.
    """

    track_clicked = Signal(int, int, bool)
    frame_clicked = Signal(int)
    edge_clicked = Signal(object)
    edge_drawn = Signal(object)
    edges_cut = Signal(object)
    hovered = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.scene = LineageScene({}, {}, 0)
        self.view = LineageView(self.scene.extent, 1, 1)
        self.chosen_edge: Edge | None = None
        self._looks: Mapping[int, ObjectLook] = {}
        self._chosen: tuple[int, ...] = ()
        self._frame = 0
        self._hover: Hit = None
        self._pressed: tuple[QPointF, Hit] | None = None
        self._pointer = QPointF()
        self._is_dragging = False
        self._picture: QPixmap | None = None
        self._type = QLabel(self)  # a label follows the theme's size of type, a plain widget does not
        self._type.hide()
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName("Lineage")

    @property
    def frame(self) -> int:
        """The frame on which the line is."""
        return self._frame

    def set_scene(self, scene: LineageScene, looks: Mapping[int, ObjectLook]) -> None:
        """Show another state of the lineage, in the same place."""
        self.scene, self._looks = scene, looks
        if self.chosen_edge not in scene.edges:
            self.chosen_edge = None
        self._hover = None
        self.view = self.view.of_extent(scene.extent)
        self._fit_plot()

    def set_frame(self, frame: int) -> None:
        """Move the line of the frame; nothing else is painted again."""
        if frame != self._frame:
            before = self._line_area()
            self._frame = frame
            self.update(before)
            self.update(self._line_area())

    def set_chosen(self, object_ids: Sequence[int]) -> None:
        """Draw frames around these objects, and choose no edge any more."""
        self._chosen, self.chosen_edge = tuple(object_ids), None
        self.update()

    def bring_into_view(self, object_id: int) -> None:
        """Move the view to an object if none of it is in view."""
        place = self.scene.place.get(object_id)
        if place is not None:
            nearest = min(max(self._frame, int(self.scene.starts[place])), int(self.scene.stops[place]) - 1)
            self._see(self.view.showing(float(self.scene.columns[place]), nearest))

    def show_all(self) -> None:
        """Zoom out until everything is in view."""
        self._see(self.view.fitted())

    def sizeHint(self) -> QSize:
        """Ask for room for a dozen tracks."""
        return QSize(320, 260)

    def minimumSizeHint(self) -> QSize:
        """Do with little."""
        return QSize(120, 80)

    # Painting --------------------------------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """Copy the picture where it is needed, then draw the frame, the selection and what is dragged."""
        if self._picture is None or self._picture.devicePixelRatio() != self.devicePixelRatioF():
            self._picture = self._paint_picture()
        area = event.rect() if event is not None else self.rect()
        ratio = self._picture.devicePixelRatio()
        with painting(self) as painter:
            source = QRectF(area.x() * ratio, area.y() * ratio, area.width() * ratio, area.height() * ratio)
            painter.drawPixmap(QRectF(area), self._picture, source)
            if not len(self.scene.ids):
                return
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.translate(self._corner())
            self._paint_line(painter)
            painter.setClipRect(QRectF(0, -self._corner().y(), self.view.width, self.height()))
            drawing = self._painter()
            drawing.paint_outlines(painter, self._chosen, is_strong=True)
            if isinstance(self._hover, TrackHit):
                drawing.paint_outlines(painter, [self._hover.object_id], is_strong=False)
            self._paint_edge(painter)
            self._paint_drag(painter, drawing)

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        """Keep the view, in another size."""
        self._fit_plot()

    def changeEvent(self, event: QEvent | None) -> None:
        """Follow the theme."""
        super().changeEvent(event)
        if event is not None and event.type() in {QEvent.Type.StyleChange, QEvent.Type.PaletteChange}:
            self._fit_plot()

    def _paint_picture(self) -> QPixmap:
        ratio = self.devicePixelRatioF()
        picture = QPixmap(max(1, round(self.width() * ratio)), max(1, round(self.height() * ratio)))
        picture.setDevicePixelRatio(ratio)
        picture.fill(theme_colors(self).background)
        if len(self.scene.ids):
            corner = self._corner()
            with painting(picture) as painter:
                painter.translate(corner)
                drawing = self._painter()
                drawing.paint_ruler(painter, corner.x())
                painter.setClipRect(QRectF(0, -corner.y(), self.view.width, self.height()))
                drawing.paint(painter)
        return picture

    def _painter(self) -> LineagePainter:
        return LineagePainter(self.scene, self.view, self._looks, theme_colors(self), self._type.font())

    def _paint_line(self, painter: QPainter) -> None:
        y = self.view.y_of(self._frame + 0.5)
        painter.setPen(QPen(theme_colors(self).text, 1.2))
        painter.drawLine(QPointF(-6, y), QPointF(self.view.width, y))

    def _paint_edge(self, painter: QPainter) -> None:
        """Draw the edge that was clicked, or that is under the pointer."""
        for edge, width in ((self.chosen_edge, 3.0), (self._hover, 2.2)):
            if isinstance(edge, Edge):
                y = self.view.y_of(edge.frame)
                ends = (self.view.x_of(self.scene.column_of[end]) for end in (edge.parent, edge.daughter))
                painter.setPen(QPen(theme_colors(self).text, width))
                painter.drawLine(*(QPointF(x, y) for x in ends))

    def _paint_drag(self, painter: QPainter, drawing: LineagePainter) -> None:
        source = None if self._pressed is None else self._pressed[1]
        if not self._is_dragging or not _can_be_drawn(source):
            return
        colors = theme_colors(self)
        start = self._edge_end(source) if isinstance(source, Edge) else drawing.end_of(source.object_id, source.part)
        dropped = self.scene.dropped(source, self._hit(self._pointer))
        color = legible(colors.warning if isinstance(dropped, tuple) else colors.current, colors)
        painter.setPen(QPen(color, 2, Qt.PenStyle.SolidLine if isinstance(dropped, Edge) else Qt.PenStyle.DashLine))
        painter.drawLine(start, self._pointer - self._corner())

    def _edge_end(self, edge: Edge) -> QPointF:
        return QPointF(self.view.x_of(self.scene.column_of[edge.parent]), self.view.y_of(edge.frame))

    # Pointer and keys ------------------------------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent | None) -> None:
        """Take what is under the pointer."""
        if event is not None and event.button() == Qt.MouseButton.LeftButton:
            self._pressed = (event.position(), self._hit(event.position()))
            self._is_dragging = False

    def mouseMoveEvent(self, event: QMouseEvent | None) -> None:
        """Draw an edge from an end, pan from anywhere else; without a button, tell what is under the pointer."""
        if event is None:
            return
        before, self._pointer = self._pointer, event.position()
        if self._pressed is None:
            self._hover_over(self._hit(self._pointer))
            return
        moved = self._pointer - self._pressed[0]
        if not self._is_dragging and max(abs(moved.x()), abs(moved.y())) < _DRAG_PIXELS:
            return
        if not _can_be_drawn(self._pressed[1]):
            step = moved if not self._is_dragging else self._pointer - before
            self._see(self.view.moved(step.x(), step.y()))
        self._is_dragging = True
        self.update()

    def mouseReleaseEvent(self, event: QMouseEvent | None) -> None:
        """Click, or drop what was dragged."""
        if event is None or self._pressed is None or event.button() != Qt.MouseButton.LeftButton:
            return
        (_, source), self._pressed = self._pressed, None
        if not self._is_dragging:
            self._click(source, event)
        elif _can_be_drawn(source):
            dropped = self.scene.dropped(source, self._hit(event.position()))
            if isinstance(dropped, Edge):
                self.edge_drawn.emit(dropped)
            elif dropped is not None:
                self.edges_cut.emit(dropped)
        self._is_dragging = False
        self.update()

    def mouseDoubleClickEvent(self, event: QMouseEvent | None) -> None:
        """Show everything, where there is nothing under the pointer."""
        if event is not None and self._hit(event.position()) is None:
            self.show_all()

    def leaveEvent(self, event: QEvent | None) -> None:
        """Tell that the pointer left."""
        self._hover_over(None)

    def wheelEvent(self, event: QWheelEvent | None) -> None:
        """Zoom around the pointer: both ways, with Control time alone; with Shift, or a sideways wheel, pan."""
        if event is None:
            return
        turned, place = event.angleDelta(), event.position() - self._corner()
        sideways = turned.x() if turned.x() else turned.y()
        if turned.x() or event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            self._see(self.view.moved(sideways / _NOTCH * _PAN_PIXELS, 0))
        else:
            factor = _ZOOM ** (turned.y() / _NOTCH)
            is_time = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
            self._see(self.view.zoomed(place.x(), place.y(), 1.0 if is_time else factor, factor))
        event.accept()

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        """Step through the frames with the arrows, show all with Home, cut the chosen edge with Delete."""
        if event is None:
            return
        key = Qt.Key(event.key())
        steps = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}
        if key in steps and self.scene.extent.frames:
            self.frame_clicked.emit(min(max(self._frame + steps[key], 0), self.scene.extent.frames - 1))
        elif key == Qt.Key.Key_Home:
            self.show_all()
        elif key in {Qt.Key.Key_Delete, Qt.Key.Key_Backspace} and self.chosen_edge is not None:
            self.edges_cut.emit((self.chosen_edge,))
        else:
            event.ignore()  # the shortcuts of the viewer work here too

    def _click(self, hit: Hit, event: QMouseEvent) -> None:
        self.chosen_edge = hit if isinstance(hit, Edge) else None
        self.edge_clicked.emit(self.chosen_edge)
        if isinstance(hit, TrackHit):
            added = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
            self.track_clicked.emit(hit.object_id, hit.frame, bool(event.modifiers() & added))
        elif hit is None and len(self.scene.ids):
            self.frame_clicked.emit(self.view.frame_at(event.position().y() - self._corner().y()))

    def _hit(self, position: QPointF) -> Hit:
        place = position - self._corner()
        return self.scene.hit(self.view, place.x(), place.y()) if place.x() >= 0 else None

    def _hover_over(self, hit: Hit) -> None:
        if hit != self._hover:
            self._hover = hit
            self.setCursor(Qt.CursorShape.CrossCursor if _can_be_drawn(hit) else Qt.CursorShape.ArrowCursor)
            self.hovered.emit(hit)
            self.update()

    # Place -----------------------------------------------------------------------------------------------------------

    def _corner(self) -> QPointF:
        """Return where the plot begins: beside the frame numbers, below the names of tracks that begin at the top."""
        metrics = QFontMetricsF(scaled(self._type.font(), 0.85))
        return QPointF(metrics.horizontalAdvance(f"{self.scene.extent.frames:,}") + 12, metrics.height() + 6)

    def _fit_plot(self) -> None:
        corner = self._corner()
        self._see(self.view.resized(max(1.0, self.width() - corner.x()), max(1.0, self.height() - corner.y() - 4)))

    def _see(self, view: LineageView) -> None:
        self.view, self._picture = view, None
        self.update()

    def _line_area(self) -> QRect:
        y = self._corner().y() + self.view.y_of(self._frame + 0.5)
        return QRect(0, int(y) - 3, self.width(), 7)


def _can_be_drawn(hit: Hit) -> bool:
    """Whether a drag from here draws an edge or takes one away, in place of moving the view."""
    return isinstance(hit, Edge) or (isinstance(hit, TrackHit) and hit.part != "middle")
