"""Memory banks made up for tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from src_model.memory.entry import MemoryEntry
from src_model.tracking.settings import PRESETS

if TYPE_CHECKING:
    from src_model.memory.bank import MemoryBank


def entry() -> MemoryEntry:
    return MemoryEntry(torch.zeros(1, 1, 4, 4), torch.ones(1, 1), torch.zeros(1, 256), torch.zeros(1, 64, 4, 4))


def bank_with(conditioning=(), recent=(), settings=PRESETS["default"]) -> MemoryBank:
    bank = settings.new_memory_bank()
    for frame in conditioning:
        bank.condition(frame, entry())
    bank.recent = {frame: entry() for frame in recent}
    return bank
