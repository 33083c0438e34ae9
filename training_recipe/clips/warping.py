"""How a still moves through time: like a camera (affine) and like tissue (thin plates and elastic waves)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import RBFInterpolator

if TYPE_CHECKING:
    from collections.abc import Iterator

    from training_recipe.clips.clip import FloatArray
    from training_recipe.clips.framing import Window

Field = NDArray[np.float32]
"""Displacements (G, G, 2), order y, x, in shares of the frame."""

_PLATE_GRID = 33
_PLATE_POINTS = 3
"""Points along each side that hold a thin plate."""
_LEAST_ROOM = 0.4
"""Neighbouring points move by no more than this share of their distance: space never folds over."""
_JUMPING = 0.1
"""Share of the clips in which the camera jumps once."""


def motion_maps(
    rng: np.random.Generator, window: Window, *, frames: int, size: int
) -> list[tuple[FloatArray, FloatArray]]:
    """Draw where each output pixel of each frame lies in the still, as (y, x) maps of shape (size, size).

    Frame 0 is `window` as it is.
    """
    top, left, height, width = window
    strength = math.exp(rng.uniform(math.log(0.3), math.log(2.5)))
    bends = [plate_bends(rng, frames, strength)] if rng.uniform() < 0.5 else []
    if not bends or rng.uniform() < 0.4:
        bends.append(elastic_bends(rng, frames, strength))
    grid = (np.mgrid[0:size, 0:size].astype(np.float32) + 0.5) / size - 0.5
    maps = []
    for linear, shift, *fields in zip(*affine_ways(rng, frames, strength), *bends, strict=True):
        y, x = grid
        for field in fields:
            grown = np.asarray(cv2.resize(field, (size, size), interpolation=cv2.INTER_CUBIC))
            y, x = y + grown[..., 0], x + grown[..., 1]
        map_y = (linear[0, 0] * y + linear[0, 1] * x + 0.5 + shift[0]) * height + top - 0.5
        map_x = (linear[1, 0] * y + linear[1, 1] * x + 0.5 + shift[1]) * width + left - 0.5
        maps.append((map_y.astype(np.float32), map_x.astype(np.float32)))
    return maps


def affine_ways(
    rng: np.random.Generator, frames: int, strength: float
) -> tuple[list[NDArray[np.float64]], list[NDArray[np.float64]]]:
    """Matrices (2, 2) and shifts (2,), order y, x: steady pan, spin, zoom and shear with a little shake."""
    pan = rng.normal(0, 0.03 * strength, 2)
    speed = rng.normal(0, np.array([0.03, 0.015, 0.012, 0.012]) * strength)
    shake = np.array([0.01, 0.006, 0.003, 0.003]) * strength
    jump = int(rng.integers(1, frames)) if frames > 1 and rng.uniform() < _JUMPING else -1
    shift, pose = np.zeros(2), np.zeros(4)
    matrices, shifts = [], []
    for frame in range(frames):
        if frame > 0:
            shift = shift + pan + rng.normal(0, 0.01 * strength, 2) + (rng.normal(0, 0.15, 2) if frame == jump else 0)
            pose = pose + speed + rng.normal(0, shake)
        matrices.append(_linear(*pose.tolist()))
        shifts.append(shift)
    return matrices, shifts


def _linear(angle: float, growth: float, stretch: float, shear: float) -> NDArray[np.float64]:
    """Rotation and zoom of a frame that was sheared, and stretched along one axis as it is squeezed along the other."""
    sine, cosine = math.sin(angle), math.cos(angle)
    turn = math.exp(growth) * np.array([[cosine, sine], [-sine, cosine]])
    pose: NDArray[np.float64] = turn @ np.array([[math.exp(stretch), shear], [shear, math.exp(-stretch)]])
    return pose


def plate_bends(rng: np.random.Generator, frames: int, strength: float) -> list[Field]:
    """Bend a thin plate that is held at a few points: smooth, over the whole frame."""
    points = _lattice(_PLATE_POINTS) + rng.uniform(-0.2, 0.2, (_PLATE_POINTS**2, 2)) / _PLATE_POINTS
    # The plate's shape is linear in where its points go, so it is solved once for a clip.
    shapes = RBFInterpolator(points, np.eye(len(points)), kernel="thin_plate_spline")(_lattice(_PLATE_GRID))
    ways = _ways(rng, frames, 0.045 * strength, points.shape, 0.6 * _LEAST_ROOM / _PLATE_POINTS)
    return [(shapes @ way).reshape(_PLATE_GRID, _PLATE_GRID, 2).astype(np.float32) for way in ways]


def elastic_bends(rng: np.random.Generator, frames: int, strength: float) -> list[Field]:
    """Shift the nodes of a coarse grid independently: local, like swelling and shrinking tissue."""
    cells = int(rng.integers(3, 9))
    size = 0.2 * rng.uniform(0.1, 1) * strength / cells
    return [way.astype(np.float32) for way in _ways(rng, frames, size, (cells, cells, 2), _LEAST_ROOM / cells)]


def _lattice(along: int) -> NDArray[np.float64]:
    """Points (along**2, 2), order y, x, evenly over the frame from -0.5 to 0.5."""
    side = (np.arange(along) + 0.5) / along - 0.5
    return np.stack(np.meshgrid(side, side, indexing="ij"), axis=-1).reshape(-1, 2)


def _ways(
    rng: np.random.Generator, frames: int, size: float, shape: tuple[int, ...], limit: float
) -> Iterator[NDArray[np.float64]]:
    """Yield displacements within `limit` for each frame, zero at first: drifting on, or swinging to and fro."""
    goal = rng.normal(0, size, shape)
    swinging, pace = rng.uniform() < 0.4, rng.uniform(0.3, 1.2)
    drift = np.zeros(shape)
    for frame in range(frames):
        way = (math.sin(pace * frame) if swinging else 0.15 * pace * frame) * goal + drift
        yield limit * np.tanh(way / limit)
        drift = drift + rng.normal(0, 0.15 * size, shape)
