"""The picture of a lineage: time downwards, a line a track in the color of its object, as wide as its score is good."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from qtpy.QtCore import QPointF, QRectF, Qt
from qtpy.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen

from napari_sam2v.controllers.lineage_scene import LEVELS
from napari_sam2v.panel.drawing import ThemeColors, blend, legible
from napari_sam2v.panel.time_painting import tick_step
from napari_sam2v.panel.widgets import scaled

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from napari_sam2v.controllers.lineage_scene import LineageScene
    from napari_sam2v.controllers.lineage_view import LineageView
    from napari_sam2v.view_state import Color

_WIDTHS = (2.0, 4.5, 7.0)
"""Widths of a track by the level of its scores, in pixels, where columns have room for them."""
_MOST_NAMES = 400
_MARGIN = 9.0
"""How far beside the plot lines are still drawn, in pixels, so that none ends at its edge."""


@dataclass(frozen=True, slots=True)
class ObjectLook:
    """What is shown of an object besides its track: its name and its color."""

    name: str
    """Empty where nobody gave it one."""
    color: Color


class LineagePainter:
    """Paints what is in view of a lineage into a plot whose upper left corner is the origin.

    Parameters
    ----------
    scene
        What there is to be painted.
    view
        What of it is in view.
    looks
        Name and color by object id.
    colors, font
        Of the theme.
    """

    def __init__(
        self,
        scene: LineageScene,
        view: LineageView,
        looks: Mapping[int, ObjectLook],
        colors: ThemeColors,
        font: QFont,
    ) -> None:
        self._scene, self._view, self._looks = scene, view, looks
        self._colors, self._font = colors, scaled(font, 0.85)

    def paint(self, painter: QPainter) -> None:
        """Paint edges, tracks and names; everything that changes neither with the frame nor with the selection."""
        tracks = self._scene.tracks_in(self._view)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, self._view.column_width >= 3)
        self._paint_edges(painter, self._scene.edges_in(self._view))
        self._paint_gaps(painter, tracks)
        self._paint_pieces(painter, tracks)
        self._paint_names(painter, tracks)

    def paint_ruler(self, painter: QPainter, width: float) -> None:
        """Write frame numbers into the `width` pixels on the left of the plot, and draw a faint line at each."""
        view, metrics = self._view, QFontMetricsF(self._font)
        last = view.frame_at(view.height)
        first = view.frame_at(0)
        step = tick_step(last - first + 1, max(1, int(view.height / (metrics.height() * 2.5))))
        painter.setFont(self._font)
        for frame in range(-(-first // step) * step, last + 1, step):
            y = view.y_of(frame + 0.5)
            painter.setPen(blend(self._colors.background, self._colors.text, 0.08))
            painter.drawLine(QPointF(0, y), QPointF(view.width, y))
            painter.setPen(blend(self._colors.background, self._colors.text, 0.6))
            beside = QRectF(-width, y - metrics.height() / 2, width - 5, metrics.height())
            painter.drawText(beside, int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter), f"{frame:,}")

    def paint_outlines(self, painter: QPainter, object_ids: Sequence[int], *, is_strong: bool) -> None:
        """Draw a frame around tracks: those that are selected (strong), or the one under the pointer."""
        color = QColor(self._colors.text)
        color.setAlpha(255 if is_strong else 130)
        painter.setPen(QPen(color, 1.4))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for object_id in object_ids:
            if (place := self._scene.place.get(object_id)) is not None:
                half = self._width(len(LEVELS)) / 2 + 2.5
                around = self._box(place, self._scene.starts[place], self._scene.stops[place], half)
                painter.drawRoundedRect(around.adjusted(0, -2.5, 0, 2.5), 3, 3)

    def end_of(self, object_id: int, part: str) -> QPointF:
        """Return where a track begins (``"beginning"``) or ends."""
        place = self._scene.place[object_id]
        frames = self._scene.starts if part == "beginning" else self._scene.stops
        return QPointF(self._view.x_of(self._scene.columns[place]), self._view.y_of(int(frames[place])))

    def _width(self, level: int) -> float:
        return max(1.0, min(_WIDTHS[level], self._view.column_width * 0.8))

    def _box(self, place: int, start: float, stop: float, half: float) -> QRectF:
        """Return the pixels from one frame to another of a track, cut a little beside the plot as Qt likes it."""
        x, view = self._view.x_of(self._scene.columns[place]), self._view
        top, bottom = max(-_MARGIN, view.y_of(float(start))), min(view.height + _MARGIN, view.y_of(float(stop)))
        return QRectF(x - half, top, 2 * half, max(1.0, bottom - top))

    def _paint_pieces(self, painter: QPainter, tracks: NDArray[np.intp]) -> None:
        pieces, places = self._scene.pieces_in(self._view, tracks)
        shades = {place: self._shade(place) for place in np.unique(places).tolist()}
        widths = np.array([self._width(level) for level in range(len(LEVELS) + 1)])[pieces[:, 2]]
        lefts = self._view.x_of(self._scene.columns[places]) - widths / 2
        tops = np.maximum(self._view.y_of(pieces[:, 0]), -_MARGIN)
        heights = np.maximum(np.minimum(self._view.y_of(pieces[:, 1]), self._view.height + _MARGIN) - tops, 1.0)
        boxes = zip(*(values.tolist() for values in (places, lefts, tops, widths, heights)), strict=True)
        for place, left, top, width, height in boxes:
            painter.fillRect(QRectF(left, top, width, height), shades[place])

    def _paint_gaps(self, painter: QPainter, tracks: NDArray[np.intp]) -> None:
        """Draw a hairline from the first to the last frame of each track: where nothing covers it, there is no mask."""
        view, scene = self._view, self._scene
        if view.column_width < 1:  # hairlines would be as wide as tracks
            return
        painter.setPen(QPen(blend(self._colors.background, self._colors.text, 0.45), 1, Qt.PenStyle.DotLine))
        lefts = view.x_of(scene.columns[tracks])
        tops = np.maximum(view.y_of(scene.starts[tracks]), -_MARGIN)
        bottoms = np.minimum(view.y_of(scene.stops[tracks]), view.height + _MARGIN)
        for x, top, bottom in zip(lefts.tolist(), tops.tolist(), bottoms.tolist(), strict=True):
            painter.drawLine(QPointF(x, top), QPointF(x, bottom))
            if top == bottom:  # known by its edges alone
                painter.drawEllipse(QPointF(x, top), 3, 3)

    def _paint_edges(self, painter: QPainter, edges: NDArray[np.intp]) -> None:
        """Draw each edge across on its frame, and down to the tracks that end earlier or begin later."""
        scene, view = self._scene, self._view
        plain = QPen(blend(self._colors.background, self._colors.text, 0.55), 1.4)
        dashed = QPen(plain)
        dashed.setStyle(Qt.PenStyle.DashLine)
        for number in edges.tolist():
            edge = scene.edges[number]
            painter.setPen(dashed if scene.is_fusion[number] else plain)
            parent, daughter, frame = scene.edge_places[number].tolist()
            y, left, right = view.y_of(frame), view.x_of(parent), view.x_of(daughter)
            painter.drawLine(QPointF(left, y), QPointF(right, y))
            end = self.end_of(edge.parent, "end").y()
            beginning = self.end_of(edge.daughter, "beginning").y()
            if end < y:
                painter.drawLine(QPointF(left, max(-_MARGIN, end)), QPointF(left, y))
            if beginning > y:
                painter.drawLine(QPointF(right, y), QPointF(right, min(view.height + _MARGIN, beginning)))

    def _paint_names(self, painter: QPainter, tracks: NDArray[np.intp]) -> None:
        """Write names above the tracks, and numbers where columns have no room for names."""
        metrics, view = QFontMetricsF(self._font), self._view
        if view.column_width < metrics.horizontalAdvance("000") or len(tracks) > _MOST_NAMES:
            return
        painter.setFont(self._font)
        painter.setPen(blend(self._colors.background, self._colors.text, 0.85))
        for place in tracks.tolist():
            number = int(self._scene.ids[place])
            text = self._looks[number].name if number in self._looks else ""
            if not text or metrics.horizontalAdvance(text) > view.column_width - 2:
                text = str(number)
            # of a track that begins above the plot the name stays in view
            top = max(0.0, view.y_of(int(self._scene.starts[place]))) - metrics.height() - 2
            x = view.x_of(self._scene.columns[place]) - metrics.horizontalAdvance(text) / 2
            painter.drawText(QPointF(x, top + metrics.ascent()), text)

    def _shade(self, place: int) -> QColor:
        look = self._looks.get(int(self._scene.ids[place]))
        return legible(self._colors.text if look is None else QColor(*look.color), self._colors)
