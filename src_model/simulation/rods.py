"""Rod-shaped bacteria that grow, divide and push each other: a growing micro-colony."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import cv2
import numpy as np
from scipy.spatial import cKDTree

from src_model.simulation.bodies import polygon_mask
from src_model.simulation.scene import FloatArray, LabelArray, Scene, empty_scene_arrays
from src_model.simulation.texture import smooth_field, speckles

if TYPE_CHECKING:
    from numpy.typing import NDArray

_CIRCLES = 10


@dataclass(slots=True)
class _Rod:
    identity: int
    center: NDArray[np.float64]
    angle: float
    length: float
    """Between the centres of the two caps, pixels."""
    growth: float
    bend: float
    brightness: float
    division_length: float

    def axis(self) -> NDArray[np.float64]:
        return np.array([math.sin(self.angle), math.cos(self.angle)])

    def spine(self, count: int) -> NDArray[np.float64]:
        """Points (count, 2) along the slightly curved middle line."""
        along = np.linspace(-0.5, 0.5, count)
        sideways = self.bend * self.length * (along**2 - 0.08)
        axis = self.axis()
        normal = np.array([axis[1], -axis[0]])
        result: NDArray[np.float64] = self.center + along[:, None] * self.length * axis + sideways[:, None] * normal
        return result


@dataclass(frozen=True, slots=True)
class _Colony:
    width: float
    growth: float
    motility: float
    phase: bool
    septum: float


def simulate_rods(rng: np.random.Generator, frames: int, shape: tuple[int, int]) -> Scene:
    """Movie of rods: dark with a bright rim (phase contrast) or bright on dark (fluorescence)."""
    width = float(np.exp(rng.uniform(np.log(5), np.log(15))))
    colony = _Colony(
        width=width,
        growth=float(rng.uniform(0.0, 0.06)),
        motility=float(rng.choice([0.0, 0.04, 0.3])) * width,
        phase=bool(rng.uniform() < 0.55),
        septum=float(rng.uniform(0.1, 0.45)),
    )
    rods = _first_rods(rng, shape, colony)
    signal, labels = empty_scene_arrays(frames, shape)
    parents: dict[int, int] = {}
    background = _background(rng, shape, colony)
    for frame in range(frames):
        signal[frame] = background
        _draw(rods, signal[frame], labels[frame], colony)
        rods = _grow(rods, parents, rng, colony)
        _push(rods, colony.width, rounds=6)
    return Scene(signal, labels, parents, transmitted=colony.phase)


def _background(rng: np.random.Generator, shape: tuple[int, int], colony: _Colony) -> FloatArray:
    level = 0.7 if colony.phase else 0.05
    field = level * (1 + 0.04 * smooth_field(rng, shape, 40) + 0.015 * smooth_field(rng, shape, 4))
    if rng.uniform() < 0.4:
        field = field + (-0.25 if colony.phase else 0.3) * speckles(rng, shape, int(rng.integers(1, 12)), 1.5)
    return field.astype(np.float32)


def _first_rods(rng: np.random.Generator, shape: tuple[int, int], colony: _Colony) -> list[_Rod]:
    mean_length = colony.width * rng.uniform(1.5, 3.5)
    clusters = int(rng.integers(1, 5))
    fill = rng.uniform(0.03, 0.35)
    count = int(np.clip(fill * shape[0] * shape[1] / (colony.width * (mean_length + colony.width)), 3, 90))
    seeds = rng.uniform(0.1, 0.9, (clusters, 2)) * np.asarray(shape)
    scattered = rng.uniform() < 0.3
    spread = math.sqrt(count * colony.width * mean_length / clusters) * 0.8
    rods = []
    for identity in range(1, count + 1):
        near = seeds[int(rng.integers(clusters))] + rng.standard_normal(2) * spread
        length = mean_length * rng.uniform(0.7, 1.4)
        rods.append(
            _Rod(
                identity=identity,
                center=rng.uniform(0, 1, 2) * np.asarray(shape) if scattered else near,
                angle=float(rng.uniform(0, math.pi)),
                length=float(length),
                growth=colony.growth * float(rng.uniform(0.7, 1.3)),
                bend=float(rng.normal(0, 0.12)),
                brightness=float(rng.uniform(0.6, 1.0)),
                division_length=float(mean_length * rng.uniform(1.35, 1.7)),
            )
        )
    _push(rods, colony.width, rounds=60)
    return _untangled(rods, colony.width)


def _untangled(rods: list[_Rod], width: float) -> list[_Rod]:
    """Take out rods that still cross an earlier one: no push gets them off each other."""
    kept: list[_Rod] = []
    spots = np.empty((0, 2))
    for rod in rods:
        spine = rod.spine(2 * _CIRCLES)
        if len(spots) and float(cKDTree(spots).query(spine)[0].min()) < 0.6 * width:
            continue
        kept.append(rod)
        spots = np.concatenate([spots, spine])
    return kept


def _grow(rods: list[_Rod], parents: dict[int, int], rng: np.random.Generator, colony: _Colony) -> list[_Rod]:
    fresh = max([rod.identity for rod in rods] + list(parents)) + 1
    grown: list[_Rod] = []
    for rod in rods:
        rod.length *= 1 + rod.growth
        rod.angle += float(rng.normal(0, 0.012 + 0.03 * colony.motility / colony.width))
        rod.center = rod.center + rod.axis() * float(rng.normal(0, 1)) * colony.motility
        rod.center = rod.center + rng.standard_normal(2) * 0.02 * colony.width
        if rod.length < rod.division_length or len(rods) + len(grown) > 220:
            grown.append(rod)
            continue
        half = (rod.length - colony.width) / 2
        for sign in (-1.0, 1.0):
            daughter = replace(
                rod,
                identity=fresh,
                center=rod.center + sign * rod.axis() * (half + colony.width) / 2,
                length=half,
                angle=rod.angle + float(rng.normal(0, 0.06)),
                growth=colony.growth * float(rng.uniform(0.7, 1.3)),
                division_length=rod.division_length * float(rng.uniform(0.92, 1.08)),
            )
            parents[fresh] = rod.identity
            fresh += 1
            grown.append(daughter)
    return grown


def _push(rods: list[_Rod], width: float, rounds: int) -> None:
    """Push apart rods that overlap, each as a chain of circles: the mean push moves it, the torque turns it."""
    owners = np.repeat(np.arange(len(rods)), _CIRCLES)
    centers, angles = np.array([rod.center for rod in rods]), np.array([rod.angle for rod in rods])
    lengths, bends = np.array([rod.length for rod in rods]), np.array([rod.bend for rod in rods])
    for _ in range(rounds):
        arms = _arms(angles, lengths, bends)
        spots = (centers[:, None] + arms).reshape(-1, 2)
        pairs = cKDTree(spots).query_pairs(width, output_type="ndarray")
        pairs = pairs[owners[pairs[:, 0]] != owners[pairs[:, 1]]]
        if len(pairs) == 0:
            break
        gap = spots[pairs[:, 1]] - spots[pairs[:, 0]]
        distance = np.maximum(np.linalg.norm(gap, axis=1), 1e-3)
        push = gap / distance[:, None] * (width - distance)[:, None] * 0.3
        force = np.zeros_like(spots)
        np.add.at(force, pairs[:, 0], -push)
        np.add.at(force, pairs[:, 1], push)
        forces = force.reshape(arms.shape)
        torque = (arms[..., 1] * forces[..., 0] - arms[..., 0] * forces[..., 1]).sum(axis=1)
        touched = np.maximum(1, np.any(forces != 0, axis=2).sum(axis=1))
        centers = centers + forces.sum(axis=1) / touched[:, None]
        angles = angles + np.clip(torque / np.maximum(1.0, (arms**2).sum(axis=(1, 2))), -0.15, 0.15)
    for rod, center, angle in zip(rods, centers, angles, strict=True):
        rod.center, rod.angle = center, float(angle)


def _arms(angles: NDArray[np.float64], lengths: NDArray[np.float64], bends: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give the circles' centres of all rods relative to their middles: (N, circles, 2)."""
    along = np.linspace(-0.5, 0.5, _CIRCLES)
    axes = np.stack([np.sin(angles), np.cos(angles)], axis=1)
    normals = np.stack([axes[:, 1], -axes[:, 0]], axis=1)
    sideways = (bends * lengths)[:, None] * (along**2 - 0.08)
    straight = (lengths[:, None] * along)[..., None] * axes[:, None]
    arms: NDArray[np.float64] = straight + sideways[..., None] * normals[:, None]
    return arms


