"""Memories made in one window and read in another."""

from __future__ import annotations

import pytest
import torch

from src_model.masks.window import Window
from src_model.memory.reading import MemoryReader
from src_model.memory.warping import warped
from tests.tracking import tiny
from tests.tracking.windows import scenes

PLACE = (100, 150)


@pytest.fixture
def still():
    """A cell that was followed in one window, what reads its memories, and the plan of the next frame."""
    session = scenes.predictor().start(scenes.field([PLACE] * 5))
    session.prompt(0, 1, box=scenes.box_of(PLACE))
    tiny.finish(session.propagate(stop=4))
    reader = MemoryReader(session.steps, session._features, 16)
    item = session.objects[1]
    return item, reader, reader.plan(item, 4, reverse=False)


def read(still, window) -> torch.Tensor:
    item, reader, plan = still
    return reader.tokens([item], [plan], [window]).memories


def window_of(still) -> Window:
    return still[0].bank.entry(3).window


def test_in_their_own_window_memories_are_read_as_they_are(still):
    memories = read(still, window_of(still))
    for number, frame in enumerate(frame for frame, _ in still[2].spatial):
        assert torch.equal(memories[:, number], still[0].bank.entry(frame).memory)


def test_in_a_moved_window_they_are_resampled_and_stay_what_they_were(still):
    here = window_of(still)
    there = here.moved_to((PLACE[0] + 12, PLACE[1] - 12), scenes.FIELD)
    before = still[0].bank.entry(3).memory.clone()
    memories = read(still, there)
    box = still[0].masklet.mask_at(3).box
    middle = ((box[0] + box[2]) / 2, (box[1] + box[3]) / 2)
    assert torch.equal(memories[:, -1], warped(before, here, there, middle))
    assert torch.equal(still[0].bank.entry(3).memory, before)
    assert still[0].bank.entry(3).window == here


def test_at_another_scale_they_are_made_again_and_pointers_carry_over(still):
    pointer = still[0].bank.entry(3).pointer
    large = Window((0, 50, 192, 242), 64)
    memories = read(still, large)
    entry = still[0].bank.entry(3)
    assert entry.window == large
    assert entry.pointer is pointer
    assert torch.equal(memories[:, -1], entry.memory)


def test_a_look_at_the_whole_frame_leaves_the_memories_of_the_window_in_place(still):
    here, before = window_of(still), still[0].bank.entry(3).memory
    memories = read(still, None)
    entry = still[0].bank.entry(3)
    assert (entry.window, entry.memory) == (here, before)
    assert torch.equal(memories[:, -1], entry.overview)
    assert torch.equal(read(still, None), memories)


def test_memories_that_are_gone_are_made_again_in_the_window_they_are_needed_in(still):
    here = window_of(still)
    still[0].forget_memories()
    assert read(still, here).shape == (1, 4, 64, 4, 4)
    assert {still[0].bank.entry(frame).window for frame in range(4)} == {here}


def test_an_object_outside_the_window_is_made_a_memory_in_a_window_around_it(still):
    still[0].forget_memories()
    far = Window((240, 300, 288, 348), 64)
    read(still, far)
    assert all(still[0].bank.entry(frame).window.holds(scenes.box_of(PLACE), scenes.FIELD) for frame in range(4))
