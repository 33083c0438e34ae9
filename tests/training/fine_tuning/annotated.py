"""Annotations without files: bright discs that wander over a dark field."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from src_model.datasets import Dataset
from src_model.datasets.movie import FlatMovie
from src_model.frames import open_movie

if TYPE_CHECKING:
    from collections.abc import Sequence

    from src_model.frames import FrameSource

SIDE = 64


@dataclass(frozen=True)
class Discs(FlatMovie):
    """``count`` discs on ``length`` frames; only those in ``labelled`` have labels."""

    length: int = 9
    count: int = 6
    labelled: tuple[int, ...] | None = None
    seed: int = 0

    @cached_property
    def _all_labels(self) -> np.ndarray:
        rng = np.random.default_rng(self.seed)
        places = np.array([(12 + 20 * (i // 3), 12 + 20 * (i % 3)) for i in range(self.count)], int).reshape(-1, 2)
        y, x = np.mgrid[:SIDE, :SIDE]
        labels = np.zeros((self.length, SIDE, SIDE), np.int32)
        steps = rng.integers(-1, 2, (self.length, self.count, 2))
        for frame in range(self.length):
            places = places + steps[frame]
            for number, (cy, cx) in enumerate(places, start=1):
                labels[frame][(y - cy) ** 2 + (x - cx) ** 2 < 36] = number
        return labels

    @cached_property
    def movie(self) -> FrameSource:
        noise = np.random.default_rng(1).integers(0, 30, self._all_labels.shape)
        return open_movie((noise + 180 * (self._all_labels > 0)).astype(np.uint8))

    @property
    def labelled_frames(self) -> Sequence[int]:
        return range(self.length) if self.labelled is None else self.labelled

    def _read_labels(self, frame: int) -> np.ndarray:
        return self._all_labels[frame]


def discs(name: str = "discs", **options: object) -> Discs:
    return Discs(name, "microscopy", **options)


def dataset(*movies: Discs) -> Dataset:
    return Dataset("my-discs", "fake", movies, None)
