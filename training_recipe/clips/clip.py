"""The nouns of training data: a clip of one object, what makes clips, and the footage they are cut from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

ByteArray = NDArray[np.uint8]
BoolArray = NDArray[np.bool_]
FloatArray = NDArray[np.float32]

LEAST_AREA_SHARE = 20 / 224**2
"""A first frame shows at least this share of its pixels as the object; less is no prompt to learn from."""


@dataclass(frozen=True, slots=True)
class Clip:
    """A few frames and the truth of one object in them.

    Attributes
    ----------
    images : (T, S, S, 3) uint8
        RGB, already squashed or cropped to the square network input.
    masks : (T, S, S) bool
        One object; the first frame always shows it, later ones may not.
    kind : str
        What it was made from, e.g. "real-video" or "nuclei".
    """

    images: ByteArray
    masks: BoolArray
    kind: str


class ClipSource(Protocol):
    """Anything that makes clips; the same generator state gives the same clip from a freshly made source."""

    kind: str

    def sample(self, rng: np.random.Generator, *, frames: int, size: int) -> Clip:
        """Make a clip of `frames` frames of `size` x `size` pixels."""
        ...


@dataclass(frozen=True, slots=True)
class Footage:
    """Frames of any size with the truth of one object, not yet framed.

    Attributes
    ----------
    images : (T, Y, X, 3) or (T, Y, X) uint8
    masks : (T, Y, X) bool
    """

    images: ByteArray
    masks: BoolArray

    @property
    def shape(self) -> tuple[int, int]:
        """Size of a frame, (Y, X)."""
        return (self.masks.shape[1], self.masks.shape[2])


def shows_object(masks: BoolArray) -> bool:
    """Whether the first frame shows enough of the object to be prompted."""
    first = masks[0]
    result: bool = int(first.sum()) >= LEAST_AREA_SHARE * first.size
    return result


def without_slivers(masks: BoolArray) -> BoolArray:
    """Empty the frames where only a few pixels of the object are left: nobody could say it is there."""
    least = 0.4 * LEAST_AREA_SHARE * masks[0].size
    kept = masks.copy()
    for mask in kept:
        if 0 < int(mask.sum()) < least:
            mask[:] = False
    return kept
