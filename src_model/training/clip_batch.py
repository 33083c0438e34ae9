"""Batches of clips, made ahead of time by one background process."""

from __future__ import annotations

import multiprocessing
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
import torch
from torch import Tensor

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from src_model.training.clips import Clip
    from src_model.training.clips.crowds import CrowdSource


class Sampler(Protocol):
    """Whatever clips can be drawn from."""

    crowds: CrowdSource | None

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
    """

    seed: tuple[int, ...]
    clips: int
    frames: int
    size: int
    objects: int = 1


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


def network_images(images: NDArray[np.uint8], mean: tuple[float, ...], std: tuple[float, ...]) -> Tensor:
    """Normalise ``(..., S, S, 3)`` uint8 images to ``(..., 3, S, S)`` float32."""
    x = torch.from_numpy(images).float().div_(255)
    x = (x - torch.tensor(mean)) / torch.tensor(std)
    return x.movedim(-1, -3)


class BatchWorker:
    """A process of low priority that draws batches in the order in which they are requested.

    Parameters
    ----------
    make_source
        Called in the process; must be picklable.
    niceness
        Added to the priority of this process.
    """

    def __init__(self, make_source: Callable[[], Sampler], *, niceness: int = 5) -> None:
        context = multiprocessing.get_context("spawn")
        self._requests: multiprocessing.Queue[BatchRequest | None] = context.Queue()
        self._batches: multiprocessing.Queue[ClipBatch | str] = context.Queue()
        self._process = context.Process(
            target=_serve, args=(make_source, self._requests, self._batches, niceness), daemon=True
        )
        self._process.start()

    def request(self, request: BatchRequest) -> None:
        """Ask for a batch."""
        self._requests.put(request)

    def receive(self) -> ClipBatch:
        """Wait for the next batch; RuntimeError with the worker's message if it failed."""
        batch = self._batches.get(timeout=600)
        if isinstance(batch, str):
            raise RuntimeError(f"the clip worker failed: {batch}")
        return batch

    def close(self) -> None:
        """Stop the process."""
        self._requests.put(None)
        self._process.join(timeout=5)
        if self._process.is_alive():
            self._process.terminate()


def _serve(
    make_source: Callable[[], Sampler],
    requests: multiprocessing.Queue[BatchRequest | None],
    batches: multiprocessing.Queue[ClipBatch | str],
    niceness: int,
) -> None:
    os.nice(niceness)
    torch.set_num_threads(1)
    try:
        source = make_source()
        while (request := requests.get()) is not None:
            batches.put(draw_batch(source, request))
    except Exception as error:
        batches.put(f"{type(error).__name__}: {error}")
        raise
