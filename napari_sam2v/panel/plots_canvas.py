"""Curves through time, one plot a quantity below the other, with one time axis and a line at the shown frame."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pyqtgraph as pg
from qtpy.QtCore import QEvent, QSize, Qt, Signal
from qtpy.QtGui import QColor, QPen

from napari_sam2v.panel.drawing import blend, legible, theme_colors
from napari_sam2v.panel.lineage_painting import ObjectLook
from src_model.measures import QUANTITIES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from src_model.measures import MeasureUnits, TrackSeries

_LABEL_WIDTH, _AXIS_WIDTH = 62, 46
"""In pixels; the same for all plots, so that their frames are in line."""
_LINE_WIDTH = 1.0
"""In pixels. Qt draws anything wider up to 70 times more slowly: 20 curves of 10,000 frames in 6 s instead of 0.08."""
_HALF_DASH = 0.2
"""In frames."""
_LEAST_FRAMES = 8
"""So many frames are in view at least, whatever is zoomed."""


class PlotsCanvas(pg.GraphicsLayoutWidget):  # type: ignore[misc]  # pyqtgraph has no types
    """A plot for area, speed, intensity and score each.

    Signals
    -------
    frame_clicked(int)
        The frame at which the user clicked.
    """

    frame_clicked = Signal(int)
    _is_made = False  # pyqtgraph's constructor changes the palette already

    def __init__(self) -> None:
        super().__init__()
        # clicks leave the keyboard on the image, so that shortcuts go on working
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setAccessibleName("Curves")
        self.frame = 0
        self._length = 0
        self._is_moving = False
        self._titles = dict.fromkeys(QUANTITIES, "")
        self._looks: Mapping[int, ObjectLook] = {}
        self._drawn: dict[int, TrackSeries] = {}
        self._curves: dict[tuple[str, int], Any] = {}
        self._lines = {name: pg.InfiniteLine(angle=90, movable=False) for name in QUANTITIES}
        self._labels = {name: pg.LabelItem(justify="left") for name in QUANTITIES}
        self.plots = {name: self._make_plot(name) for name in QUANTITIES}
        for place, name in enumerate(QUANTITIES):
            self.ci.addItem(self._labels[name], row=place, col=0)
            self.ci.addItem(self.plots[name], row=place, col=1)
        self.ci.layout.setColumnFixedWidth(0, _LABEL_WIDTH)
        self.ci.layout.setSpacing(2)
        self.ci.layout.setContentsMargins(0, 2, 6, 0)
        self.show_quantities(QUANTITIES)
        self.scene().sigMouseClicked.connect(self._on_click)
        self._is_made = True
        self._apply_theme()

    def set_length(self, length: int) -> None:
        """Show the time axis of a movie of so many frames; all of it, if it is another one."""
        if length == self._length:
            return
        self._length = length
        last = max(1, length)
        for plot in self.plots.values():
            plot.setLimits(xMin=-0.5, xMax=last - 0.5, minXRange=min(_LEAST_FRAMES, last))
        self.show_all()

    def set_curves(self, series: Sequence[TrackSeries], looks: Mapping[int, ObjectLook], units: MeasureUnits) -> None:
        """Draw these curves and no others, in the colors of their objects."""
        found = {each.object_id: each for each in series}
        for gone in [key for key in self._curves if key[1] not in found]:
            self.plots[gone[0]].removeItem(self._curves.pop(gone))
        for name, plot in self.plots.items():
            for object_id, one in found.items():
                key = (name, object_id)
                if key not in self._curves:
                    self._curves[key] = pg.PlotCurveItem(connect="finite", antialias=True)
                    plot.addItem(self._curves[key])
                elif self._drawn[object_id] is one:
                    continue
                self._curves[key].setData(*points(one.frames, getattr(one, name)))
        self._drawn, self._looks = found, looks
        self._titles = {
            "area": f"Area<br>{units.area}",
            "speed": f"Speed<br>{units.speed}",
            "intensity": "Intensity<br>mean",
            "score": "Score",
        }
        self._apply_colors()

    def set_frame(self, frame: int) -> None:
        """Move the line of the frame."""
        self.frame = frame
        for line in self._lines.values():
            line.setValue(frame)

    def show_quantities(self, names: Collection[str]) -> None:
        """Show these plots; the lowest of them has the numbers of the frames."""
        shown = [name for name in QUANTITIES if name in names]
        for name, plot in self.plots.items():
            plot.setVisible(name in shown)
            self._labels[name].setVisible(name in shown)
            axis, is_lowest = plot.getAxis("bottom"), shown[-1:] == [name]
            axis.setStyle(showValues=is_lowest)
            axis.setHeight(None if is_lowest else 4)

    def show_all(self) -> None:
        """Show the whole movie."""
        self._show_frames((-0.5, max(1, self._length) - 0.5))

    def sizeHint(self) -> QSize:
        """Ask for room for four small plots."""
        return QSize(320, 300)

    def minimumSizeHint(self) -> QSize:
        """Do with little."""
        return QSize(160, 100)

    def changeEvent(self, event: QEvent | None) -> None:
        """Follow the theme."""
        super().changeEvent(event)
        if self._is_made and event is not None and event.type() in {QEvent.Type.StyleChange, QEvent.Type.PaletteChange}:
            self._apply_theme()

    # Inside ----------------------------------------------------------------------------------------------------------

    def _make_plot(self, name: str) -> Any:
        plot = pg.PlotItem(enableMenu=False)
        plot.hideButtons()
        plot.setMouseEnabled(x=True, y=False)
        plot.sigXRangeChanged.connect(lambda _plot, frames: self._show_frames(frames))
        plot.vb.setAutoVisible(y=True)  # values are as high as those in view
        if name == "score":
            plot.setYRange(0, 1, padding=0.06)
        for side in ("left", "bottom"):
            plot.getAxis(side).enableAutoSIPrefix(False)
        plot.getAxis("left").setWidth(_AXIS_WIDTH)
        plot.getAxis("left").setStyle(hideOverlappingLabels=True)
        plot.addItem(self._lines[name], ignoreBounds=True)
        return plot

    def _apply_theme(self) -> None:
        colors = theme_colors(self)
        self.setBackground(colors.background)
        for name, plot in self.plots.items():
            self._lines[name].setPen(QPen(colors.text, 0))
            for side in ("left", "bottom"):
                plot.getAxis(side).setPen(blend(colors.background, colors.text, 0.3))
                plot.getAxis(side).setTextPen(blend(colors.background, colors.text, 0.7))
        self._apply_colors()

    def _apply_colors(self) -> None:
        colors = theme_colors(self)
        pale = blend(colors.background, colors.text, 0.8)
        for name, label in self._labels.items():
            label.setText(self._titles.get(name, ""), color=pale.name(), size="8pt")
        for (_, object_id), curve in self._curves.items():
            look = self._looks.get(object_id)
            color = colors.text if look is None else legible(QColor(*look.color), colors)
            pen = QPen(color, _LINE_WIDTH)
            pen.setCosmetic(True)
            curve.setPen(pen)

    def _show_frames(self, frames: tuple[float, float]) -> None:
        """Bring the same frames into view in all plots; pyqtgraph's own links go by places, which hidden plots lack."""
        if not self._is_moving:
            self._is_moving = True
            for plot in self.plots.values():
                plot.setXRange(*frames, padding=0)
            self._is_moving = False

    def _on_click(self, event: Any) -> None:
        if event.button() != Qt.MouseButton.LeftButton:
            return
        if event.double():
            self.show_all()
            return
        for plot in self.plots.values():
            if plot.isVisible() and plot.vb.sceneBoundingRect().contains(event.scenePos()) and self._length:
                frame = round(plot.vb.mapSceneToView(event.scenePos()).x())
                self.frame_clicked.emit(min(max(frame, 0), self._length - 1))


def points(frames: NDArray[np.int64], values: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return (M,) x and y of a curve; a value without neighbours becomes a short dash, as a point alone is no line."""
    is_known = np.isfinite(values)
    beside = np.zeros(len(values), bool)
    beside[1:] |= is_known[:-1]
    beside[:-1] |= is_known[1:]
    is_alone = is_known & ~beside
    times = np.where(is_alone, 2, 1)
    x = np.repeat(frames.astype(np.float64), times)
    firsts = (np.cumsum(times) - times)[is_alone]
    x[firsts] -= _HALF_DASH
    x[firsts + 1] += _HALF_DASH
    return x, np.repeat(values, times)
