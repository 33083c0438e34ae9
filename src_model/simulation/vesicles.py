"""Vesicles: round membranes or filled drops that float, rotate little, deform little and overlap little."""

from __future__ import annotations

import cv2
import numpy as np

from src_model.simulation.bodies import Body, BodySettings, MotionSettings, Stamp, advance, scatter, stamp
from src_model.simulation.scene import FloatArray, LabelArray, Scene, empty_scene_arrays
from src_model.simulation.texture import layered_texture, smooth_field

_LOOKS = ("ring", "filled", "relief")


def simulate_vesicles(rng: np.random.Generator, frames: int, shape: tuple[int, int]) -> Scene:
    """Movie of vesicles: membrane rings, filled drops, or transmitted light with a shaded relief."""
    look = str(rng.choice(_LOOKS))
    settings = BodySettings(
        radius=float(np.exp(rng.uniform(np.log(5), np.log(30)))),
        radius_spread=float(rng.uniform(0.15, 0.5)),
        aspect=(1.0, float(rng.uniform(1.02, 1.25))),
        roughness=float(rng.uniform(0.0, 0.025)),
        orders=3,
        brightness=(float(rng.uniform(0.2, 0.7)), 1.0),
        fill=float(rng.uniform(0.05, 0.4)),
        most=80,
    )
    motion = MotionSettings(
        speed=float(np.exp(rng.uniform(np.log(0.04), np.log(0.6)))),
        persistence=float(rng.uniform(0.0, 0.9)),
        spin=0.05,
        wobble=float(rng.uniform(0.0, 0.02)),
        contact=float(rng.uniform(0.8, 1.05)),
    )
    textures = [layered_texture(rng, (48, 48), (16.0, 6.0)) for _ in range(5)]
    bodies = scatter(rng, shape, settings, textures, motion.contact)
    flow = rng.standard_normal(2) * settings.radius * float(rng.choice([0.0, 0.1, 0.25]))
    signal, labels = empty_scene_arrays(frames, shape)
    background = _background(rng, shape, look)
    for frame in range(frames):
        signal[frame] = background
        relief = np.zeros(shape, np.float32)
        for body in bodies:
            _draw(body, look, signal[frame], labels[frame], relief)
        if look == "relief":
            signal[frame] += _shade(relief)
        advance(bodies, rng, motion)
        for body in bodies:
            body.center = body.center + flow
    np.clip(signal, 0.02, 1.3, out=signal)
    return Scene(signal, labels, {}, transmitted=look == "relief")


def _background(rng: np.random.Generator, shape: tuple[int, int], look: str) -> FloatArray:
    level = 0.5 if look == "relief" else 0.05
    field = level * (1 + 0.06 * smooth_field(rng, shape, 40) + 0.03 * smooth_field(rng, shape, 5))
    return field.astype(np.float32)


def _draw(body: Body, look: str, signal: FloatArray, labels: LabelArray, relief: FloatArray) -> None:
    mark = stamp(body, (signal.shape[0], signal.shape[1]))
    if mark is None:
        return
    if look == "relief":
        height = np.sqrt(np.clip(mark.depth / body.radius, 0, 1)) * body.radius
        relief[mark.window] = np.where(mark.mask, height, relief[mark.window])
    else:
        paint = _ring(body, mark) if look == "ring" else _drop(body, mark)
        below = signal[mark.window]
        signal[mark.window] = np.where(mark.mask, np.maximum(paint, 0.3 * below), below)
    labels[mark.window][mark.mask] = body.identity


def _ring(body: Body, mark: Stamp) -> FloatArray:
    width = max(0.9, 0.07 * body.radius)
    rim = np.exp(-0.5 * ((mark.depth - width) / width) ** 2) * (0.6 + 0.8 * mark.texture)
    result: FloatArray = (body.brightness * (rim + 0.1) + 0.03).astype(np.float32)
    return result


def _drop(body: Body, mark: Stamp) -> FloatArray:
    dome = np.sqrt(np.clip(mark.depth / (0.8 * body.radius), 0, 1))
    result: FloatArray = (body.brightness * (0.35 + 0.65 * dome) * (0.75 + 0.5 * mark.texture)).astype(np.float32)
    return result


def _shade(relief: FloatArray) -> FloatArray:
    """Differential interference contrast: light from one side, so the slope along the diagonal shows."""
    smooth = cv2.GaussianBlur(relief, (0, 0), 0.8)
    slope = cv2.Sobel(smooth, cv2.CV_32F, 1, 0, ksize=3)
    slope = slope + cv2.Sobel(smooth, cv2.CV_32F, 0, 1, ksize=3)
    result: FloatArray = np.clip(0.03 * slope, -0.4, 0.5).astype(np.float32)
    return result
