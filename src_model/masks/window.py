"""A window: the part of a frame that the network sees, and what masks look like inside it.

Where a window is optional, None stands for the whole frame at the session's input size.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from src_model.masks.rle import Box, Rle

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Window:
    """A part of a frame, squashed to the square network input.

    Attributes
    ----------
    box
        ``(y0, x0, y1, x1)`` in pixels of the movie, inside the frame.
    size
        Side of the network input.
    """

    box: Box
    size: int

    @property
    def shape(self) -> tuple[int, int]:
        """``(height, width)`` in pixels of the movie."""
        return self.box[2] - self.box[0], self.box[3] - self.box[1]

    @property
    def origin(self) -> tuple[int, int]:
        """``(y, x)`` of the first pixel."""
        return self.box[0], self.box[1]

    @property
    def zoom(self) -> float:
        """Network pixels for each pixel of the movie, the mean of both axes."""
        return self.size / math.sqrt(self.shape[0] * self.shape[1])

    @property
    def zooms(self) -> tuple[float, float]:
        """Network pixels for each pixel of the movie, down and across; they differ where a frame is squashed."""
        height, width = self.shape
        return self.size / height, self.size / width

    def holds(self, box: tuple[float, float, float, float], frame_shape: tuple[int, int], margin: float = 0.0) -> bool:
        """Whether a box lies inside, as far from each edge as ``margin`` of the side; frame edges need no distance."""
        for axis in (0, 1):
            distance = margin * self.shape[axis]
            low, high = self.box[axis], self.box[axis + 2]
            if low > 0 and box[axis] < low + distance:
                return False
            if high < frame_shape[axis] and box[axis + 2] > high - distance:
                return False
        return True

    def moved_to(self, centre: tuple[float, float], frame_shape: tuple[int, int]) -> Window:
        """Return a window of the same shape around ``(y, x)``, as far as the frame allows."""
        spans = [_span(centre[axis], self.shape[axis], frame_shape[axis]) for axis in (0, 1)]
        return replace(self, box=(spans[0][0], spans[1][0], spans[0][1], spans[1][1]))


def square(centre: tuple[float, float], side: int, frame_shape: tuple[int, int], size: int) -> Window:
    """Return a window of ``side`` pixels around ``(y, x)``; where the frame is shorter, the window is too."""
    spans = [_span(centre[axis], min(side, frame_shape[axis]), frame_shape[axis]) for axis in (0, 1)]
    return Window((spans[0][0], spans[1][0], spans[0][1], spans[1][1]), size)


def whole_frame(frame_shape: tuple[int, int], size: int) -> Window:
    """Return the window that is the whole frame."""
    return Window((0, 0, *frame_shape), size)


def cut_image(image: NDArray[np.generic], window: Window) -> NDArray[np.generic]:
    """Cut a window out of a frame ``(Y, X[, C])``."""
    y0, x0, y1, x1 = window.box
    return image[y0:y1, x0:x1]


def cut_mask(mask: Rle, window: Window | None) -> Rle:
    """Cut a window out of a mask of the movie."""
    return mask if window is None else Rle.encode(mask.crop(window.box))


def placed(mask: Rle, window: Window | None, frame_shape: tuple[int, int]) -> Rle:
    """Bring a mask of a window to the frame."""
    if window is None:
        return mask
    box = mask.box
    if box is None:
        return Rle.empty(frame_shape)
    return Rle.from_crop(mask.crop(box), (window.box[0] + box[0], window.box[1] + box[1]), frame_shape)


def _span(centre: float, length: int, limit: int) -> tuple[int, int]:
    start = min(max(0, round(centre - length / 2)), limit - length)
    return start, start + length
