"""One call that makes a simulated microscopy movie of any kind, the same for the same seed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from src_model.simulation import SIMULATED_KINDS
from src_model.simulation.camera import random_camera, record
from src_model.simulation.nuclei import simulate_nuclei
from src_model.simulation.phase import simulate_phase
from src_model.simulation.rods import simulate_rods
from src_model.simulation.sheet import simulate_sheet
from src_model.simulation.vesicles import simulate_vesicles

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from src_model.simulation.scene import LabelArray, Scene

_SIMULATORS: dict[str, Callable[[np.random.Generator, int, tuple[int, int]], Scene]] = {
    "nuclei": simulate_nuclei,
    "sheet": simulate_sheet,
    "rods": simulate_rods,
    "phase": simulate_phase,
    "vesicles": simulate_vesicles,
}


@dataclass(frozen=True, slots=True)
class SimulatedMovie:
    """A simulated movie with exact truth.

    Attributes
    ----------
    kind : str
        One of `SIMULATED_KINDS`.
    images : (T, Y, X) uint8 or uint16
        What the camera recorded.
    labels : (T, Y, X) uint16
        One identity per object through time, 0 is background; a mother's identity ends where its daughters begin.
    parents : dict of int to int
        Daughter identity to mother identity.
    """

    kind: str
    images: NDArray[np.uint8] | NDArray[np.uint16]
    labels: LabelArray
    parents: dict[int, int]


def simulate_movie(kind: str, seed: int, frames: int, shape: tuple[int, int]) -> SimulatedMovie:
    """Simulate a movie; equal arguments give equal movies.

    Parameters
    ----------
    kind : str
        One of `SIMULATED_KINDS`.
    seed : int
        Any non-negative number; kinds with the same seed are independent of each other.
    frames : int
        Number of frames, at least 1.
    shape : (Y, X)
        Size of a frame in pixels, at least 32 each.

    Raises
    ------
    ValueError
        For an unknown kind, no frames, or a frame too small.
    """
    if kind not in _SIMULATORS:
        raise ValueError(f"unknown kind of simulated movie {kind!r}: expected one of {', '.join(SIMULATED_KINDS)}")
    if frames < 1:
        raise ValueError(f"frames is {frames}: a movie needs at least 1")
    if min(shape) < 32:
        raise ValueError(f"shape is {shape}: frames of at least 32 x 32 pixels can be simulated")
    rng = np.random.default_rng([seed, SIMULATED_KINDS.index(kind)])
    scene = _SIMULATORS[kind](rng, frames, shape)
    images = record(scene, random_camera(rng, transmitted=scene.transmitted), rng)
    return SimulatedMovie(kind, images, scene.labels, scene.parents)
