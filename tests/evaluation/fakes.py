"""A movie of one wandering square, and a tracker that is right for a known number of frames after each prompt."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from src_model.datasets import pair
from src_model.evaluation.targets import Target
from src_model.masks import MaskletFrame, Rle

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from src_model.datasets import LabelledMovie
    from src_model.prompts import Prompt

SHAPE = (24, 60)


def square(left: int, *, top: int = 5, side: int = 8, shape: tuple[int, int] = SHAPE) -> np.ndarray:
    mask = np.zeros(shape, bool)
    mask[top : top + side, max(0, left) : left + side] = True
    return mask


def truth_of(frame: int) -> Rle:
    """The square moves by three pixels a frame."""
    return Rle.encode(square(3 * frame))


def target(length: int = 10, *, object_id: int = 1, first: int = 0, absent: Sequence[int] = ()) -> Target:
    nothing = Rle.empty(SHAPE)
    frames = range(first, length)
    return Target(object_id, {frame: nothing if frame in absent else truth_of(frame) for frame in frames})


def labelled_movie(length: int = 6, *, name: str = "square") -> LabelledMovie:
    labels = np.stack([square(3 * t) for t in range(length)]).astype(np.uint8)
    noise = np.random.default_rng(0).integers(0, 40, labels.shape)
    return pair((labels * 180 + noise).astype(np.uint8), labels, name=name)


class Forgetful:
    """Right on prompted frames and on `memory` frames after each, then it sees nothing.

    Every object is the wandering square. A frame takes `clicks` clicks until its mask is right; before that it is the
    upper half, of IoU 0.5.
    """

    def __init__(self, memory: int, *, clicks: int = 1) -> None:
        self.memory, self.clicks = memory, clicks
        self.prompts: list[tuple[int, int, Prompt]] = []
        self.passes: list[tuple[range, tuple[int, ...]]] = []

    def prompt(self, frame: int, object_id: int, prompt: Prompt) -> MaskletFrame:
        self.prompts.append((frame, object_id, prompt))
        return self._shown(frame, object_id)

    def propagate(self, frames: range, objects: Sequence[int]) -> Iterator[tuple[int, dict[int, MaskletFrame]]]:
        self.passes.append((frames, tuple(objects)))
        for frame in frames:
            begun = [i for i in objects if any(f <= frame and o == i for f, o, _ in self.prompts)]
            yield frame, {object_id: self._shown(frame, object_id) for object_id in begun}

    def _shown(self, frame: int, object_id: int) -> MaskletFrame:
        given = [f for f, o, _ in self.prompts if o == object_id and f <= frame]
        if frame - max(given) > self.memory:
            return MaskletFrame(Rle.empty(SHAPE), 0.2, 0.1)
        points = [p for f, o, p in self.prompts if (f, o) == (max(given), object_id) and p.points]
        if points and len(points) < self.clicks:
            return MaskletFrame(Rle.encode(square(3 * frame) & (np.arange(SHAPE[0]) < 9)[:, None]), 0.5, 0.9)
        return MaskletFrame(truth_of(frame), 0.9, 0.9)
