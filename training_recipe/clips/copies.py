"""Copies of an object beside it in a still: look-alikes that are not meant."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import cv2
import numpy as np

from training_recipe.clips.framing import object_box

if TYPE_CHECKING:
    from training_recipe.clips.clip import BoolArray, ByteArray

_MOST = 3
_REACH = 2.5
"""Copies lie within so many sizes of the object, so that the window around it shows them."""


def with_copies(image: ByteArray, mask: BoolArray, rng: np.random.Generator) -> ByteArray:
    """Paste one to three copies of an object around it; the object itself stays in front.

    Parameters
    ----------
    image : (Y, X, 3) uint8
    mask : (Y, X) bool, not empty

    Returns
    -------
    a new image of the same shape
    """
    y0, x0, y1, x1 = object_box(mask)
    center = np.array([(y0 + y1) / 2, (x0 + x1) / 2])
    extent = np.array([y1 - y0, x1 - x0], float)
    opacity = np.asarray(cv2.GaussianBlur(mask.astype(np.float32), (3, 3), 0))
    pasted = image.astype(np.float32)
    for _ in range(int(rng.integers(1, _MOST + 1))):
        direction, distance = rng.uniform(0, 2 * math.pi), rng.uniform(0.9, _REACH)
        place = center + distance * extent * (math.sin(direction), math.cos(direction))
        matrix = _placed(center, place, rng)
        flags = cv2.INTER_LINEAR
        size = (image.shape[1], image.shape[0])
        colour = np.asarray(cv2.warpAffine(image, matrix, size, flags=flags)).astype(np.float32)
        weight = np.asarray(cv2.warpAffine(opacity, matrix, size, flags=flags)) * ~mask
        pasted += weight[..., None] * (colour * np.float32(math.exp(rng.normal(0, 0.08))) - pasted)
    result: ByteArray = np.clip(pasted, 0, 255).astype(np.uint8)
    return result


def _placed(center: np.ndarray, place: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Matrix (2, 3) in x, y that turns, scales and maybe mirrors around `center` and moves that to `place`."""
    angle, scale = rng.normal(0, 0.5), math.exp(rng.normal(0, 0.15))
    sign = -1.0 if rng.uniform() < 0.5 else 1.0
    sine, cosine = math.sin(angle) * scale, math.cos(angle) * scale
    linear = np.array([[cosine * sign, -sine], [sine * sign, cosine]])
    return np.concatenate([linear, (place[::-1] - linear @ center[::-1])[:, None]], axis=1)
