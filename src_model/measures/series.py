"""One object through time as arrays, and the units that they are in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from src_model.document.units import space_unit, time_unit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from src_model.document import MovieIdentity


QUANTITIES: Final = ("area", "speed", "intensity", "score")
"""Names of what a series holds."""


@dataclass(frozen=True, slots=True)
class MeasureUnits:
    """Units of areas and speeds: those of the movie where it says them, pixels and frames where not.

    Attributes
    ----------
    pixel
        Height and width of a pixel, ``(y, x)``, in ``length``.
    interval
        From one frame to the next, in ``time``.
    length, time
        Symbols: ``"µm"`` or ``"px"``, ``"s"`` or ``"frame"``.
    """

    pixel: tuple[float, float] = (1.0, 1.0)
    interval: float = 1.0
    length: str = "px"
    time: str = "frame"

    @classmethod
    def of(cls, movie: MovieIdentity) -> MeasureUnits:
        """Take the units of a movie; a scale without a unit, or with two for y and x, says nothing and is left out."""
        seconds, high, wide = time_unit(movie.units[0]), space_unit(movie.units[1]), space_unit(movie.units[2])
        interval, time = (1.0, "frame") if seconds is None else (movie.scale[0], seconds.symbol)
        if wide is None or wide != high:
            return cls(interval=interval, time=time)
        return cls((movie.scale[1], movie.scale[2]), interval, wide.symbol, time)

    @property
    def area(self) -> str:
        """Unit of areas."""
        return "px" if self.length == "px" else f"{self.length}²"

    @property
    def speed(self) -> str:
        """Unit of speeds."""
        return f"{self.length}/{self.time}"


@dataclass(frozen=True, slots=True, eq=False)
class TrackSeries:
    """One object on N frames in a row, from the first to the last on which it is in view.

    Attributes
    ----------
    object_id
        Its number.
    start
        The first of the frames.
    area
        (N,) float64, in the unit of areas. This and the others are NaN where the object is not in view.
    speed
        (N,) float64, in the unit of speeds: how far the centroid came since the frame before; NaN where the object was
        not in view there.
    intensity
        (N,) float64, mean of the movie's own values inside of the mask, and over its colors; NaN also where it is not
        measured yet, or the frame cannot be read.
    score
        (N,) float64, 0 to 1: predicted IoU times the probability that the object is there.
    """

    object_id: int
    start: int
    area: NDArray[np.float64]
    speed: NDArray[np.float64]
    intensity: NDArray[np.float64]
    score: NDArray[np.float64]

    @property
    def frames(self) -> NDArray[np.int64]:
        """(N,) int64."""
        return np.arange(self.start, self.start + len(self.area), dtype=np.int64)

    def row(self, frame: int) -> int | None:
        """Return the place of a frame; None where the object is not in view."""
        row = frame - self.start
        return row if 0 <= row < len(self.area) and np.isfinite(self.area[row]) else None
