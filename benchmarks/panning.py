"""Simulated movies whose stage drifts, so that objects leave the field, and the object score has to say so."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from src_model.datasets.movie import FlatMovie
from src_model.evaluation import EvaluationSet
from src_model.frames import FrameSource, open_movie
from src_model.simulation import SIMULATED_KINDS, simulate_movie

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

FIRST_SEED = 1_000_000_000
"""Training uses no simulated movie from this seed on."""
FRAMES, SIDE, DRIFT = 16, 256, 16
"""Frames, side of the field, and pixels that it drifts a frame."""


@dataclass(frozen=True)
class PannedMovie(FlatMovie):
    """A field that drifts to the right over a wide simulated movie."""

    simulated_kind: str
    seed: int

    @property
    def movie(self) -> FrameSource:
        """The frames."""
        return open_movie(self._made[0], axes="TYX", name=self.name)

    @property
    def labelled_frames(self) -> Sequence[int]:
        """All frames."""
        return range(FRAMES)

    def _read_labels(self, frame: int) -> NDArray[np.int32]:
        return self._made[1][frame].astype(np.int32)

    @cached_property
    def _made(self) -> tuple[NDArray[np.generic], NDArray[np.generic]]:
        wide = simulate_movie(self.simulated_kind, self.seed, FRAMES, (SIDE, SIDE + DRIFT * (FRAMES - 1)))
        images, labels = (
            np.stack([frame[:, DRIFT * t : DRIFT * t + SIDE] for t, frame in enumerate(frames)])
            for frames in (wide.images, wide.labels)
        )
        return images, labels


def panned_set(movies: int) -> EvaluationSet:
    """Make so many movies of each kind."""
    made = tuple(
        PannedMovie(f"panned-{kind}-{number}", "microscopy", kind, FIRST_SEED + number)
        for kind in SIMULATED_KINDS
        for number in range(movies)
    )
    return EvaluationSet("simulated, panned", made, f"simulated fields that drift {DRIFT} px a frame")
