"""Epithelial sheets: a Voronoi tissue of moving points whose cells share bright or dark membranes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
from scipy.spatial import cKDTree

from src_model.simulation.scene import BoolArray, FloatArray, LabelArray, Scene, empty_scene_arrays
from src_model.simulation.texture import flow_field, layered_texture, smooth_field

if TYPE_CHECKING:
    from numpy.typing import NDArray

_OVERSAMPLING = 2


@dataclass(frozen=True, slots=True)
class _Tissue:
    """Everything about a sheet that does not change through time."""

    spacing: float
    jitter: float
    flow: FloatArray
    bend: FloatArray
    edge_radius: float
    """Cells reach at most this far from their point: a sheet with a free border and gaps."""
    division_rate: float


@dataclass(frozen=True, slots=True)
class _Look:
    """How cells and membranes shine."""

    membrane: float
    membrane_width: float
    cytoplasm: float
    texture: float
    nucleus: float
    patchiness: FloatArray
    junctions: float
    dark: bool


def simulate_sheet(rng: np.random.Generator, frames: int, shape: tuple[int, int]) -> Scene:
    """Movie of an epithelial sheet; cells fill the frame, or leave gaps at a free border."""
    spacing = float(np.exp(rng.uniform(np.log(13), np.log(52))))
    tissue = _Tissue(
        spacing=spacing,
        jitter=float(rng.uniform(0.01, 0.045)) * spacing,
        flow=flow_field(rng, shape, float(rng.uniform(0.3, 1.2)) * min(shape), float(rng.uniform(0.0, 0.07)) * spacing),
        bend=flow_field(rng, shape, 0.45 * spacing, float(rng.uniform(0.01, 0.045)) * spacing),
        edge_radius=float(rng.uniform(0.85, 1.1)) * spacing if rng.uniform() < 0.25 else math.inf,
        division_rate=float(rng.choice([0.0, 0.002, 0.008])),
    )
    look = _random_look(rng, shape, spacing)
    points = _first_points(rng, shape, tissue)
    identities = np.arange(1, len(points) + 1)
    tones = rng.uniform(0.6, 1.0, 4000)
    textures = [layered_texture(rng, (shape[0] * 2, shape[1] * 2), (0.5 * spacing, 5.0, 2.5)) for _ in range(1)]
    signal, labels = empty_scene_arrays(frames, shape)
    parents: dict[int, int] = {}
    travelled = np.zeros(2)
    drift = rng.standard_normal(2) * 0.04 * spacing
    for frame in range(frames):
        labels[frame] = _tessellate(points, identities, shape, tissue)
        texture = _shifted(textures[0], travelled, shape)
        signal[frame] = _shine(labels[frame], texture, tones, look, points, spacing)
        points, identities = _divide(points, identities, parents, rng, tissue)
        points = _move(points, rng, tissue, shape) + drift
        travelled = travelled + drift
    return Scene(signal, labels, parents, transmitted=look.dark)


def _random_look(rng: np.random.Generator, shape: tuple[int, int], spacing: float) -> _Look:
    dark = bool(rng.uniform() < 0.3)
    return _Look(
        membrane=float(rng.uniform(0.25, 0.6) if dark else rng.uniform(0.5, 1.0)),
        membrane_width=float(rng.uniform(0.7, 1.2)) * (1 + spacing / 80),
        cytoplasm=float(rng.uniform(0.5, 0.7) if dark else rng.uniform(0.05, 0.3)),
        texture=float(rng.uniform(0.03, 0.25) if dark else rng.uniform(0.03, 0.15)),
        nucleus=float(rng.choice([0.0, 0.0, rng.uniform(0.05, 0.35)])),
        patchiness=np.clip(1 + rng.uniform(0, 0.35) * smooth_field(rng, shape, 1.2 * spacing), 0.3, 1.6),
        junctions=float(rng.choice([0.0, rng.uniform(0.1, 0.6)])),
        dark=dark,
    )


def _first_points(rng: np.random.Generator, shape: tuple[int, int], tissue: _Tissue) -> NDArray[np.float64]:
    margin = 2.5 * tissue.spacing
    area = (shape[0] + 2 * margin) * (shape[1] + 2 * margin)
    count = max(8, int(area / tissue.spacing**2))
    points = rng.uniform(0, 1, (count, 2)) * (np.asarray(shape) + 2 * margin) - margin
    for _ in range(20):
        points = _relax(points, tissue.spacing, 0.35)
    if math.isfinite(tissue.edge_radius):
        hole = rng.uniform(0, 1, 2) * np.asarray(shape)
        size = min(rng.uniform(1.5, 4.0) * tissue.spacing, 0.35 * min(shape))
        points = points[np.linalg.norm(points - hole, axis=1) > size]
    return points


def _relax(points: NDArray[np.float64], spacing: float, strength: float) -> NDArray[np.float64]:
    pairs = cKDTree(points).query_pairs(0.95 * spacing, output_type="ndarray")
    if len(pairs) == 0:
        return points
    first, second = pairs[:, 0], pairs[:, 1]
    gap = points[second] - points[first]
    distance = np.maximum(np.linalg.norm(gap, axis=1), 1e-3)
    push = gap / distance[:, None] * ((0.95 * spacing - distance) * strength * 0.5)[:, None]
    moved = points.copy()
    np.add.at(moved, first, -push)
    np.add.at(moved, second, push)
    return moved


def _move(
    points: NDArray[np.float64], rng: np.random.Generator, tissue: _Tissue, shape: tuple[int, int]
) -> NDArray[np.float64]:
    at = np.clip(np.rint(points).astype(int), 0, np.asarray(shape) - 1)
    moved = points + tissue.flow[at[:, 0], at[:, 1]] + rng.standard_normal(points.shape) * tissue.jitter
    return _relax(moved, tissue.spacing, 0.12)


def _divide(
    points: NDArray[np.float64],
    identities: NDArray[np.int_],
    parents: dict[int, int],
    rng: np.random.Generator,
    tissue: _Tissue,
) -> tuple[NDArray[np.float64], NDArray[np.int_]]:
    chosen = rng.uniform(size=len(points)) < tissue.division_rate
    if not chosen.any():
        return points, identities
    fresh = int(max(identities.max(), max(parents, default=0))) + 1
    angle = rng.uniform(0, 2 * math.pi, int(chosen.sum()))
    step = np.stack([np.sin(angle), np.cos(angle)], axis=1) * 0.22 * tissue.spacing
    mothers = identities[chosen]
    daughters = fresh + np.arange(2 * len(mothers))
    parents.update({int(d): int(m) for d, m in zip(daughters, np.tile(mothers, 2), strict=True)})
    new_points = np.concatenate([points[~chosen], points[chosen] + step, points[chosen] - step])
    return new_points, np.concatenate([identities[~chosen], daughters])


def _tessellate(
    points: NDArray[np.float64], identities: NDArray[np.int_], shape: tuple[int, int], tissue: _Tissue
) -> LabelArray:
    """Nearest point of every pixel, on an oversampled grid with a margin, bent so that membranes are not straight."""
    margin = int(2 * tissue.spacing)
    size = tuple(_OVERSAMPLING * (side + 2 * margin) for side in shape)
    seeds = np.ones(size, np.uint8)
    at = np.rint((points + margin) * _OVERSAMPLING).astype(int)
    inside = np.all((at >= 0) & (at < size), axis=1)
    seeds[at[inside, 0], at[inside, 1]] = 0
    distance, nearest = cv2.distanceTransformWithLabels(seeds, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    lookup = np.zeros(int(nearest.max()) + 1, np.uint16)
    lookup[nearest[at[inside, 0], at[inside, 1]]] = identities[inside]
    full = lookup[nearest]
    full[distance > tissue.edge_radius * _OVERSAMPLING] = 0
    rows, columns = np.mgrid[0 : shape[0], 0 : shape[1]].astype(np.float32)
    map_y = (rows + margin + tissue.bend[..., 0]) * _OVERSAMPLING
    map_x = (columns + margin + tissue.bend[..., 1]) * _OVERSAMPLING
    result: LabelArray = cv2.remap(full, map_x, map_y, cv2.INTER_NEAREST).astype(np.uint16)
    return result


def _shifted(texture: FloatArray, travelled: NDArray[np.float64], shape: tuple[int, int]) -> FloatArray:
    start = np.asarray(shape) / 2 - travelled
    center = (float(start[1] + shape[1] / 2), float(start[0] + shape[0] / 2))
    return cv2.getRectSubPix(texture, (shape[1], shape[0]), center).astype(np.float32)


def _borders(labels: LabelArray) -> BoolArray:
    borders = np.zeros(labels.shape, bool)
    down, right = labels[1:] != labels[:-1], labels[:, 1:] != labels[:, :-1]
    borders[1:] |= down
    borders[:-1] |= down
    borders[:, 1:] |= right
    borders[:, :-1] |= right
    return borders


def _shine(
    labels: LabelArray,
    texture: FloatArray,
    tones: NDArray[np.float64],
    look: _Look,
    points: NDArray[np.float64],
    spacing: float,
) -> FloatArray:
    borders = _borders(labels)
    # Without any border in view the distance would be infinite.
    distance = np.minimum(cv2.distanceTransform((~borders).astype(np.uint8), cv2.DIST_L2, 3), 1e3)
    membrane = np.exp(-0.5 * (distance / look.membrane_width) ** 2) * look.patchiness
    body = look.cytoplasm * tones[labels % len(tones)] + look.texture * (texture - 0.5)
    body = np.where(labels > 0, body, 0.3 * look.cytoplasm if not look.dark else 1.25 * look.cytoplasm)
    if look.nucleus > 0:
        nuclei = np.zeros(labels.shape, np.uint8)
        for y, x in points:
            cv2.circle(nuclei, (round(x * 8), round(y * 8)), round(0.24 * spacing * 8), 1, -1, cv2.LINE_8, 3)
        body = body + look.nucleus * (nuclei * (labels > 0)) * (0.6 + 0.6 * texture)
    if look.dark:
        result: FloatArray = np.clip(body - look.membrane * 0.7 * membrane, 0.02, None).astype(np.float32)
        return result
    if look.junctions > 0:
        crowd = cv2.blur(borders.astype(np.float32), (5, 5))
        membrane = membrane * (1 + look.junctions * np.clip(crowd - 0.5, 0, 1) * 4)
    shone: FloatArray = (body + look.membrane * membrane).astype(np.float32)
    return shone
