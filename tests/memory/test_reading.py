"""Memories that are no longer held are made again from the masks."""

from __future__ import annotations

import pytest
import torch

from src_model.memory.fifo import FifoPolicy
from src_model.memory.reading import MemoryReader
from tests.tracking import tiny


def reader_of(session) -> MemoryReader:
    return MemoryReader(session.steps, session.features, session.steps.network.config.max_pointers)


@pytest.fixture
def forgetful(tracked):
    """A tracked object that holds masks but no memories, and what reads them."""
    item = tracked.objects[1]
    item.forget_memories()
    return item, reader_of(tracked)


def test_the_six_tracked_neighbours_in_tracking_direction_are_available(forgetful):
    item, reader = forgetful
    assert [frame for frame, age in reader.plan(item, 9, reverse=False).spatial if age] == [3, 4, 5, 6, 7, 8]
    assert [frame for frame, age in reader.plan(item, 2, reverse=True).spatial if age] == [8, 7, 6, 5, 4, 3]


def test_frames_without_a_mask_are_not_available(forgetful):
    item, reader = forgetful
    item.masklet.delete(7)
    del item.directions[5]
    assert [frame for frame, age in reader.plan(item, 9, reverse=False).spatial if age] == [3, 4, 6, 8]


@pytest.mark.parametrize(("frame", "binarize"), [(0, True), (4, False)])
def test_a_memory_made_again_is_that_of_the_stored_mask_and_a_hard_one_on_prompted_frames(forgetful, frame, binarize):
    item, reader = forgetful
    memory = reader.tokens([item], [reader.plan(item, 5, reverse=False)])
    steps, features = reader.steps, reader.features(frame)
    expected = steps.take_mask(features, item.masklet.mask_at(frame))
    steps.add_memory(expected, features, binarize=binarize)
    place = [number for number, _ in reader.plan(item, 5, reverse=False).spatial].index(frame)
    torch.testing.assert_close(memory.memories[:, place], expected.memory)
    place = [number for number, _ in reader.plan(item, 5, reverse=False).pointers].index(frame)
    torch.testing.assert_close(memory.pointers[:, place], expected.pointer)


def test_what_was_made_again_is_held_from_then_on(forgetful):
    item, reader = forgetful
    reader.tokens([item], [reader.plan(item, 5, reverse=False)])
    assert item.bank.conditioning[0] is not None
    assert sorted(item.bank.recent) == [1, 2, 3, 4]


def test_objects_of_equal_history_are_read_as_one_batch(clicked):
    clicked.prompt(0, 2, points=[tiny.OTHER_CLICK])
    tiny.finish(clicked.propagate())
    reader = MemoryReader(clicked.steps, clicked.features, 16)
    items = list(clicked.objects.values())
    plans = [reader.plan(item, 9, reverse=False) for item in items]
    together = reader.tokens(items, plans)
    assert together.memories.shape == (2, 7, 64, 4, 4)
    assert together.pointers.shape == (2, 9, 256)
    for row, (item, plan) in enumerate(zip(items, plans, strict=True)):
        assert torch.equal(reader.tokens([item], [plan]).memories[0], together.memories[row])


def test_objects_that_started_on_different_frames_are_read_as_one_batch_with_padding(clicked):
    clicked.prompt(6, 2, points=[tiny.OTHER_CLICK])
    tiny.finish(clicked.propagate())
    reader = MemoryReader(clicked.steps, clicked.features, 16)
    items = list(clicked.objects.values())
    plans = [reader.plan(item, 9, reverse=False) for item in items]
    assert [plan.counts for plan in plans] == [(7, 9), (3, 3)]
    memory = reader.tokens(items, plans)
    assert memory.ages == ((0, 6, 5, 4, 3, 2, 1), (0, 2, 1))
    assert memory.is_padded
    alone = reader.tokens(items[1:], plans[1:])
    assert torch.equal(alone.memories[0], memory.memories[1, :3])
    assert not memory.memories[1, 3:].any()
    assert torch.equal(alone.pointers[0], memory.pointers[1, :3])
    assert not memory.pointers[1, 3:].any()


def test_a_frame_before_every_prompt_has_memories_but_no_pointers(session):
    session.prompt(5, 1, points=[tiny.CLICK])
    item = session.objects[1]
    tiny.finish(session.propagate())
    reader = MemoryReader(session.steps, session.features, 16)
    memory = reader.tokens([item], [reader.plan(item, 2, reverse=False)])
    assert memory.ages == ((0,),)
    assert memory.pointers.shape == (1, 0, 256)


def test_a_spatial_memory_that_was_dropped_is_made_again_from_the_mask_and_the_pointer_stays_exact(tracked):
    item, reader = tracked.objects[1], reader_of(tracked)
    pointer = item.bank.entry(3).pointer
    assert item.bank.entry(3).memory is None
    memory = reader.tokens([item], [reader.plan(item, 4, reverse=False)])
    expected = reader.steps.take_mask(reader.features(3), item.masklet.mask_at(3))
    expected.object_logits = item.bank.entry(3).object_logits
    reader.steps.add_memory(expected, reader.features(3), binarize=False)
    assert torch.equal(memory.memories[:, -1], expected.memory)
    assert item.bank.entry(3).pointer is pointer
    assert item.bank.entry(3).memory is not None


def test_frames_whose_images_are_gone_are_attended_to_by_what_is_held_of_them(tracked):
    item = tracked.objects[1]
    reader = MemoryReader(tracked.steps, tracked.features, 16, is_gone=lambda frame: frame < 9)
    plan = reader.plan(item, 9, reverse=False)
    assert [frame for frame, age in plan.spatial if age] == [4, 5, 6, 7, 8]
    assert {frame for frame, _ in plan.pointers} == set(range(9))
    del item.bank.recent[6], item.bank.recent[2]
    plan = reader.plan(item, 9, reverse=False)
    assert [frame for frame, age in plan.spatial if age] == [4, 5, 7, 8]
    assert {frame for frame, _ in plan.pointers} == {0, 1, 3, 4, 5, 7, 8}


class SurePolicy(FifoPolicy):
    """Lets in frames that are sure enough."""

    def admits(self, found) -> bool:
        return found.score >= self.least

    least = 2.0


def test_frames_that_the_policy_does_not_let_in_are_neither_held_nor_made_again(clicked):
    item = clicked.objects[1]
    item.bank.policy = SurePolicy()
    tiny.finish(clicked.propagate())
    assert not item.bank.recent
    assert item.masklet.frames == tuple(range(tiny.LENGTH))
    plan = reader_of(clicked).plan(item, 9, reverse=False)
    assert (plan.spatial, plan.pointers) == (((0, 0),), ((0, 9),))
