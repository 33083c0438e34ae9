"""What is kept of a memory bank between two requests."""

from __future__ import annotations

import torch

from src_model.memory.bank import MemoryBank
from src_model.memory.entry import MemoryEntry
from src_model.memory.fifo import FifoPolicy
from src_model.memory.stored import BETWEEN_REQUESTS, StoredMemory


def bank_of(frames: range) -> MemoryBank:
    """A bank that was prompted on the first of some frames and tracked on the others."""
    bank = MemoryBank(FifoPolicy(), BETWEEN_REQUESTS)
    bank.condition(frames[0], entry())
    for frame in frames[1:]:
        bank.remember(frame, entry())
    return bank


def entry() -> MemoryEntry:
    overview = torch.zeros(1, 4)
    return MemoryEntry(torch.zeros(1, 1, 9, 9), torch.zeros(1, 1), torch.zeros(1, 8), torch.zeros(1, 4), None, overview)


def test_of_a_frame_only_what_is_attended_to_is_kept():
    stored = StoredMemory.of(bank_of(range(50, 53)), 52, 2)
    assert all(kept.logits is None and kept.overview is None for kept in stored.entries)
    assert all(kept.memory is not None for kept in stored.entries)


def test_frames_are_counted_from_the_first_one():
    stored = StoredMemory.of(bank_of(range(50, 53)), 52, 2)
    assert (sorted(stored.conditioning), sorted(stored.recent)) == ([0], [1, 2])


def test_a_bank_made_of_it_goes_on_from_any_step():
    stored = StoredMemory.of(bank_of(range(50, 60)), 59, 9)
    bank = stored.bank(FifoPolicy(), last=4, offset=100)
    assert (sorted(bank.conditioning), sorted(bank.recent)) == ([100], [101, 102, 103, 104])
    bank.remember(105, entry())
    assert sorted(stored.recent) == list(range(1, 10)), "it never changes"
