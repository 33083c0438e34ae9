"""Movies of round cells for the benchmarks, each frame made when it is read: however long, they take no memory."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_PERIOD = 97.0
"""Frames in which a cell comes back to where it was; a prime number, so that batches never fall into step with it."""


@dataclass(frozen=True)
class CellMovie:
    """Bright cells on noise, on a grid of which each circles around its place.

    Attributes
    ----------
    frames
        Length.
    size
        Side of the square frames in pixels.
    count
        How many cells there are, numbered from 1.
    """

    frames: int
    size: int
    count: int
    name: str = "cells"
    _still: NDArray[np.float32] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        noise = np.random.default_rng(0).normal(40, 8, (self.size, self.size)).astype(np.float32)
        object.__setattr__(self, "_still", noise)

    @property
    def shape(self) -> tuple[int, int, int]:
        """``(T, Y, X)``."""
        return (self.frames, self.size, self.size)

    @property
    def dtype(self) -> np.dtype[np.uint8]:
        """Type of the values."""
        return np.dtype(np.uint8)

    def __len__(self) -> int:
        """Return the number of frames."""
        return self.frames

    @property
    def pitch(self) -> float:
        """Distance of neighbours in pixels."""
        return self.size / math.ceil(math.sqrt(self.count))

    @property
    def radius(self) -> float:
        """Radius of a cell in pixels."""
        return 0.27 * self.pitch

    def centre(self, number: int, frame: int) -> tuple[float, float]:
        """Where ``(y, x)`` a cell is."""
        row, column = divmod(number - 1, math.ceil(math.sqrt(self.count)))
        angle = 2 * math.pi * (frame / _PERIOD + 0.37 * number)
        reach = 0.2 * self.pitch
        return (row + 0.5) * self.pitch + reach * math.sin(angle), (column + 0.5) * self.pitch + reach * math.cos(angle)

    def box(self, number: int, frame: int = 0) -> tuple[float, float, float, float]:
        """Box ``(y0, x0, y1, x1)`` of a cell."""
        y, x = self.centre(number, frame)
        return y - self.radius, x - self.radius, y + self.radius, x + self.radius

    def mask(self, number: int, frame: int) -> NDArray[np.bool_]:
        """Return the true mask of a cell, ``(Y, X)``."""
        y, x = self.centre(number, frame)
        rows, columns = np.ogrid[: self.size, : self.size]
        mask: NDArray[np.bool_] = (rows - y) ** 2 + (columns - x) ** 2 <= self.radius**2
        return mask

    def read(self, frame: int) -> NDArray[np.uint8]:
        """Make a frame."""
        image = np.roll(self._still, frame % self.size, axis=1)
        reach = math.ceil(self.radius) + 2
        for number in range(1, self.count + 1):
            y, x = self.centre(number, frame)
            y0, x0 = max(0, int(y) - reach), max(0, int(x) - reach)
            rows, columns = np.ogrid[y0 : int(y) + reach, x0 : int(x) + reach]
            depth = (self.radius - np.hypot(rows - y, columns - x)).clip(-0.5, 0.5) + 0.5
            part = image[y0 : int(y) + reach, x0 : int(x) + reach]
            part += (depth[: part.shape[0], : part.shape[1]] * (90 + 20 * (number % 5))).astype(np.float32)
        return image.clip(0, 255).astype(np.uint8)
