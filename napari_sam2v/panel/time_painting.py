"""The picture behind the time strip: frames squeezed into pixel columns, states in rows, scores as a curve."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QPointF, QRectF, Qt
from qtpy.QtGui import QBrush, QColor, QFont, QFontMetricsF, QPainter, QPen, QPolygonF

from napari_sam2v.panel.drawing import ThemeColors, blend, legible
from napari_sam2v.panel.widgets import scaled
from napari_sam2v.view_state import TimeMarks
from src_model.workflow.review import LOW_SCORE


@dataclass(frozen=True, slots=True)
class TimeScale:
    """Where frames lie on a line of `width` pixels that shows `length` frames."""

    length: int
    width: float

    def frame_at(self, x: float) -> int:
        """Return the frame under pixel `x`, the nearest one where `x` is beside the line."""
        if self.length < 1 or self.width <= 0:
            return 0
        return int(np.clip(x * self.length / self.width, 0, self.length - 1))

    def left_of(self, frame: float) -> float:
        """Return the pixel where a frame begins."""
        return frame * self.width / max(1, self.length)

    def middle_of(self, frame: float) -> float:
        """Return the pixel in the middle of a frame."""
        return self.left_of(frame + 0.5)


@dataclass(frozen=True, slots=True, eq=False)
class TimeColumns:
    """Marks by pixel column: arrays of shape (columns,).

    Marks that are rare (prompted, edited, locked, absent) hold where any frame of the column has them. `tracked` is the
    share of frames that were tracked or imported, 0 to 1, so that gaps show as well. `lowest` and `highest` bound the
    scores, NaN where there is none.
    """

    prompted: NDArray[np.bool_]
    edited: NDArray[np.bool_]
    locked: NDArray[np.bool_]
    absent: NDArray[np.bool_]
    tracked: NDArray[np.float64]
    lowest: NDArray[np.float32]
    highest: NDArray[np.float32]


def columns_of(marks: TimeMarks, width: int) -> TimeColumns:
    """Summarise all frames that fall into each of `width` pixel columns.

    Parameters
    ----------
    marks : TimeMarks
        Any number of frames, at least one.
    width : int
        Number of columns, at least one. Where there are more columns than frames, frames repeat.
    """
    first = np.arange(width) * marks.length // width
    # reduceat reduces up to the next index, and takes the single element where indices repeat
    return TimeColumns(
        prompted=np.logical_or.reduceat(marks.prompted, first),
        edited=np.logical_or.reduceat(marks.edited, first),
        locked=np.logical_or.reduceat(marks.locked, first),
        absent=np.logical_or.reduceat(marks.absent, first),
        tracked=np.add.reduceat(marks.tracked | marks.imported, first, dtype=np.float64)
        / frames_per_column(marks.length, first),
        lowest=np.fmin.reduceat(marks.scores, first),
        highest=np.fmax.reduceat(marks.scores, first),
    )


def frames_per_column(length: int, first: NDArray[np.int_]) -> NDArray[np.int_]:
    """Return how many frames each column stands for, given the first frame of each."""
    return np.maximum(np.diff(first, append=length), 1)


def runs(mask: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return the stretches of true values as half-open (start, stop) pairs."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], mask, [False]))))
    return [(int(start), int(stop)) for start, stop in zip(edges[::2], edges[1::2], strict=True)]


def low_points(scores: NDArray[np.float32], *, most: int = 4, apart: float = 0.04) -> list[int]:
    """Return the frames with the lowest scores, lowest first: the worst one always, others only if they are in doubt.

    Parameters
    ----------
    scores : (length,) float32
        Of open frames, NaN on others, as `TimeMarks.open_scores` gives them; frames without a score are never returned.
    most : int
        Largest number of frames that is returned.
    apart : float
        Least distance between two of them, as a share of the movie, so that one bad stretch counts once.
    """
    known = np.flatnonzero(np.isfinite(scores))
    if not known.size:
        return []
    worst = int(known[np.argmin(scores[known])])
    points, near = [worst], max(1.0, apart * len(scores))
    candidates = known[scores[known] < LOW_SCORE]
    while len(points) < most:
        candidates = candidates[np.abs(candidates - points[-1]) >= near]
        if not candidates.size:
            break
        points.append(int(candidates[np.argmin(scores[candidates])]))
    return points


@dataclass(frozen=True, slots=True)
class StripLayout:
    """Where the rows of the strip lie, in device-independent pixels; all heights follow the size of the type."""

    left: float
    right: float
    unit: float
    height: float

    @classmethod
    def of(cls, width: float, height: float, font: QFont) -> StripLayout:
        """Leave room for the names of the rows on the left, where the strip is wide enough for them."""
        metrics = QFontMetricsF(scaled(font, 0.85))
        names = metrics.horizontalAdvance("Prompts") + 6
        return cls(names if width > 4 * names else 6.0, width - 6.0, metrics.height(), height)

    @property
    def ruler(self) -> QRectF:
        """Frame numbers and the handles of the range."""
        return self._row(0, 1.1)

    @property
    def prompts(self) -> QRectF:
        """Prompted and edited frames."""
        return self._row(1.2, 0.9)

    @property
    def bar(self) -> QRectF:
        """Tracked and absent frames."""
        return self._row(2.25, 0.75)

    @property
    def locks(self) -> QRectF:
        """Locked frames."""
        return self._row(3.2, 0.55)

    @property
    def curve(self) -> QRectF:
        """The score, from 0 at the bottom to 1 at the top."""
        top = 4.05 * self.unit
        return QRectF(self.left, top, self.right - self.left, max(8.0, self.height - top - 3))

    def _row(self, top: float, height: float) -> QRectF:
        return QRectF(self.left, top * self.unit, self.right - self.left, height * self.unit)

    def scale(self, length: int) -> TimeScale:
        """Return where frames lie, counted from `left`."""
        return TimeScale(length, self.right - self.left)


class StripPainter:
    """Paints one object's marks; everything that does not change with the shown frame."""

    def __init__(self, layout: StripLayout, colors: ThemeColors, object_color: QColor, font: QFont) -> None:
        self._layout, self._colors, self._font = layout, colors, scaled(font, 0.85)
        self._object_color = object_color

    def paint(self, painter: QPainter, marks: TimeMarks | None) -> None:
        """Paint all rows; only their grooves where there are no marks."""
        painter.setFont(self._font)
        self._paint_grooves(painter)
        if marks is None or marks.length < 1:
            return
        layout = self._layout
        columns = columns_of(marks, max(1, int(layout.right - layout.left)))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint_ruler(painter, layout.scale(marks.length))
        self._paint_bar(painter, columns)
        self._paint_locks(painter, columns)
        self._paint_marks(painter, marks, columns)
        self._paint_curve(painter, marks, columns)
        self._paint_low_points(painter, marks)

    def _paint_grooves(self, painter: QPainter) -> None:
        layout = self._layout
        painter.fillRect(layout.bar, self._colors.foreground)
        painter.fillRect(layout.curve, self._colors.foreground)
        for text, place in (
            ("Prompts", layout.prompts),
            ("Tracked", layout.bar),
            ("Locked", layout.locks),
            ("Score", layout.curve),
        ):
            beside = QRectF(0, place.center().y() - layout.unit, layout.left - 5, 2 * layout.unit)
            painter.setPen(blend(self._colors.background, self._colors.text, 0.75))
            if layout.left > 10:
                painter.drawText(beside, int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter), text)

    def _paint_ruler(self, painter: QPainter, scale: TimeScale) -> None:
        place, metrics = self._layout.ruler, QFontMetricsF(self._font)
        painter.setPen(blend(self._colors.background, self._colors.text, 0.6))
        widest = metrics.horizontalAdvance(f"{scale.length:,}") + 14
        step = tick_step(scale.length, max(1, int(scale.width / widest)))
        for frame in range(0, scale.length, step):
            x, text = place.left() + scale.middle_of(frame), f"{frame:,}"
            half = metrics.horizontalAdvance(text) / 2
            start = min(max(x - half, place.left()), place.right() - 2 * half)
            painter.drawText(QPointF(start, place.bottom() - metrics.descent() - 1), text)

    def _paint_bar(self, painter: QPainter, columns: TimeColumns) -> None:
        place, left = self._layout.bar, self._layout.left
        color = legible(self._object_color, self._colors)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        # a column that is tracked in part stays half as high: gaps of a single frame show
        for share, height in (((columns.tracked > 0), 0.5), ((columns.tracked > 0.999), 1.0)):
            for start, stop in runs(share & ~columns.absent):
                top = place.bottom() - place.height() * height
                painter.fillRect(QRectF(left + start, top, stop - start, place.height() * height), color)
        for start, stop in runs(columns.absent):
            hollow = QRectF(left + start, place.top(), max(3, stop - start), place.height())
            painter.fillRect(hollow, self._colors.foreground)
            painter.fillRect(hollow, QBrush(color, Qt.BrushStyle.BDiagPattern))
            painter.setPen(QPen(color, 1))
            painter.drawRect(hollow.adjusted(0, 0, -1, -1))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)

    def _paint_locks(self, painter: QPainter, columns: TimeColumns) -> None:
        place, left = self._layout.locks, self._layout.left
        painter.setPen(QPen(self._colors.text, 1.5))
        for start, stop in runs(columns.locked):
            stop = max(stop, start + 5)
            y = place.top() + place.height() * 0.25
            painter.drawPolyline(
                QPolygonF(
                    [
                        QPointF(left + start + 0.5, place.bottom() - 1),
                        QPointF(left + start + 0.5, y),
                        QPointF(left + stop - 0.5, y),
                        QPointF(left + stop - 0.5, place.bottom() - 1),
                    ]
                )
            )

    def _paint_marks(self, painter: QPainter, marks: TimeMarks, columns: TimeColumns) -> None:
        place = self._layout.prompts
        r, y = place.height() * 0.42, place.center().y()
        painter.setPen(QPen(self._colors.background, 1))
        painter.setBrush(legible(self._colors.current, self._colors))
        for x in self._places(marks.edited, columns.edited):
            painter.drawRect(QRectF(x - r * 0.8, y - r * 0.8, 1.6 * r, 1.6 * r))
        painter.setBrush(self._colors.text)
        for x in self._places(marks.prompted, columns.prompted):
            painter.drawPolygon(_diamond(QPointF(x, y), r))
        painter.setBrush(Qt.BrushStyle.NoBrush)

    def _places(self, frames: NDArray[np.bool_], columns: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Where marks go: in the middle of frames that are wider than a pixel, in columns otherwise."""
        if len(frames) > len(columns):
            frames = columns
        wide = (self._layout.right - self._layout.left) / len(frames)
        return np.asarray(self._layout.left + (np.flatnonzero(frames) + 0.5) * wide, dtype=np.float64)

    def _paint_curve(self, painter: QPainter, marks: TimeMarks, columns: TimeColumns) -> None:
        place, color = self._layout.curve, legible(self._object_color, self._colors)
        threshold = self._height_of(LOW_SCORE)
        painter.setPen(QPen(blend(self._colors.foreground, self._colors.text, 0.3), 1, Qt.PenStyle.DotLine))
        painter.drawLine(QPointF(place.left(), threshold), QPointF(place.right(), threshold))
        painter.setPen(QPen(color, 1.6))
        if marks.length > len(columns.lowest):
            self._paint_spread(painter, columns, color)
        scores = marks.scores if marks.length <= len(columns.lowest) else columns.lowest
        known = np.isfinite(scores)
        places = self._places(known, known)
        points = [QPointF(x, self._height_of(y)) for x, y in zip(places, scores[known], strict=True)]
        done = 0
        for start, stop in runs(known):
            stretch = points[done : done + stop - start]
            done += stop - start
            painter.drawPolyline(QPolygonF(stretch)) if len(stretch) > 1 else painter.drawPoint(stretch[0])

    def _paint_spread(self, painter: QPainter, columns: TimeColumns, color: QColor) -> None:
        """Shade what lies between the lowest and the highest score of each column."""
        pale = QColor(color)
        pale.setAlpha(90)
        left = self._layout.curve.left()
        for column in np.flatnonzero(columns.highest > columns.lowest):
            top, bottom = (self._height_of(scores[column]) for scores in (columns.highest, columns.lowest))
            painter.fillRect(QRectF(left + column, top, 1, bottom - top), pale)

    def _height_of(self, score: float) -> float:
        place = self._layout.curve
        return place.bottom() - min(1.0, max(0.0, float(score))) * (place.height() - 2) - 1

    def _paint_low_points(self, painter: QPainter, marks: TimeMarks) -> None:
        layout, scale = self._layout, self._layout.scale(marks.length)
        r = layout.unit * 0.34
        painter.setPen(QPen(self._colors.text, 1))
        warning, calm = (
            legible(self._colors.warning, self._colors),
            blend(self._colors.foreground, self._colors.text, 0.5),
        )
        for frame in low_points(marks.open_scores()):
            painter.setBrush(warning if marks.scores[frame] < LOW_SCORE else calm)
            tip = QPointF(layout.left + scale.middle_of(frame), self._height_of(marks.scores[frame]))
            down = 2 * r if tip.y() - 2.4 * r < layout.curve.top() else -2 * r
            painter.drawPolygon(QPolygonF([tip, tip + QPointF(-r, down), tip + QPointF(r, down)]))
        painter.setBrush(Qt.BrushStyle.NoBrush)


def tick_step(length: int, most: int) -> int:
    """Return the round number of frames between labels so that there are no more than `most` of them."""
    steps = (digit * int(10**power) for power in range(12) for digit in (1, 2, 5))
    return next(step for step in steps if length <= step * most)


def _diamond(middle: QPointF, radius: float) -> QPolygonF:
    across, down = QPointF(radius, 0), QPointF(0, radius)
    return QPolygonF([middle - down, middle + across, middle + down, middle - across])
