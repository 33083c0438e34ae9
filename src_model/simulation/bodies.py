"""Moving, deforming, textured blobs: the common substance of nuclei, spread cells and vesicles."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
from scipy.spatial import cKDTree

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from src_model.simulation.scene import BoolArray, FloatArray

_SUBPIXEL_BITS = 4


@dataclass(slots=True)
class Body:
    """One blob: a star-shaped outline around a centre, with a texture that moves along.

    Lengths are pixels, order y, x; `harmonics` are complex Fourier coefficients of the relative radius from order 2 on;
    `texture` is a square (P, P) float32 patch in 0..1 in the body's own frame.
    """

    identity: int
    center: NDArray[np.float64]
    velocity: NDArray[np.float64]
    angle: float
    spin: float
    radius: float
    aspect: float
    harmonics: NDArray[np.complex128]
    rest_harmonics: NDArray[np.complex128]
    brightness: float
    texture: FloatArray
    age: int = 0

    def outline(self, points: int = 64) -> NDArray[np.float64]:
        """Polygon (points, 2) of the outline, order y, x."""
        theta = np.linspace(0, 2 * math.pi, points, endpoint=False)
        orders = np.arange(2, 2 + len(self.harmonics))
        waves = np.real(self.harmonics[None, :] * np.exp(1j * theta[:, None] * orders[None, :])).sum(axis=1)
        radius = self.radius * np.maximum(0.15, 1 + waves)
        along, across = radius * np.cos(theta) * math.sqrt(self.aspect), radius * np.sin(theta) / math.sqrt(self.aspect)
        sine, cosine = math.sin(self.angle), math.cos(self.angle)
        return np.stack([along * sine + across * cosine, along * cosine - across * sine], axis=1) + self.center


@dataclass(frozen=True, slots=True)
class Stamp:
    """A body rasterised in its own little window of the frame."""

    window: tuple[slice, slice]
    mask: BoolArray
    texture: FloatArray
    depth: FloatArray
    """Distance to the outline in pixels, 0 outside."""


def polygon_mask(polygon: NDArray[np.float64], shape: tuple[int, int], origin: tuple[int, int] = (0, 0)) -> BoolArray:
    """Rasterise a polygon (N, 2; y, x) given in frame coordinates into a (Y, X) window starting at `origin`."""
    canvas = np.zeros(shape, np.uint8)
    shifted = (polygon - np.asarray(origin, float))[:, ::-1] * (1 << _SUBPIXEL_BITS)
    cv2.fillPoly(canvas, [np.round(shifted).astype(np.int32)], 1, shift=_SUBPIXEL_BITS)
    return canvas.astype(bool)


def stamp(body: Body, shape: tuple[int, int]) -> Stamp | None:
    """Rasterise a body; None where nothing of it lies inside the frame of `shape` (Y, X)."""
    polygon = body.outline()
    low = np.maximum(np.floor(polygon.min(axis=0)).astype(int) - 1, 0)
    high = np.minimum(np.ceil(polygon.max(axis=0)).astype(int) + 2, shape)
    if np.any(high - low < 2):
        return None
    height, width = (high - low).tolist()
    mask = polygon_mask(polygon, (height, width), (int(low[0]), int(low[1])))
    if not mask.any():
        return None
    depth = cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, 3).astype(np.float32)
    window = (slice(int(low[0]), int(high[0])), slice(int(low[1]), int(high[1])))
    return Stamp(window, mask, _body_texture(body, low, (height, width)), depth)


def _body_texture(body: Body, low: NDArray[np.int_], shape: tuple[int, int]) -> FloatArray:
    side = body.texture.shape[0]
    scale = side / (3.2 * body.radius * math.sqrt(max(body.aspect, 1 / body.aspect)))
    sine, cosine = math.sin(body.angle) * scale, math.cos(body.angle) * scale
    offset_x, offset_y = low[1] - body.center[1], low[0] - body.center[0]
    matrix = np.array(
        [
            [cosine, sine, cosine * offset_x + sine * offset_y + side / 2],
            [-sine, cosine, -sine * offset_x + cosine * offset_y + side / 2],
        ]
    )
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    size = (shape[1], shape[0])
    warped = cv2.warpAffine(body.texture, matrix, size, flags=flags, borderMode=cv2.BORDER_REFLECT)
    return warped.astype(np.float32)


@dataclass(frozen=True, slots=True)
class MotionSettings:
    """How bodies move: fractions of the radius a frame for speed, radians a frame for spin."""

    speed: float
    persistence: float
    spin: float
    wobble: float
    contact: float = 0.95
    """Centres closer than this times the sum of the radii push each other apart."""


def advance(bodies: list[Body], rng: np.random.Generator, motion: MotionSettings) -> None:
    """Move, turn, deform all bodies by one frame, in place, and push overlapping ones apart."""
    kick = math.sqrt(1 - motion.persistence**2)
    for body in bodies:
        body.velocity = (
            motion.persistence * body.velocity + kick * motion.speed * body.radius * rng.standard_normal(2) * 0.7
        )
        body.center = body.center + body.velocity
        body.spin = 0.8 * body.spin + 0.6 * motion.spin * float(rng.standard_normal())
        body.angle += body.spin
        count = len(body.harmonics)
        noise = (rng.standard_normal(count) + 1j * rng.standard_normal(count)) * motion.wobble / np.arange(1, count + 1)
        body.harmonics = body.harmonics + 0.2 * (body.rest_harmonics - body.harmonics) + noise
        body.age += 1
    separate(bodies, motion.contact, rounds=2)


def separate(bodies: list[Body], contact: float, rounds: int) -> None:
    """Push bodies whose centres are closer than `contact` times the sum of their radii apart, in place."""
    if len(bodies) < 2:
        return
    radii = np.array([body.radius for body in bodies])
    centers = np.array([body.center for body in bodies])
    for _ in range(rounds):
        pairs = cKDTree(centers).query_pairs(2 * contact * float(radii.max()), output_type="ndarray")
        if len(pairs) == 0:
            break
        first, second = pairs[:, 0], pairs[:, 1]
        gap = centers[second] - centers[first]
        distance = np.maximum(np.linalg.norm(gap, axis=1), 1e-3)
        overlap = np.clip(contact * (radii[first] + radii[second]) - distance, 0, None)
        push = gap / distance[:, None] * overlap[:, None] * 0.25
        np.add.at(centers, first, -push)
        np.add.at(centers, second, push)
    for body, center in zip(bodies, centers, strict=True):
        body.center = center


@dataclass(frozen=True, slots=True)
class BodySettings:
    """Distribution bodies are drawn from; ranges are (low, high)."""

    radius: float
    radius_spread: float
    aspect: tuple[float, float]
    roughness: float
    orders: int
    brightness: tuple[float, float]
    fill: float
    """Share of the area covered by bodies."""
    most: int = 110


def scatter(
    rng: np.random.Generator, shape: tuple[int, int], settings: BodySettings, textures: list[FloatArray], contact: float
) -> list[Body]:
    """Scatter bodies over the frame and a margin around it, so that some can enter later."""
    margin = 2.5 * settings.radius
    area = (shape[0] + 2 * margin) * (shape[1] + 2 * margin)
    wanted = settings.fill * area / (math.pi * settings.radius**2)
    count = int(np.clip(wanted, 3, settings.most))
    bodies = [_random_body(rng, identity, shape, margin, settings, textures) for identity in range(1, count + 1)]
    # However sparse the scene, one of them is there to be seen.
    bodies[0].center = rng.uniform(0.25, 0.75, 2) * np.asarray(shape)
    separate(bodies, contact, rounds=25)
    return bodies


def _random_body(
    rng: np.random.Generator,
    identity: int,
    shape: tuple[int, int],
    margin: float,
    settings: BodySettings,
    textures: list[FloatArray],
) -> Body:
    center = np.array([rng.uniform(-margin, side + margin) for side in shape])
    orders = np.arange(1, settings.orders + 1)
    noise = rng.standard_normal(settings.orders) + 1j * rng.standard_normal(settings.orders)
    rest: NDArray[np.complex128] = (noise * settings.roughness / orders**0.8).astype(np.complex128)
    return Body(
        identity=identity,
        center=center,
        velocity=np.zeros(2),
        angle=float(rng.uniform(0, 2 * math.pi)),
        spin=0.0,
        radius=settings.radius * math.exp(settings.radius_spread * float(np.clip(rng.standard_normal(), -2, 2))),
        aspect=float(rng.uniform(*settings.aspect)),
        harmonics=rest.copy(),
        rest_harmonics=rest,
        brightness=float(rng.uniform(*settings.brightness)),
        texture=textures[int(rng.integers(len(textures)))],
    )
