"""Random textures: smooth fields, grains and flows, all from a seeded generator."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from src_model.simulation.scene import FloatArray


def smooth_field(rng: np.random.Generator, shape: tuple[int, int], scale: float) -> FloatArray:
    """Gaussian random field of unit variance whose features are about `scale` pixels wide.

    Small grids are enlarged instead of large ones blurred, so the cost does not grow with `scale`.

    Returns
    -------
    (Y, X) float32, mean about 0, standard deviation about 1
    """
    rows, columns = (max(2, round(side / scale) + 2) for side in shape)
    coarse = rng.standard_normal((rows, columns)).astype(np.float32)
    field = cv2.resize(coarse, (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC).astype(np.float32)
    deviation = float(field.std())
    return (field - float(field.mean())) / max(deviation, 1e-6)


def layered_texture(rng: np.random.Generator, shape: tuple[int, int], scales: tuple[float, ...]) -> FloatArray:
    """Sum of smooth fields, coarse ones strongest, rescaled to mean 0.5 and clipped to 0..1."""
    total = np.zeros(shape, np.float32)
    for scale in scales:
        total += smooth_field(rng, shape, scale) * np.float32(scale**0.4)
    total /= max(float(total.std()), 1e-6)
    result: FloatArray = np.clip(0.5 + 0.22 * total, 0.0, 1.0).astype(np.float32)
    return result


def flow_field(rng: np.random.Generator, shape: tuple[int, int], scale: float, strength: float) -> FloatArray:
    """Smooth displacement field (Y, X, 2) in pixels, order y, x, with standard deviation `strength`."""
    return np.stack([smooth_field(rng, shape, scale) * np.float32(strength) for _ in range(2)], axis=-1)


def speckles(rng: np.random.Generator, shape: tuple[int, int], count: int, radius: float) -> FloatArray:
    """Field of `count` round grains of about `radius` pixels, values 0..1."""
    field = np.zeros(shape, np.float32)
    for _ in range(count):
        y, x = rng.uniform(0, shape[0]), rng.uniform(0, shape[1])
        size = max(1, round(radius * rng.uniform(0.5, 1.6)))
        cv2.circle(field, (int(x), int(y)), size, float(rng.uniform(0.5, 1.0)), -1, cv2.LINE_AA)
    return field
