"""The part of a lineage that is in view: how columns and frames become pixels, by zooming and panning."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, TypeVar

if TYPE_CHECKING:
    from numpy.typing import NDArray

_Places = TypeVar("_Places", float, "NDArray[Any]")
"""One place, or an array of places."""

MOST_COLUMN, MOST_FRAME = 60.0, 40.0
"""Widest column and highest frame, in pixels."""
FIRST_COLUMN: Final = 24.0
"""Width of a column before anybody zoomed, in pixels, if not all columns have room."""


@dataclass(frozen=True, slots=True)
class LineageExtent:
    """How much there is to be shown: columns (from 0 on) and frames (from 0 on)."""

    columns: float
    frames: int


@dataclass(frozen=True, slots=True)
class LineageView:
    """Which columns and frames lie where in a plot of a size.

    Attributes
    ----------
    extent
        All columns and frames that there are.
    width, height
        Of the plot, in pixels.
    column_width, frame_height
        Pixels a column and a frame.
    left, top
        Column and frame at the upper left corner of the plot.
    """

    extent: LineageExtent
    width: float
    height: float
    column_width: float = FIRST_COLUMN
    frame_height: float = 1.0
    left: float = -0.5
    top: float = 0.0

    def x_of(self, column: _Places) -> _Places:
        """Return the pixel in the middle of a column, or of each of several."""
        return (column - self.left) * self.column_width

    def y_of(self, frame: _Places) -> _Places:
        """Return the pixel at which a frame begins, or at which each of several does."""
        return (frame - self.top) * self.frame_height

    def column_at(self, x: float) -> float:
        """Return the column at a pixel; whole numbers are the middles of columns."""
        return self.left + x / self.column_width

    def frame_at(self, y: float) -> int:
        """Return the frame at a pixel, the nearest one where the pixel lies beside the movie."""
        return min(max(int(self.top + y / self.frame_height), 0), max(0, self.extent.frames - 1))

    def resized(self, width: float, height: float) -> LineageView:
        """Return the same view in a plot of another size; a view of all frames stays one."""
        shows_all = self.frame_height * max(1, self.extent.frames) <= self.height * 1.001
        frame_height = 0.0 if shows_all else self.frame_height
        return replace(self, width=width, height=height, frame_height=frame_height)._within()

    def of_extent(self, extent: LineageExtent) -> LineageView:
        """Return the same view of more or fewer columns; of another movie, or where there was nothing, a new one."""
        if extent.frames == self.extent.frames and self.extent.columns:
            return replace(self, extent=extent)._within()
        # all of the movie, and columns wide enough for their names
        return replace(self, extent=extent, column_width=FIRST_COLUMN, frame_height=0.0, left=-0.5)._within()

    def fitted(self) -> LineageView:
        """Return the view of everything."""
        return replace(self, column_width=0.0, frame_height=0.0)._within()

    def centred(self, column: float, frame: int) -> LineageView:
        """Return the view with a place of the lineage in its middle, as far as there is something on both sides."""
        left = column - self.width / self.column_width / 2
        return replace(self, left=left, top=frame - self.height / self.frame_height / 2)._within()

    def zoomed(self, x: float, y: float, columns: float, frames: float) -> LineageView:
        """Return the view in which columns are so many times as wide and frames as high, around a pixel."""
        column, frame = self.column_at(x), self.top + y / self.frame_height
        nearer = replace(
            self, column_width=self.column_width * columns, frame_height=self.frame_height * frames
        )._within()
        left, top = column - x / nearer.column_width, frame - y / nearer.frame_height
        return replace(nearer, left=left, top=top)._within()

    def moved(self, x: float, y: float) -> LineageView:
        """Return the view of what lies so many pixels to the left of it and above it, as a hand drags a sheet."""
        return replace(self, left=self.left - x / self.column_width, top=self.top - y / self.frame_height)._within()

    def showing(self, column: float, frame: int) -> LineageView:
        """Return the view itself if a place of the lineage is in it, or else the one with that place in its middle."""
        x, y = self.x_of(column), self.y_of(frame)
        return self if 0 <= x <= self.width and 0 <= y < self.height else self.centred(column, frame)

    def _within(self) -> LineageView:
        """Keep what there is in view: never smaller than the plot, never beside it."""
        columns, frames = max(1.0, self.extent.columns), max(1, self.extent.frames)
        width = min(max(self.column_width, min(self.width / columns, FIRST_COLUMN)), MOST_COLUMN)
        height = max(min(self.frame_height, MOST_FRAME), self.height / frames)
        spare = self.width / width - columns
        # few columns stand in the middle
        left = -0.5 - spare / 2 if spare >= 0 else min(max(self.left, -0.5), -0.5 - spare)
        top = min(max(self.top, 0.0), max(0.0, frames - self.height / height))
        return replace(self, column_width=width, frame_height=height, left=left, top=top)
