"""Reading memory banks: which memories a frame attends to, made again where they are no longer held."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from src_model.nn import ImageFeatures, MemoryTokens

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from src_model.tracking.memory_bank import MemoryEntry, MemoryPlan
    from src_model.tracking.network_steps import NetworkSteps
    from src_model.tracking.tracked_object import TrackedObject

_RESTORED_FRAMES = 6
"""How many already tracked neighbours of a frame are made memories again when tracking starts beside them."""


@dataclass(frozen=True, slots=True)
class Recall:
    """Turns memory banks into what the memory attention takes.

    Attributes
    ----------
    steps
        The network.
    features
        Gives the image features of a frame.
    horizon
        Frames that object pointers may span.
    """

    steps: NetworkSteps
    features: Callable[[int], ImageFeatures]
    horizon: int

    def plan(self, item: TrackedObject, frame: int, *, reverse: bool) -> MemoryPlan:
        """Decide what ``frame`` attends to, counting neighbours whose masks are known as available."""
        step = 1 if reverse else -1
        neighbours = range(frame + step, frame + step * (_RESTORED_FRAMES + 1), step)
        available = [number for number in neighbours if number in item.directions]
        return item.bank.plan(
            frame,
            reverse=reverse,
            available=[number for number in available if number in item.masklet],
            horizon=self.horizon,
            max_pointers=self.steps.network.config.max_pointers,
        )

    def tokens(self, items: Sequence[TrackedObject], plans: Sequence[MemoryPlan]) -> MemoryTokens:
        """Collect the memory of objects whose plans have equal layout as one batch."""
        ages, offsets = plans[0].layout
        memories, pointers = [], []
        for item, plan in zip(items, plans, strict=True):
            spatial = [self._entry(item, frame, spatial=True).memory for frame, _ in plan.spatial]
            memories.append(torch.stack([memory for memory in spatial if memory is not None], dim=1))
            rows = [self._entry(item, frame, spatial=False).pointer for frame, _ in plan.pointers]
            pointers.append(torch.stack(rows, dim=1) if rows else memories[-1].new_zeros(1, 0, self._width))
        return MemoryTokens(
            torch.cat(memories), ages, torch.cat([rows.to(self._dtype) for rows in pointers]), offsets, self.horizon
        )

    @property
    def _width(self) -> int:
        return self.steps.network.config.width

    @property
    def _dtype(self) -> torch.dtype:
        return self.steps.network.no_obj_ptr.dtype

    def _entry(self, item: TrackedObject, frame: int, *, spatial: bool) -> MemoryEntry:
        """Return what a frame left, made again from its mask if it is no longer held."""
        entry = item.bank.entry(frame)
        if entry is None:
            entry = self._restored(item, frame)
        if spatial and entry.memory is None:
            self.steps.add_memory(entry, self.features(frame), binarize=frame in item.prompts)
        return entry

    def _restored(self, item: TrackedObject, frame: int) -> MemoryEntry:
        mask = item.masklet.mask_at(frame)
        assert mask is not None, "plans name only frames whose masks are known"
        entry = self.steps.take_mask(self.features(frame), mask)
        if frame in item.bank.conditioning:
            item.bank.condition(frame, entry)
        else:
            item.bank.recent[frame] = entry
        return entry
