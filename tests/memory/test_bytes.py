"""What an object takes: seven spatial memories, with samples, and sixteen pointers, however long the movie."""

from __future__ import annotations

import pytest

from src_model.memory.target_model import PROMPTED_SAMPLES, TRACKED_SAMPLES
from tests.tracking import tiny

MAP, POINTER, LOGITS = 4 * 64 * 4 * 4, 4 * (256 + 1), 4 * 16 * 16
BOUND = 7 * MAP + 17 * POINTER + 2 * LOGITS
"""The pointer of the frame before the sixteen serves corrections of the last one; logits those of it and the prompt."""
PROMPTED, TRACKED = (sum(counts) * (2 * (256 + 64 + 32 + 1) + 4 + 4) for counts in (PROMPTED_SAMPLES, TRACKED_SAMPLES))
"""Samples of the target model; of tracked frames only those that the network was sure of have any."""


@pytest.fixture
def long_session(predictor):
    session = predictor.start(tiny.make_movie(50))
    session.prompt(0, 1, points=[tiny.CLICK])
    return session


def bound(bank) -> int:
    sure = sum(entry.samples is not None for entry in bank.recent.values())
    assert sure <= 6
    return BOUND + PROMPTED + sure * TRACKED


def spatial_memories(bank) -> int:
    return sum(entry.memory is not None for entry in bank.entries)


def test_an_object_takes_seven_spatial_memories_and_sixteen_pointers(long_session):
    bank = long_session.objects[1].bank
    for result in long_session.propagate():
        assert bank.nbytes <= bound(bank)
        if result.frame > 16:
            assert (spatial_memories(bank), len(bank.entries), bank.nbytes) == (7, 17, bound(bank))
    for _ in long_session.propagate(reverse=True):
        assert bank.nbytes <= bound(bank)


def test_no_entry_keeps_more_alive_than_it_holds(long_session):
    tiny.finish(long_session.propagate())
    for entry in long_session.objects[1].bank.entries:
        assert all(tensor.untyped_storage().nbytes() == tensor.nbytes for tensor in entry.tensors)


def test_many_corrections_one_after_the_other_hold_no_memories_but_those_of_the_last(long_session):
    tiny.finish(long_session.propagate())
    bank, held = long_session.objects[1].bank, []
    for frame in (12, 20, 28, 36):
        long_session.prompt(frame, 1, points=[(30, 40)], labels=[0])
        held.append(spatial_memories(bank))
    assert held[1:] == [held[0]] * 3
    tiny.finish(long_session.propagate(37))
    assert spatial_memories(bank) == 5 + 6
