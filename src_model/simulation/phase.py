"""Spread cells in phase contrast: lobed outlines, granular bodies, bright halos, round cells among them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import cv2
import numpy as np

from src_model.simulation.bodies import Body, BodySettings, MotionSettings, advance, scatter, stamp
from src_model.simulation.scene import FloatArray, LabelArray, Scene, empty_scene_arrays
from src_model.simulation.texture import layered_texture, smooth_field, speckles

if TYPE_CHECKING:
    from numpy.typing import NDArray

_TEXTURE_SIDE = 96


def simulate_phase(rng: np.random.Generator, frames: int, shape: tuple[int, int]) -> Scene:
    """Movie of spread cells in phase contrast."""
    settings = BodySettings(
        radius=float(np.exp(rng.uniform(np.log(13), np.log(42)))),
        radius_spread=float(rng.uniform(0.1, 0.3)),
        aspect=(1.0, float(rng.uniform(1.5, 3.2))),
        roughness=float(rng.uniform(0.05, 0.16)),
        orders=6,
        brightness=(0.6, 1.0),
        fill=float(rng.uniform(0.08, 0.5)),
    )
    motion = MotionSettings(
        speed=float(np.exp(rng.uniform(np.log(0.02), np.log(0.25)))),
        persistence=float(rng.uniform(0.3, 0.95)),
        spin=float(rng.uniform(0.0, 0.05)),
        wobble=float(rng.uniform(0.005, 0.05)),
        contact=float(rng.uniform(0.85, 1.05)),
    )
    bodies = scatter(rng, shape, settings, [_cytoplasm(rng) for _ in range(8)], motion.contact)
    rounded = _round_up(bodies, rng)
    halo_width = settings.radius * float(rng.uniform(0.1, 0.25))
    contrast = float(rng.uniform(0.4, 0.9))
    signal, labels = empty_scene_arrays(frames, shape)
    background = _background(rng, shape)
    for frame in range(frames):
        phase = np.zeros(shape, np.float32)
        glow = np.zeros(shape, np.float32)
        _draw(bodies, rounded, phase, glow, labels[frame])
        signal[frame] = background + _contrast(phase, halo_width, contrast) + glow
        advance(bodies, rng, motion)
    np.clip(signal, 0.02, 1.3, out=signal)
    return Scene(signal, labels, {}, transmitted=True)


def _cytoplasm(rng: np.random.Generator) -> FloatArray:
    """Optical thickness of a cell: grainy cytoplasm, a nucleus with nucleoli, a few dense granules."""
    shape = (_TEXTURE_SIDE, _TEXTURE_SIDE)
    texture = 0.35 + 0.5 * (layered_texture(rng, shape, (30.0, 7.0, 3.0)) - 0.5)
    center = np.array([48.0, 48.0]) + rng.normal(0, 4, 2)
    nucleus = np.zeros(shape, np.float32)
    axes = (round(rng.uniform(9, 14)), round(rng.uniform(7, 11)))
    middle = (round(center[1]), round(center[0]))
    cv2.ellipse(nucleus, middle, axes, float(rng.uniform(0, 180)), 0, 360, 1.0, -1, cv2.LINE_AA)
    rim = nucleus - cv2.erode(nucleus, np.ones((3, 3), np.uint8))
    texture = texture + 0.18 * nucleus + 0.3 * rim
    for _ in range(int(rng.integers(1, 4))):
        spot = center + rng.normal(0, 4, 2)
        cv2.circle(texture, (round(spot[1]), round(spot[0])), int(rng.integers(1, 3)), 1.1, -1, cv2.LINE_AA)
    grains = speckles(rng, shape, int(rng.integers(10, 60)), 1.0)
    result: FloatArray = np.clip(texture + 0.4 * grains, 0, 1.5).astype(np.float32)
    return result


def _round_up(bodies: list[Body], rng: np.random.Generator) -> set[int]:
    """Turn a few cells into the small round refractile ones every culture has."""
    rounded = {body.identity for body in bodies if rng.uniform() < 0.12}
    for body in bodies:
        if body.identity in rounded:
            body.radius *= 0.5
            body.aspect = 1.1
            body.rest_harmonics = body.rest_harmonics * 0.15
            body.harmonics = body.harmonics * 0.15
    return rounded


def _background(rng: np.random.Generator, shape: tuple[int, int]) -> FloatArray:
    field = 0.5 + 0.02 * smooth_field(rng, shape, 50) + 0.012 * smooth_field(rng, shape, 5)
    if rng.uniform() < 0.7:
        debris = speckles(rng, shape, int(rng.integers(2, 40)), 2.0)
        field = field - 0.2 * debris + 0.12 * cv2.GaussianBlur(debris, (0, 0), 2.5)
    return field.astype(np.float32)


def _draw(bodies: list[Body], rounded: set[int], phase: FloatArray, glow: FloatArray, labels: LabelArray) -> None:
    for body in bodies:
        mark = stamp(body, (phase.shape[0], phase.shape[1]))
        if mark is None:
            continue
        rise = np.clip(mark.depth / (0.25 * body.radius), 0, 1)
        inside = mark.mask
        if body.identity in rounded:
            refraction = np.sin(np.clip(mark.depth / body.radius, 0, 1) * math.pi * 1.35)
            glow[mark.window][inside] = (0.5 * refraction)[inside]
            phase[mark.window][inside] = 0.5
        else:
            thick = body.brightness * (0.3 + 0.7 * mark.texture * (0.5 + 0.5 * rise))
            phase[mark.window][inside] = thick[inside]
            glow[mark.window][inside] = 0
        labels[mark.window][inside] = body.identity


def _contrast(phase: FloatArray, halo_width: float, contrast: float) -> NDArray[np.float32]:
    """Positive phase contrast: the optical path darkens, its surroundings (the low-passed path) brighten."""
    narrow = cv2.GaussianBlur(phase, (0, 0), halo_width)
    wide = cv2.GaussianBlur(phase, (0, 0), 3 * halo_width)
    result: NDArray[np.float32] = (contrast * (1.05 * narrow + 0.3 * wide - 1.2 * phase)).astype(np.float32)
    return result
