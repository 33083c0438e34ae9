"""The batches of each step of a run: a function of the seed, the stage and the step, however often it is interrupted.

They are drawn ahead of time, in processes of low priority or in this one. Several training processes share the batches
of a step between them: together they compute what one would alone.
"""

from __future__ import annotations

import multiprocessing
import os
import queue
import signal
import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from training_recipe.clips import Clip
    from training_recipe.clips.crowds import CrowdSource
    from training_recipe.clips.simulated import Clock
    from training_recipe.recipe import StepPlan

_PATIENCE = 5.0
"""Seconds after which a worker that gave nothing is asked whether it is still alive."""

_AHEAD = 4
"""Steps whose batches are asked for at a time: workers never wait, and little is thrown away when a run stops."""

_STEPS_PER_STAGE = 1_000_000
"""Distance in time between stages, more than the steps of any, so that later ones see other simulated movies."""


class Sampler(Protocol):
    """Whatever clips can be drawn from; a clip depends on the clock and the generator alone."""

    crowds: CrowdSource | None
    clock: Clock

    def sample(self, rng: np.random.Generator, *, frames: int, size: int) -> Clip:
        """Draw a clip of ``frames`` frames of ``size`` x ``size`` pixels."""
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
        Steps of the run so far, for sources that change as it goes on; a million a stage.
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


class BatchMaker(Protocol):
    """Takes requests and gives the batches in the same order."""

    def request(self, request: BatchRequest) -> None:
        """Ask for a batch."""
        ...

    def receive(self) -> ClipBatch:
        """Wait for the next batch."""
        ...

    def close(self) -> None:
        """Stop."""
        ...


class InlineBatches:
    """Draws each batch when it is received."""

    def __init__(self, source: Sampler) -> None:
        self._source = source
        self._requests: deque[BatchRequest] = deque()

    def request(self, request: BatchRequest) -> None:
        """Ask for a batch."""
        self._requests.append(request)

    def receive(self) -> ClipBatch:
        """Draw the next batch."""
        return draw_batch(self._source, self._requests.popleft())

    def close(self) -> None:
        """Forget what was asked for."""
        self._requests.clear()


class BatchWorkers:
    """Processes that take turns in drawing batches, which arrive in the order in which they were requested.

    Parameters
    ----------
    make_source
        Called in each process; must be picklable.
    count
        Number of processes, 1 or more.
    niceness
        Added to their priority.
    """

    def __init__(self, make_source: Callable[[], Sampler], count: int = 1, *, niceness: int = 5) -> None:
        self._workers = [_Worker(make_source, niceness) for _ in range(count)]
        self._requested = self._received = 0

    def request(self, request: BatchRequest) -> None:
        """Ask for a batch."""
        self._workers[self._requested % len(self._workers)].requests.put(request)
        self._requested += 1

    def receive(self) -> ClipBatch:
        """Wait for the next batch; RuntimeError with the worker's message if it failed."""
        worker = self._workers[self._received % len(self._workers)]
        self._received += 1
        return worker.receive()

    def close(self) -> None:
        """Stop the processes."""
        for worker in self._workers:
            worker.close()


class _Worker:
    def __init__(self, make_source: Callable[[], Sampler], niceness: int) -> None:
        context = multiprocessing.get_context("spawn")
        self.requests: multiprocessing.Queue[BatchRequest | None] = context.Queue()
        self._batches: multiprocessing.Queue[ClipBatch | str] = context.Queue()
        given = (make_source, self.requests, self._batches, niceness)
        self._process = context.Process(target=_serve, args=given, daemon=True)
        self._process.start()

    def receive(self) -> ClipBatch:
        while True:
            try:
                batch = self._batches.get(timeout=_PATIENCE)
            except queue.Empty:
                if self._process.is_alive():
                    continue
                raise RuntimeError(f"the clip worker ended with exit code {self._process.exitcode}") from None
            if isinstance(batch, str):
                raise RuntimeError(f"the clip worker failed: {batch}")
            return batch

    def close(self) -> None:
        self.requests.put(None)
        # It may be waiting to hand over batches that nobody will receive.
        self._process.join(timeout=0.5)
        if self._process.is_alive():
            self._process.terminate()
            self._process.join()
        for channel in (self.requests, self._batches):
            channel.cancel_join_thread()
            channel.close()


def _serve(
    make_source: Callable[[], Sampler],
    requests: multiprocessing.Queue[BatchRequest | None],
    batches: multiprocessing.Queue[ClipBatch | str],
    niceness: int,
) -> None:
    # Ctrl-C in a terminal reaches every process of the group; only the trainer decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(os, "nice"):
        os.nice(niceness)
    try:
        source = make_source()
        while (request := requests.get()) is not None:
            batches.put(draw_batch(source, request))
    except Exception as error:
        batches.put(f"{type(error).__name__}: {error}")
        raise


@dataclass(frozen=True, slots=True)
class ProcessRank:
    """Which of the training processes this is: ``rank``, from 0, of ``world``."""

    rank: int = 0
    world: int = 1


@dataclass(frozen=True, slots=True)
class StepBatch:
    """One of the batches of a step, with its number among all of them, whichever process computes them."""

    index: int
    clips: ClipBatch


class StepBatches:
    """Asks for the batches of coming steps early enough.

    Parameters
    ----------
    maker
        Draws the batches, ahead of time or when they are received.
    seed
        Of the run, see :class:`~training_recipe.run_config.RunConfig`.
    rank
        Which of the training processes this is.
    """

    def __init__(self, maker: BatchMaker, seed: int, rank: ProcessRank) -> None:
        self._maker, self._seed, self._rank = maker, seed, rank
        self._asked: deque[tuple[StepPlan, list[int]]] = deque()

    def receive(
        self, stage: int, step: int, plan: Callable[[int, np.random.Generator], StepPlan], last_step: int | None
    ) -> tuple[StepPlan, list[StepBatch], float]:
        """Wait for the batches of a step that this process computes.

        Parameters
        ----------
        stage, step
            Steps come in order, without a gap.
        plan
            Draws what a step is made of.
        last_step
            The stage's last, where it is known: no more is asked for.

        Returns
        -------
        tuple
            The plan, the batches, and the seconds waited.
        """
        while len(self._asked) < _AHEAD:
            ahead = step + len(self._asked)
            if last_step is not None and ahead > last_step:
                break
            self._ask(stage, ahead, plan)
        chosen, indices = self._asked.popleft()
        began = time.monotonic()
        batches = [StepBatch(index, self._maker.receive()) for index in indices]
        return chosen, batches, time.monotonic() - began

    def drain(self) -> None:
        """Drop what was asked for beyond the last step of a stage."""
        while self._asked:
            _, indices = self._asked.popleft()
            for _ in indices:
                self._maker.receive()

    def _ask(self, stage: int, step: int, plan: Callable[[int, np.random.Generator], StepPlan]) -> None:
        chosen = plan(step, np.random.default_rng((self._seed, 0, stage, step)))
        each = -(-chosen.batches // self._rank.world)
        indices = [self._rank.rank + self._rank.world * turn for turn in range(each)]
        for index in indices:
            seed = (self._seed, 2, stage, step, index)
            when = stage * _STEPS_PER_STAGE + step
            request = BatchRequest(seed, chosen.clips, chosen.frames, chosen.size, chosen.objects, when)
            self._maker.request(request)
        self._asked.append((chosen, indices))


def rollout_seed(seed: int, stage: int, step: int, index: int) -> tuple[int, ...]:
    """Seed of the choices made in rolling out a batch."""
    return (seed, 1, stage, step, index)
