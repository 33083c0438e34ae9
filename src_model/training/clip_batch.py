"""Batches of clips: what they are, and how they are drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from src_model.training.clips import Clip
    from src_model.training.clips.crowds import CrowdSource
    from src_model.training.clips.simulated import Clock


class Sampler(Protocol):
    """Whatever clips can be drawn from; a clip depends on the clock and the generator alone."""

    crowds: CrowdSource | None
    clock: Clock

    def sample(self, rng: np.random.Generator, *, frames: int, size: int) -> Clip:
        """Draw a clip."""
        ...


@dataclass(frozen=True, slots=True)
class BatchRequest:
    """What a batch should be; together with the sources it determines the batch.

    Attributes
    ----------
    seed
        Seeds of the batch, e.g. those of the run and the step.
    clips, frames, size
        Number of clips, frames of each, side of the images in pixels.
    objects
        Objects a clip; over 1 the clips are crowds.
    time
        Where the run is, for sources that change as it goes on.
    """

    seed: tuple[int, ...]
    clips: int
    frames: int
    size: int
    objects: int = 1
    time: int = 0


@dataclass(frozen=True, slots=True)
class ClipBatch:
    """Clips of the same length and size.

    Attributes
    ----------
    images
        ``(B, T, S, S, 3)`` uint8.
    masks
        ``(B * K, T, S, S)`` bool: K objects of the first clip, then those of the second.
    kinds
        Kind of each clip.
    """

    images: NDArray[np.uint8]
    masks: NDArray[np.bool_]
    kinds: tuple[str, ...]


def draw_batch(source: Sampler, request: BatchRequest) -> ClipBatch:
    """Draw the batch that a request stands for."""
    rng = np.random.default_rng(request.seed)
    source.clock.step = request.time
    if request.objects > 1:
        return _draw_crowds(source, request, rng)
    clips = [source.sample(rng, frames=request.frames, size=request.size) for _ in range(request.clips)]
    return ClipBatch(
        np.stack([clip.images for clip in clips]),
        np.stack([clip.masks for clip in clips]),
        tuple(clip.kind for clip in clips),
    )


def _draw_crowds(source: Sampler, request: BatchRequest, rng: np.random.Generator) -> ClipBatch:
    if source.crowds is None:
        raise ValueError("this source has no crowds: ask for one object a clip")
    crowds = [
        source.crowds.sample(rng, frames=request.frames, size=request.size, objects=request.objects)
        for _ in range(request.clips)
    ]
    images = np.stack([crowd.images for crowd in crowds])
    return ClipBatch(images, np.concatenate([crowd.masks for crowd in crowds]), ("crowd",) * request.clips)
