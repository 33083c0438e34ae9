"""What a batch of objects remembers of a clip: the frames that tracking would remember, at the ages it would see."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from src_model.memory.entry import MemoryEntry
from src_model.nn import MemoryTokens
from src_model.tracking.settings import PRESETS

if TYPE_CHECKING:
    from src_model.memory.bank import MemoryBank


def _default_bank() -> MemoryBank:
    return PRESETS["default"].new_memory_bank()


@dataclass(slots=True)
class RolloutMemory:
    """Memory bank of a batch of objects that are prompted on the same frames.

    Attributes
    ----------
    max_pointers
        Object pointers attended to at most.
    bank
        The bank of tracking; its entries hold all objects of the batch.
    """

    max_pointers: int
    bank: MemoryBank = field(default_factory=_default_bank)

    def add(self, frame: int, memory: Tensor, pointer: Tensor, *, prompted: bool) -> None:
        """Remember a frame: ``(B, 64, h, w)`` and ``(B, 256)``."""
        entry = MemoryEntry(None, pointer.new_empty(0), pointer, memory)
        if prompted:
            self.bank.condition(frame, entry)
        else:
            self.bank.remember(frame, entry)

    def tokens(self, frame: int) -> MemoryTokens:
        """Give what tracking would attend to on a frame."""
        horizon = self.max_pointers
        plan = self.bank.plan(frame, reverse=False, available=(), horizon=horizon, max_pointers=horizon)
        memories = [memory for number, _ in plan.spatial if (memory := self._entry(number).memory) is not None]
        pointers = [self._entry(number).pointer for number, _ in plan.pointers]
        together = torch.stack(memories, dim=1), (plan.ages,), torch.stack(pointers, dim=1), (plan.offsets,)
        return MemoryTokens(*together, horizon)

    def _entry(self, frame: int) -> MemoryEntry:
        entry = self.bank.entry(frame)
        assert entry is not None, "a clip is shorter than what a bank keeps"
        return entry
