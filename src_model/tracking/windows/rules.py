"""Where an object's window lies, decided from its box and motion alone."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from src_model.masks.window import Window, square, whole_frame

WindowChoice = Literal["auto", "off"] | int
"""``"auto"``: windows for small objects; ``"off"``: whole frames; a number: windows of that many pixels for all."""

WINDOW_SIZES = (224, 256, 448, 512)
"""Input sizes of windows: few, so that windows batch."""

LEAST_PIXELS = 16
"""Smallest window that may be asked for."""

_SMALL = 36
"""An object under so many pixels of the network's input is small; geometric mean of its sides."""

_SMALL_REDUCED = 64
"""The same where a window shows details that are lost when the frame is reduced to the network's input."""

_STAYS_SMALL = 1.5
"""An object that has a window keeps it until it is so many times larger than a small one."""

_SIDES = 4.0
"""Side of a window, in longer sides of the object."""

_SIDES_REDUCED = 3.0
"""The same where the frame is reduced: there every pixel of the window shows more than the frame does."""

_LEAST_SIDE = 48
"""Bound of the side below: less shows nothing but blur."""

_GAIN = 1.5
"""A window has to show the object so many times larger than the whole frame does."""

_MARGIN = 0.1
"""A window stays while the object keeps this share of the side from its edges, and is moved when it does not."""

_RESIZED = (0.6, 1.5)
"""A window stays while the side that it ought to have is within these multiples of the side that it has."""


@dataclass(frozen=True, slots=True)
class Extent:
    """Where an object is and how it moves.

    Attributes
    ----------
    box
        ``(y0, x0, y1, x1)`` in pixels, as last seen.
    motion
        ``(y, x)`` pixels it is expected to move to the next frame.
    """

    box: tuple[float, float, float, float]
    motion: tuple[float, float] = (0.0, 0.0)

    @property
    def side(self) -> float:
        """The longer side."""
        return max(self.box[2] - self.box[0], self.box[3] - self.box[1])

    @property
    def expected(self) -> tuple[float, float, float, float]:
        """The box where it is expected to be."""
        y, x = self.motion
        return (self.box[0] + y, self.box[1] + x, self.box[2] + y, self.box[3] + x)

    @property
    def centre(self) -> tuple[float, float]:
        """``(y, x)`` where the middle of the box is expected to be."""
        box = self.expected
        return ((box[0] + box[2]) / 2, (box[1] + box[3]) / 2)


@dataclass(frozen=True, slots=True)
class WindowRules:
    """How windows are chosen in one movie.

    Attributes
    ----------
    frame_shape
        ``(Y, X)`` of the movie.
    image_size
        Side of the network input for whole frames.
    sizes
        Input sizes of windows, ascending.
    pixels
        Side of every window; None: from the object's extent, and none for objects that are not small.
    """

    frame_shape: tuple[int, int]
    image_size: int
    sizes: tuple[int, ...]
    pixels: int | None = None

    def fresh(self, extent: Extent, *, had_window: bool = False) -> Window | None:
        """Choose a window for an object, whatever window it had.

        Parameters
        ----------
        extent
            Where the object is.
        had_window
            Whether it was in a window on the last frame; such objects may grow somewhat before they lose it.

        Returns
        -------
        Window or None
            None where the whole frame shows the object well enough, or no window would show it better.
        """
        if self.pixels is None and not self._is_small(extent, _STAYS_SMALL if had_window else 1.0):
            return None
        side = self._side(extent)
        size = self._size(side)
        if size is None:
            return None
        if self.pixels is None:
            # Whole pixels for each token, so that windows of one scale may move by whole tokens.
            tokens = size // 16
            side = math.ceil(side / tokens) * tokens
        window = square(extent.centre, side, self.frame_shape, size)
        return None if window.shape == self.frame_shape else window

    def follow(self, last: Window | None, extent: Extent) -> Window | None:
        """Choose the window for the next frame: the last one while the object stays well inside it."""
        fresh = self.fresh(extent, had_window=last is not None)
        if last is None or fresh is None or not self.fits(last, extent):
            return fresh
        return last

    def fits(self, window: Window, extent: Extent) -> bool:
        """Whether a window shows an object whole, neither too small nor too large."""
        return self.scale_fits(window, extent) and window.holds(extent.expected, self.frame_shape, _MARGIN)

    def scale_fits(self, window: Window, extent: Extent) -> bool:
        """Whether a window shows an object neither too small nor too large."""
        low, high = _RESIZED
        return low <= self._side(extent) / max(window.shape) <= high

    @property
    def loses_details(self) -> bool:
        """Whether whole frames are reduced so much that a window shows what is not in them."""
        return self._zoom * _GAIN <= 1

    @property
    def _zoom(self) -> float:
        return whole_frame(self.frame_shape, self.image_size).zoom

    @property
    def largest_small(self) -> float:
        """Pixels of the movie, geometric mean of its sides, under which an object is small."""
        return (_SMALL_REDUCED if self.loses_details else _SMALL) / self._zoom

    def _is_small(self, extent: Extent, tolerance: float) -> bool:
        height, width = extent.box[2] - extent.box[0], extent.box[3] - extent.box[1]
        return math.sqrt(height * width) < self.largest_small * tolerance

    def _side(self, extent: Extent) -> int:
        speed = max(abs(extent.motion[0]), abs(extent.motion[1]))
        if self.pixels is not None:
            return max(self.pixels, math.ceil(1.5 * extent.side))
        sides = _SIDES_REDUCED if self.loses_details else _SIDES
        return max(_LEAST_SIDE, math.ceil(sides * extent.side + 2 * speed))

    def _size(self, side: int) -> int | None:
        """Choose the smallest input that loses no resolution and shows enough more than the whole frame does."""
        if self.pixels is not None:
            return next((size for size in self.sizes if size >= side), self.sizes[-1])
        needed = _GAIN * side * self._zoom
        return next((size for size in self.sizes if size >= max(needed, min(side, self.sizes[-1]))), None)


def window_rules(
    choice: WindowChoice, frame_shape: tuple[int, int], image_size: int, multiple: int, sizes: tuple[int, ...]
) -> WindowRules | None:
    """Make the rules of a session; None where windows are off, or no input size suits the network.

    Parameters
    ----------
    choice
        What was asked for.
    frame_shape
        ``(Y, X)`` of the movie's frames, in pixels.
    image_size
        Side of the network input for whole frames.
    multiple
        Input sides have to be multiples of this.
    sizes
        Input sizes to choose from.
    """
    usable = tuple(sorted(size for size in sizes if size % multiple == 0))
    if choice == "off" or not usable:
        return None
    return WindowRules(frame_shape, image_size, usable, None if choice == "auto" else choice)
