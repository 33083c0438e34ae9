"""Simulated movies whose stage drifts, so that objects leave the field, and the object score has to say so."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from src_model.evaluation import EvaluationSet
from src_model.evaluation.sets import FIRST_SEED, SimulatedLabels
from src_model.simulation import SIMULATED_KINDS, SimulatedMovie, simulate_movie

if TYPE_CHECKING:
    from numpy.typing import NDArray

FRAMES, SIDE, DRIFT = 16, 256, 16
"""Frames, side of the field, and pixels that it drifts a frame."""


@dataclass(frozen=True)
class PannedMovie(SimulatedLabels):
    """A field that drifts to the right over a wide simulated movie."""

    @cached_property
    def _made(self) -> SimulatedMovie:
        wide = simulate_movie(self.simulated_kind, self.seed, self.frames, (SIDE, SIDE + DRIFT * (self.frames - 1)))
        return replace(wide, images=_panned(wide.images), labels=_panned(wide.labels))


def _panned(frames: NDArray[np.generic]) -> NDArray[np.generic]:
    return np.stack([frame[:, DRIFT * t : DRIFT * t + SIDE] for t, frame in enumerate(frames)])


def panned_set(movies: int) -> EvaluationSet:
    """Make so many movies of each kind."""
    made = tuple(
        PannedMovie(f"panned-{kind}-{number}", "microscopy", kind, FIRST_SEED + number, FRAMES)
        for kind in SIMULATED_KINDS
        for number in range(movies)
    )
    return EvaluationSet("simulated, panned", made, f"simulated fields that drift {DRIFT} px a frame")
