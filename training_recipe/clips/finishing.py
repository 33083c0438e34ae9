"""From footage to clip: framing, occlusion, mirror images and the varied look, the same for every source."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from training_recipe.clips.clip import BoolArray, ByteArray, Clip, Footage, shows_object, without_slivers
from training_recipe.clips.framing import FramingSettings, cut_footage, window_path
from training_recipe.clips.occluders import occlude
from training_recipe.clips.photometry import vary

_Layer = TypeVar("_Layer", BoolArray, NDArray[np.uint16])


@dataclass(frozen=True, slots=True)
class Finish:
    """How footage becomes clips."""

    microscopy: bool
    framing: FramingSettings = field(default_factory=FramingSettings)
    occluded: float = 0.13
    varied: bool = True


def finish_clip(footage: Footage, rng: np.random.Generator, *, size: int, kind: str, finish: Finish) -> Clip | None:
    """Frame footage and vary it; None where the object ends up too small in the first frame."""
    if not footage.masks[0].any():
        return None
    images, masks = cut_footage(footage, window_path(footage, rng, finish.framing, size=size), size)
    return finish_frames(images, masks, rng, kind=kind, finish=finish)


def finish_frames(
    images: ByteArray, masks: BoolArray, rng: np.random.Generator, *, kind: str, finish: Finish
) -> Clip | None:
    """Occlude, mirror and vary frames of the final size; None where the first one does not show the object."""
    if not shows_object(masks):
        return None
    if rng.uniform() < finish.occluded:
        images, masks = occlude(images, masks, rng)
    masks = without_slivers(masks)
    if not shows_object(masks):
        return None
    images, masks = mirror(images, masks, rng, any_way_up=finish.microscopy)
    if finish.varied:
        images = vary(images, rng, microscopy=finish.microscopy)
    return Clip(np.ascontiguousarray(images), np.ascontiguousarray(masks), kind)


def mirror(images: ByteArray, masks: _Layer, rng: np.random.Generator, *, any_way_up: bool) -> tuple[ByteArray, _Layer]:
    """Mirror images (T, S, S, 3) and masks or labels (T, S, S) alike, at random."""
    if rng.uniform() < 0.5:
        images, masks = images[:, :, ::-1], masks[:, :, ::-1]
    if rng.uniform() < (0.5 if any_way_up else 0.05):
        images, masks = images[:, ::-1], masks[:, ::-1]
    if any_way_up and rng.uniform() < 0.5:
        images, masks = images.transpose(0, 2, 1, 3), masks.transpose(0, 2, 1)
    return np.ascontiguousarray(images), np.ascontiguousarray(masks)
