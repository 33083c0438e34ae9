"""Batches are a function of seed, stage and step, whoever draws them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

pytest.importorskip("cv2", reason="making clips needs the extra 'recipe'")

from tests.training_recipe.tiny import Discs
from training_recipe.batches import BatchRequest, BatchWorkers, InlineBatches, ProcessRank, StepBatches
from training_recipe.recipe import StepPlan

if TYPE_CHECKING:
    import numpy as np


def plan(step: int, rng: np.random.Generator) -> StepPlan:
    return StepPlan(64, int(rng.integers(1, 4)), 1, batches=4)


def drawn(first: int, last: int, *, rank: ProcessRank | None = None) -> dict[tuple[int, int], bytes]:
    """Images of each batch by step and index."""
    batches = StepBatches(InlineBatches(Discs()), 5, rank or ProcessRank())
    found = {}
    for step in range(first, last + 1):
        _, received, _ = batches.receive(0, step, plan, last)
        found |= {(step, batch.index): batch.clips.images.tobytes() for batch in received}
    return found


def test_a_resumed_run_draws_the_clips_that_an_uninterrupted_one_would():
    whole = drawn(0, 4)
    assert drawn(3, 4) == {key: value for key, value in whole.items() if key[0] >= 3}
    assert len(set(whole.values())) == len(whole)


def test_two_processes_share_what_one_would_compute():
    first, second = (drawn(0, 2, rank=ProcessRank(index, 2)) for index in range(2))
    assert not first.keys() & second.keys()
    assert first | second == drawn(0, 2)


def test_every_process_gets_as_many_batches_as_the_others():
    shares = [drawn(0, 0, rank=ProcessRank(index, 3)) for index in range(3)]
    assert [len(share) for share in shares] == [2, 2, 2]


def test_a_stage_leaves_nothing_behind():
    maker = InlineBatches(Discs())
    batches = StepBatches(maker, 5, ProcessRank())
    batches.receive(0, 0, plan, None)
    batches.drain()
    assert not maker._requests


@pytest.mark.slow
def test_workers_hand_batches_over_in_the_order_of_requests():
    workers = BatchWorkers(Discs, 2)
    requests = [BatchRequest((seed,), 1, 1 + seed % 2, 64) for seed in range(5)]
    try:
        for request in requests:
            workers.request(request)
        lengths = [workers.receive().images.shape[1] for _ in requests]
    finally:
        workers.close()
    assert lengths == [1, 2, 1, 2, 1]


@pytest.mark.slow
def test_a_worker_that_fails_says_why():
    workers = BatchWorkers(Discs)
    workers.request(BatchRequest((0,), 1, 1, 64, objects=2))
    with pytest.raises(RuntimeError, match="the clip worker failed: ValueError: this source has no crowds"):
        workers.receive()
    workers.close()
