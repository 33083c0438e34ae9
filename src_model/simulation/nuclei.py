"""Fluorescent (or stained) nuclei: textured ovals that drift, turn, divide and crowd."""

from __future__ import annotations

import math
from dataclasses import replace

import cv2
import numpy as np

from src_model.simulation.bodies import (
    Body,
    BodySettings,
    MotionSettings,
    advance,
    scatter,
    stamp,
)
from src_model.simulation.scene import FloatArray, LabelArray, Scene, empty_scene_arrays
from src_model.simulation.texture import layered_texture, smooth_field, speckles

_TEXTURE_SIDE = 64


def simulate_nuclei(rng: np.random.Generator, frames: int, shape: tuple[int, int]) -> Scene:
    """Movie of nuclei: bright on dark, or dark on bright as in stained bright field."""
    settings = BodySettings(
        radius=float(np.exp(rng.uniform(np.log(5.5), np.log(28)))),
        radius_spread=float(rng.uniform(0.05, 0.25)),
        aspect=(1.0, float(rng.uniform(1.1, 1.9))),
        roughness=float(rng.uniform(0.01, 0.06)),
        orders=4,
        brightness=(float(rng.uniform(0.25, 0.8)), 1.0),
        fill=float(rng.uniform(0.08, 0.75)),
    )
    motion = MotionSettings(
        speed=float(np.exp(rng.uniform(np.log(0.03), np.log(0.5)))),
        persistence=float(rng.uniform(0.2, 0.95)),
        spin=float(rng.uniform(0.0, 0.12)),
        wobble=float(rng.uniform(0.0, 0.02)),
        contact=float(rng.uniform(0.75, 1.02)),
    )
    bodies = scatter(rng, shape, settings, [_chromatin(rng) for _ in range(6)], motion.contact)
    texture_strength = float(rng.uniform(0.15, 0.9))
    softness = float(rng.uniform(0.0, 0.5))
    signal, labels = empty_scene_arrays(frames, shape)
    haze = _haze(rng, shape, settings.radius)
    parents: dict[int, int] = {}
    division_rate = float(rng.choice([0.0, 0.01, 0.03]))
    drift = rng.standard_normal(2) * settings.radius * float(rng.choice([0.0, 0.0, 0.15]))
    dividing: dict[int, int] = {}
    for frame in range(frames):
        signal[frame] = haze
        _draw(bodies, signal[frame], labels[frame], texture_strength, softness)
        bodies = _divide(bodies, dividing, parents, rng, division_rate)
        advance(bodies, rng, motion)
        for body in bodies:
            body.center = body.center + drift
    if rng.uniform() < 0.2:
        return Scene(np.float32(0.95) - np.float32(0.6) * np.clip(signal, 0, 1.2), labels, parents, transmitted=True)
    return Scene(signal, labels, parents)


def _chromatin(rng: np.random.Generator) -> FloatArray:
    shape = (_TEXTURE_SIDE, _TEXTURE_SIDE)
    texture = layered_texture(rng, shape, (20.0, 8.0, 4.0))
    grains = cv2.GaussianBlur(speckles(rng, shape, int(rng.integers(2, 9)), 3.0), (0, 0), 1.2)
    sign = 1.0 if rng.uniform() < 0.4 else -1.0
    return np.clip(texture + np.float32(0.5 * sign) * grains, 0, 1.3).astype(np.float32)


def _haze(rng: np.random.Generator, shape: tuple[int, int], radius: float) -> FloatArray:
    """Background: camera-independent glow, out-of-focus bodies and debris."""
    haze = 0.04 + 0.03 * np.abs(smooth_field(rng, shape, 6 * radius)) * rng.uniform(0, 1.5)
    if rng.uniform() < 0.5:
        ghosts = speckles(rng, shape, int(rng.integers(1, 15)), radius)
        haze = haze + 0.25 * cv2.GaussianBlur(ghosts, (0, 0), 0.6 * radius)
    if rng.uniform() < 0.4:
        haze = haze + 0.6 * speckles(rng, shape, int(rng.integers(1, 12)), 1.2)
    return haze.astype(np.float32)


def _draw(bodies: list[Body], signal: FloatArray, labels: LabelArray, texture_strength: float, softness: float) -> None:
    for body in bodies:
        mark = stamp(body, (signal.shape[0], signal.shape[1]))
        if mark is None:
            continue
        inside = 1 - texture_strength + texture_strength * 1.6 * mark.texture
        dome = np.clip(mark.depth / max(1.0, 0.6 * body.radius), 0, 1)
        shaded = body.brightness * inside * (1 - softness + softness * dome)
        below = signal[mark.window]
        # The upper nucleus hides most of the lower one, as in a thin layer; the label follows the upper one.
        signal[mark.window] = np.where(mark.mask, np.maximum(shaded, 0) + 0.25 * below, below)
        labels[mark.window][mark.mask] = body.identity


def _divide(
    bodies: list[Body], dividing: dict[int, int], parents: dict[int, int], rng: np.random.Generator, rate: float
) -> list[Body]:
    """Start, continue and finish divisions: two frames of condensed mother, then two daughters."""
    kept: list[Body] = []
    next_identity = max([body.identity for body in bodies] + list(parents)) + 1
    for body in bodies:
        stage = dividing.get(body.identity)
        if stage is None and body.identity not in parents and rng.uniform() < rate:
            dividing[body.identity] = 2
            body.brightness = min(1.3, body.brightness * 1.4)
            body.radius, body.aspect = body.radius * 0.88, 1.3
        elif stage is not None and stage > 0:
            dividing[body.identity] = stage - 1
            body.aspect, body.radius = 1.8, body.radius * 0.95
        elif stage == 0:
            daughters = _daughters(body, next_identity)
            next_identity += 2
            parents.update({daughter.identity: body.identity for daughter in daughters})
            kept.extend(daughters)
            continue
        if body.identity in parents and body.age < 6:
            body.radius *= 1.035
            body.aspect = 1 + (body.aspect - 1) * 0.9
        kept.append(body)
    return kept


def _daughters(mother: Body, first_identity: int) -> list[Body]:
    # The two part across the condensed plate, along its short axis.
    axis = np.array([math.cos(mother.angle), -math.sin(mother.angle)])
    return [
        replace(
            mother,
            identity=first_identity + index,
            center=mother.center + sign * axis * mother.radius * 0.75,
            velocity=sign * axis * mother.radius * 0.3,
            radius=mother.radius * 0.75,
            aspect=1.5,
            harmonics=mother.harmonics.copy(),
            age=0,
        )
        for index, sign in enumerate((-1.0, 1.0))
    ]
