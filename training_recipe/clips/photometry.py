"""Photometric variation: gamma, contrast, color, light, noise and blur, each drawn once or smoothly per clip."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from training_recipe.clips.clip import ByteArray


def stretch(images: NDArray[np.uint8] | NDArray[np.uint16], *, percentiles: tuple[float, float]) -> ByteArray:
    """Map a movie's percentiles to 0..255, decided once over all frames as a tracker does."""
    sample = images[:: max(1, len(images) // 8), ::2, ::2]
    low, high = np.percentile(sample, percentiles)
    scaled = (images.astype(np.float32) - np.float32(low)) * np.float32(255 / max(float(high - low), 1e-6))
    result: ByteArray = np.clip(scaled, 0, 255).astype(np.uint8)
    return result


def vary(images: ByteArray, rng: np.random.Generator, *, microscopy: bool) -> ByteArray:
    """Vary the look of a clip (T, S, S, 3); the geometry stays as it is."""
    varied = _tone(images, rng, microscopy=microscopy)
    if not microscopy and rng.uniform() < 0.1:
        varied = np.repeat(varied.mean(axis=-1, keepdims=True).astype(np.uint8), 3, axis=-1)
    if rng.uniform() < 0.2:
        varied = _light(varied, rng)
    if rng.uniform() < 0.25:
        varied = _blur(varied, rng)
    if rng.uniform() < 0.35:
        varied = _noise(varied, rng)
    return varied


def _tone(images: ByteArray, rng: np.random.Generator, *, microscopy: bool) -> ByteArray:
    """One table per frame and channel: gamma, contrast, brightness for the clip, a little flicker per frame."""
    gamma = float(np.exp(rng.normal(0, 0.25)))
    contrast = float(np.exp(rng.normal(0, 0.2)))
    brightness = float(rng.normal(0, 0.06))
    gain = np.ones(3) if microscopy and rng.uniform() < 0.9 else np.exp(rng.normal(0, 0.08, 3))
    flicker = rng.normal(0, 0.05 if rng.uniform() < 0.2 else 0.01, len(images))
    invert = microscopy and rng.uniform() < 0.1
    levels = np.linspace(0, 1, 256)
    varied = np.empty_like(images)
    for frame, image in enumerate(images):
        curve = (levels**gamma - 0.5) * contrast + 0.5 + brightness + flicker[frame]
        table = np.clip(curve[:, None] * gain * 255, 0, 255)
        table = (255 - table if invert else table).astype(np.uint8)
        varied[frame] = cv2.LUT(image, np.ascontiguousarray(table)[:, None, :])
    return varied


def _light(images: ByteArray, rng: np.random.Generator) -> ByteArray:
    """Light that grows or fades over the clip, and falls unevenly: brighter patches that wander."""
    size = (images.shape[2], images.shape[1])
    trend = float(rng.normal(0, 0.06))
    patches, wandering = rng.normal(0, 0.18, (3, 3)), rng.normal(0, 0.04, (3, 3))
    lit = np.empty_like(images)
    for frame, image in enumerate(images):
        gain = np.exp(patches + (wandering + trend) * frame).astype(np.float32)
        field = np.asarray(cv2.resize(gain, size, interpolation=cv2.INTER_CUBIC))
        lit[frame] = np.clip(image * field[..., None], 0, 255)
    return lit


def _blur(images: ByteArray, rng: np.random.Generator) -> ByteArray:
    """Defocus or motion blur for the clip, or for some of its frames only."""
    moving = rng.uniform() < 0.3
    sigma = float(rng.uniform(0.5, 1.6))
    streak = _streak(rng, images.shape[1])
    share = 1.0 if rng.uniform() < 0.5 else 0.4
    chosen = rng.uniform(size=len(images)) < share
    blurred = images.copy()
    for frame in np.flatnonzero(chosen):
        if moving:
            blurred[frame] = cv2.filter2D(images[frame], -1, streak, borderType=cv2.BORDER_REPLICATE)
        else:
            blurred[frame] = cv2.GaussianBlur(images[frame], (0, 0), sigma)
    return blurred


def _streak(rng: np.random.Generator, size: int) -> NDArray[np.float32]:
    """Kernel of a camera that moves while the shutter is open: a line of up to a thirtieth of the frame."""
    half = max(1, round(float(rng.uniform(0.3, 1)) * size / 60))
    angle = float(rng.uniform(0, np.pi))
    along = np.array([np.cos(angle), np.sin(angle)]) * half
    kernel = np.zeros((2 * half + 1, 2 * half + 1), np.uint8)
    ends = [tuple(round(value) for value in (half + sign * along)) for sign in (-1, 1)]
    cv2.line(kernel, ends[0], ends[1], 255, 1, cv2.LINE_AA)
    return kernel.astype(np.float32) / float(kernel.sum())


def _noise(images: ByteArray, rng: np.random.Generator) -> ByteArray:
    sigma = float(rng.uniform(2, 14))
    # Shifted crops of one field: drawing fresh noise for every frame would cost more than everything else.
    size = images.shape[1]
    field = (rng.standard_normal((size + 64, size + 64), dtype=np.float32) * sigma).astype(np.int16)
    noisy = np.empty_like(images)
    for frame, image in enumerate(images):
        y, x = rng.integers(0, 64, 2)
        noisy[frame] = np.clip(image.astype(np.int16) + field[y : y + size, x : x + size, None], 0, 255)
    return noisy
