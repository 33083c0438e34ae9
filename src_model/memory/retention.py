"""How much of a frame a memory bank keeps: what can still be attended to, and no more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from src_model.memory.policy import RECENT_MEMORIES

if TYPE_CHECKING:
    from src_model.memory.entry import MemoryEntry


@dataclass(frozen=True, slots=True)
class Retention:
    """What is kept of tracked frames by their distance from the last one, and of how many prompted frames.

    Attributes
    ----------
    span
        Frames on either side of the last tracked one of which the pointer is kept. None: every frame stays whole.
    memories
        Frames nearest to the last tracked one, itself included, whose spatial memories are kept.
    conditioning
        Prompted frames whose entry is kept; those of others are made again when needed. None: all.
    for_corrections
        Keep the logits of the last tracked frame and of prompted frames, which corrections start from. Elsewhere, and
        where this is off, they start from the mask.
    """

    # Sixteen pointers are attended to, and one is that of the prompted frame.
    span: int | None = 15
    memories: int = RECENT_MEMORIES
    # More than the four that one frame attends to, since other frames attend to others of them.
    conditioning: int | None = 16
    for_corrections: bool = True

    def of_tracked(self, entry: MemoryEntry, distance: int) -> MemoryEntry | None:
        """Return what is kept of a tracked frame this far from the last one; None: nothing."""
        if self.span is None:
            return entry
        if distance > self.span:
            return None
        if distance >= self.memories:
            return entry.pointer_alone()
        return entry if self.for_corrections and distance == 0 else entry.without_logits()

    def of_prompted(self, entry: MemoryEntry) -> MemoryEntry:
        """Return what is kept of a prompted frame."""
        return entry if self.for_corrections else entry.without_logits()
