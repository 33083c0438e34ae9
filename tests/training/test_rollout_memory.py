"""Memory in training is memory in use."""

from __future__ import annotations

import torch

from src_model.training.rollout import RolloutMemory


def memory_of(frames: int, *, prompted: tuple[int, ...] = (0,)) -> RolloutMemory:
    memory = RolloutMemory(max_pointers=16)
    for frame in range(frames):
        value = float(frame)
        memory.add(frame, torch.full((1, 64, 2, 2), value), torch.full((1, 256), value), prompted=frame in prompted)
    return memory


def test_it_holds_the_prompted_frame_and_the_six_latest_ones() -> None:
    tokens = memory_of(9).tokens(9)
    assert tokens.ages == ((0, 6, 5, 4, 3, 2, 1),)
    assert tokens.memories[0, :, 0, 0, 0].tolist() == [0, 3, 4, 5, 6, 7, 8]
    assert tokens.pointer_offsets == ((9, 1, 2, 3, 4, 5, 6, 7, 8),)
    assert tokens.pointers[0, :, 0].tolist() == [0, 8, 7, 6, 5, 4, 3, 2, 1]


def test_the_first_frame_is_not_doubled() -> None:
    tokens = memory_of(1).tokens(1)
    assert tokens.ages == ((0,),)
    assert tokens.pointer_offsets == ((1,),)


def test_a_corrected_frame_conditions_and_hides_what_it_corrected() -> None:
    tokens = memory_of(6, prompted=(0, 3)).tokens(6)
    assert tokens.ages == ((0, 0, 2, 1),)
    assert tokens.memories[0, :, 0, 0, 0].tolist() == [0, 3, 4, 5]
    assert tokens.pointer_offsets == ((6, 3, 1, 2),)


def test_a_frame_prompted_ahead_is_seen_by_the_frames_before_it() -> None:
    memory = RolloutMemory(max_pointers=16)
    for frame in (0, 4):
        memory.add(frame, torch.full((1, 64, 2, 2), float(frame)), torch.zeros(1, 256), prompted=True)
    tokens = memory.tokens(1)
    assert tokens.ages == ((0, 0),)
    assert tokens.memories[0, :, 0, 0, 0].tolist() == [0, 4]
    # Pointers come from the past alone.
    assert tokens.pointer_offsets == ((1,),)
