"""The batches of each step of a run: a function of the seed, the stage and the step, however often it is interrupted.

Several training processes share the batches of a step between them: together they compute what one would alone.
"""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from src_model.training.clip_batch import BatchRequest, ClipBatch

if TYPE_CHECKING:
    from collections.abc import Callable

    from src_model.training.batch_workers import BatchMaker
    from src_model.training.recipe import StepPlan

_AHEAD = 4
_STEPS_PER_STAGE = 1_000_000
"""Distance in time between stages, more than the steps of any, so that later ones see other movies."""


@dataclass(frozen=True, slots=True)
class Place:
    """Which of the training processes this is."""

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
        Draws them.
    seed
        Of the run.
    place
        Of this process.
    """

    def __init__(self, maker: BatchMaker, seed: int, place: Place) -> None:
        self._maker, self._seed, self._place = maker, seed, place
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
        each = -(-chosen.batches // self._place.world)
        indices = [self._place.rank + self._place.world * turn for turn in range(each)]
        for index in indices:
            seed = (self._seed, 2, stage, step, index)
            when = stage * _STEPS_PER_STAGE + step
            request = BatchRequest(seed, chosen.clips, chosen.frames, chosen.size, chosen.objects, when)
            self._maker.request(request)
        self._asked.append((chosen, indices))


def rollout_seed(seed: int, stage: int, step: int, index: int) -> tuple[int, ...]:
    """Seed of the choices made in rolling out a batch."""
    return (seed, 1, stage, step, index)