def _outline(rod: _Rod, width: float, septum: float) -> NDArray[np.float64]:
    """Trace the contour of a capsule around the spine, pinched in the middle shortly before division."""
    spine = rod.spine(16)
    tangent = np.gradient(spine, axis=0)
    tangent /= np.maximum(np.linalg.norm(tangent, axis=1, keepdims=True), 1e-6)
    normal = np.stack([tangent[:, 1], -tangent[:, 0]], axis=1)
    progress = np.clip((rod.length / rod.division_length - 0.85) / 0.15, 0, 1)
    along = np.linspace(-1, 1, 16)
    half = 0.5 * width * (1 - septum * progress * np.exp(-((along / 0.16) ** 2)))
    theta = np.linspace(-math.pi / 2, math.pi / 2, 9)[1:-1]
    cap = np.stack([np.cos(theta), np.sin(theta)], axis=1) * 0.5 * width
    end = spine[-1] + cap[:, :1] * tangent[-1] - cap[:, 1:] * normal[-1]
    start = spine[0] - cap[:, :1] * tangent[0] + cap[:, 1:] * normal[0]
    return np.concatenate([spine + half[:, None] * normal, end, (spine - half[:, None] * normal)[::-1], start])


def _draw(rods: list[_Rod], signal: FloatArray, labels: LabelArray, colony: _Colony) -> None:
    shape = (signal.shape[0], signal.shape[1])
    thickness = np.zeros(shape, np.float32)
    for rod in rods:
        polygon = _outline(rod, colony.width * 0.96, colony.septum)
        low = np.maximum(np.floor(polygon.min(axis=0)).astype(int) - 1, 0)
        high = np.minimum(np.ceil(polygon.max(axis=0)).astype(int) + 2, shape)
        if np.any(high - low < 2):
            continue
        height, columns = (high - low).tolist()
        mask = polygon_mask(polygon, (height, columns), (int(low[0]), int(low[1])))
        window = (slice(int(low[0]), int(high[0])), slice(int(low[1]), int(high[1])))
        depth = cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, 3)
        profile = np.sqrt(np.clip(depth / (0.5 * colony.width), 0, 1)) * rod.brightness
        labels[window][mask] = rod.identity
        thickness[window][mask] = profile[mask]
    if colony.phase:
        # Phase contrast turns optical path into darkness and its low-passed copy into a bright halo.
        halo = cv2.GaussianBlur(thickness, (0, 0), colony.width * 0.6)
        signal -= np.float32(0.62) * (thickness - np.float32(0.9) * halo)
        np.clip(signal, 0.03, None, out=signal)
    else:
        signal += np.float32(0.85) * thickness
