"""The microscope's and the camera's share: light, bleaching, focus, photon and read noise, bit depth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from src_model.simulation.texture import smooth_field

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from src_model.simulation.scene import FloatArray, Scene


@dataclass(frozen=True, slots=True)
class Camera:
    """How a scene is recorded."""

    bits: int
    photons: float
    """Photons a pixel at signal 1; the lower, the noisier."""
    read_noise: float
    """Standard deviation in photons."""
    offset: float
    """Dark level, as a share of the full range."""
    full_scale: float
    """Share of the range that signal 1 reaches."""
    unevenness: float
    bleaching: float
    """Share of the light lost over the movie."""
    blur: float
    focus_drift: float
    """Standard deviation in pixels of the blur's walk through time."""


def random_camera(rng: np.random.Generator, *, transmitted: bool) -> Camera:
    """Draw a camera; transmitted light is bright and does not bleach."""
    photons = float(np.exp(rng.uniform(np.log(500 if transmitted else 25), np.log(3000))))
    return Camera(
        bits=int(rng.choice([8, 10, 12, 14, 16])),
        photons=photons,
        read_noise=float(rng.uniform(0.5, 3.0)),
        offset=float(rng.uniform(0.01, 0.08)),
        full_scale=float(rng.uniform(0.35, 0.8)),
        unevenness=float(rng.uniform(0.0, 0.08 if transmitted else 0.35)),
        bleaching=0.0 if transmitted else float(rng.choice([0.0, rng.uniform(0.0, 0.5)])),
        blur=float(rng.uniform(0.3, 1.1)),
        focus_drift=float(rng.choice([0.0, rng.uniform(0.0, 0.25)])),
    )


def record(scene: Scene, camera: Camera, rng: np.random.Generator) -> NDArray[np.uint8] | NDArray[np.uint16]:
    """Record a scene as a camera on a microscope would.

    Returns
    -------
    (T, Y, X) uint8 for 8 bits, else uint16 with values below 2**bits
    """
    frames, height, width = scene.signal.shape
    light = np.exp(camera.unevenness * smooth_field(rng, (height, width), 0.8 * max(height, width)))
    light = (light / light.max()).astype(np.float32)
    blurs = camera.blur + np.abs(np.cumsum(rng.standard_normal(frames)) * camera.focus_drift)
    top = 2**camera.bits - 1
    recorded = np.empty(scene.signal.shape, np.uint8 if camera.bits == 8 else np.uint16)
    for frame in range(frames):
        decay = (1 - camera.bleaching) ** (frame / max(1, frames - 1))
        expected = _blurred(scene.signal[frame], float(blurs[frame])) * light * np.float32(decay * camera.photons)
        # A normal with the Poisson's variance: indistinguishable from 25 photons on, and ten times faster to draw.
        spread = np.sqrt(np.maximum(expected, 0) + np.float32(camera.read_noise**2))
        counts = expected + spread * rng.standard_normal((height, width), dtype=np.float32)
        values = (camera.offset + camera.full_scale * counts / camera.photons) * top
        recorded[frame] = np.clip(np.rint(values), 0, top).astype(recorded.dtype)
    return recorded


def _blurred(image: FloatArray, sigma: float) -> FloatArray:
    if sigma < 0.25:
        return image
    return cv2.GaussianBlur(image, (0, 0), min(sigma, 3.0)).astype(np.float32)
