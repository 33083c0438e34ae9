"""What is kept of an object's memory between two requests of a service, apart from any movie."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from src_model.memory.bank import MemoryBank
from src_model.memory.retention import Retention

if TYPE_CHECKING:
    from collections.abc import Mapping

    from src_model.memory.entry import MemoryEntry
    from src_model.memory.policy import MemoryPolicy

BETWEEN_REQUESTS = Retention(span=14, memories=10, conditioning=6, for_corrections=False)
"""Six recent spatial memories are attended to. Four more are for going back some frames: no earlier image is at hand
from which they could be made again. Logits are dropped, because a correction brings a shape to start from."""


@dataclass(frozen=True, slots=True)
class StoredMemory:
    """The memory of one object as a value that never changes.

    Going on from it makes another one, which shares the tensors of all frames but the newest.

    Attributes
    ----------
    conditioning
        Entries of frames that the object was drawn or corrected on, by step: the number of frames since it was drawn.
    recent
        Entries of the last tracked frames, by step.
    """

    conditioning: Mapping[int, MemoryEntry]
    recent: Mapping[int, MemoryEntry]

    @classmethod
    def of(cls, bank: MemoryBank, frame: int, step: int) -> StoredMemory:
        """Take what later frames may attend to from a bank of :data:`BETWEEN_REQUESTS`.

        Parameters
        ----------
        bank
            The object's memory bank; what it need not keep is dropped from it.
        frame
            The frame tracked last, as the bank counts.
        step
            The step that this frame is.
        """
        bank.retain(frame)
        prompted = {number: entry for number, entry in bank.conditioning.items() if entry is not None}
        conditioning, recent = (
            {number + step - frame: _without_overview(entry) for number, entry in sorted(entries.items())}
            for entries in (prompted, bank.recent)
        )
        return cls(conditioning, recent)

    @property
    def entries(self) -> tuple[MemoryEntry, ...]:
        """All entries."""
        return (*self.conditioning.values(), *self.recent.values())

    def bank(self, policy: MemoryPolicy, *, last: int, offset: int) -> MemoryBank:
        """Make a memory bank of it.

        Parameters
        ----------
        policy
            Which entries are read.
        last
            The last step that is taken, as if later ones had never been.
        offset
            What is added to a step for the frame number in the bank.
        """
        bank = MemoryBank(policy, BETWEEN_REQUESTS)
        bank.conditioning |= {step + offset: entry for step, entry in self.conditioning.items() if step <= last}
        bank.recent |= {step + offset: entry for step, entry in self.recent.items() if step <= last}
        return bank


def _without_overview(entry: MemoryEntry) -> MemoryEntry:
    """Drop the memory of the whole frame beside that of a window: it can be read on the frame of its request alone."""
    return entry if entry.overview is None else replace(entry, overview=None)
