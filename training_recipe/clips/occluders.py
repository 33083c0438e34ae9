"""Occluders: something made of the scene's own texture passes in front of the object."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import cv2
import numpy as np

from training_recipe.clips.framing import object_box

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from training_recipe.clips.clip import BoolArray, ByteArray


def random_outline(rng: np.random.Generator, radius: float, aspect: float) -> NDArray[np.float64]:
    """Draw a blob (48, 2) around the origin, order y, x, of about `radius` pixels, `aspect` times as long as wide."""
    theta = np.linspace(0, 2 * math.pi, 48, endpoint=False)
    waves = np.ones(48)
    for order in range(2, 6):
        waves += rng.normal(0, 0.22 / order) * np.cos(order * theta + rng.uniform(0, 2 * math.pi))
    along, across = (
        radius * waves * np.cos(theta) * math.sqrt(aspect),
        radius * waves * np.sin(theta) / math.sqrt(aspect),
    )
    angle = rng.uniform(0, 2 * math.pi)
    sine, cosine = math.sin(angle), math.cos(angle)
    return np.stack([along * sine + across * cosine, along * cosine - across * sine], axis=1)


def occlude(images: ByteArray, masks: BoolArray, rng: np.random.Generator) -> tuple[ByteArray, BoolArray]:
    """Let one occluder cover the object at a random frame after the first.

    Parameters
    ----------
    images : (T, S, S, 3) uint8
    masks : (T, S, S) bool

    Returns
    -------
    images and masks of the same shapes; the object's pixels behind the occluder are no longer in its mask.
    Unchanged where there is no later frame that shows the object.
    """
    shown = [frame for frame in range(1, len(masks)) if masks[frame].any()]
    if not shown:
        return images, masks
    middle = int(rng.choice(shown))
    y0, x0, y1, x1 = object_box(masks[middle])
    extent = math.hypot(y1 - y0, x1 - x0) / 2
    outline = random_outline(rng, extent * rng.uniform(0.6, 1.5), float(rng.uniform(1, 2.5)))
    center = np.array([(y0 + y1) / 2, (x0 + x1) / 2])
    direction = rng.uniform(0, 2 * math.pi)
    speed = 2 * extent * rng.uniform(0.5, 1.6)
    step = np.array([math.sin(direction), math.cos(direction)]) * speed
    pause = int(rng.integers(0, 3))
    texture = _texture(images[0], rng)
    covered, left = images.copy(), masks.copy()
    for frame in range(len(images)):
        offset = frame - middle
        lag = offset if offset < 0 else max(0, offset - pause)
        alpha = _alpha(outline + center + step * lag, images.shape[1])
        if frame == 0 and _hides(alpha, masks[0]):
            continue
        covered[frame] = _blend(images[frame], texture, alpha)
        left[frame] &= alpha < 128
    return covered, left


def _hides(alpha: ByteArray, mask: BoolArray) -> bool:
    return float((alpha[mask] >= 128).mean()) > 0.3


def _alpha(outline: NDArray[np.float64], size: int) -> ByteArray:
    alpha = np.zeros((size, size), np.uint8)
    cv2.fillPoly(alpha, [np.round(outline[:, ::-1] * 16).astype(np.int32)], 255, cv2.LINE_8, 4)
    return np.asarray(cv2.GaussianBlur(alpha, (3, 3), 0), np.uint8)


def _blend(image: ByteArray, texture: ByteArray, alpha: ByteArray) -> ByteArray:
    weight = alpha[..., None].astype(np.uint16)
    return ((image * (255 - weight) + texture * weight + 127) // 255).astype(np.uint8)


def _texture(image: ByteArray, rng: np.random.Generator) -> ByteArray:
    """Take the scene itself, moved, mirrored and a little brighter or darker; or one plain tone with grain."""
    size = image.shape[0]
    if rng.uniform() < 0.3:
        tone = image.reshape(-1, 3)[int(rng.integers(size * size))].astype(np.float32)
        grain = rng.normal(0, 6, (size // 4 + 1, size // 4 + 1)).astype(np.float32)
        grown = np.asarray(cv2.resize(grain, (size, size), interpolation=cv2.INTER_LINEAR))
        result: ByteArray = np.clip(tone + grown[..., None], 0, 255).astype(np.uint8)
        return result
    moved = np.roll(image, tuple(rng.integers(size // 4, 3 * size // 4, 2).tolist()), axis=(0, 1))
    if rng.uniform() < 0.5:
        moved = moved[::-1]
    painted: ByteArray = np.clip(moved.astype(np.float32) * rng.uniform(0.7, 1.3), 0, 255).astype(np.uint8)
    return painted
