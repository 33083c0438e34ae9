"""The memory bank of one object: what earlier frames left behind for the memory attention (SAM 2, section 4)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from src_model.memory.policy import MemoryPlan, MemoryPolicy, MemoryQuery

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from src_model.memory.entry import MemoryEntry
    from src_model.memory.retention import Retention


def _nowhere(_: int) -> bool:
    return False


@dataclass(slots=True)
class MemoryBank:
    """Memories of one object, bounded whatever the movie's length.

    Attributes
    ----------
    policy
        Which frames enter and which are read.
    retention
        What is kept of them.
    conditioning
        Prompted frames. Those over the limit are known but hold None.
    recent
        Tracked frames around the last one.
    last
        The tracked frame stored last.
    """

    policy: MemoryPolicy
    retention: Retention
    conditioning: dict[int, MemoryEntry | None] = field(default_factory=dict)
    recent: dict[int, MemoryEntry] = field(default_factory=dict)
    last: int | None = None

    @property
    def entries(self) -> tuple[MemoryEntry, ...]:
        """All that is held."""
        return (*(entry for entry in self.conditioning.values() if entry is not None), *self.recent.values())

    @property
    def nbytes(self) -> int:
        """Bytes of all tensors held."""
        return sum(entry.nbytes for entry in self.entries)

    def entry(self, frame: int) -> MemoryEntry | None:
        """Return what is held of a frame, as conditioning or recent memory."""
        return self.conditioning.get(frame) or self.recent.get(frame)

    def condition(self, frame: int, entry: MemoryEntry) -> None:
        """Store a prompted frame; the least recently stored ones give up their memory when there are too many.

        Never the first: it is always attended to, and in a live stream its image may be gone.
        """
        self.recent.pop(frame, None)
        self.conditioning.pop(frame, None)
        self.conditioning[frame] = self.retention.of_prompted(entry)
        kept = self.retention.conditioning
        if kept is None:
            return
        first = min(self.conditioning)
        held = [number for number, known in self.conditioning.items() if known is not None and number != first]
        for number in held[: max(0, len(held) + 1 - kept)]:
            self.conditioning[number] = None

    def expect(self, frame: int) -> None:
        """Take a frame as prompted whose memory is made when it is first needed."""
        self.recent.pop(frame, None)
        self.conditioning[frame] = None

    def remember(self, frame: int, entry: MemoryEntry) -> None:
        """Store a tracked frame, and drop of the others what can no longer be attended to."""
        self.recent[frame] = entry
        self.last = frame
        self.retain(frame)

    def restore(self, frame: int, entry: MemoryEntry) -> None:
        """Store a frame that was made again, as what it was: a prompted or a tracked one."""
        if frame not in self.conditioning:
            self.recent[frame] = entry
        elif self.conditioning[frame] is None:
            self.condition(frame, entry)
        else:
            self.conditioning[frame] = entry

    def retain(self, *around: int) -> None:
        """Keep of tracked frames what the retention grants around any of some frames."""
        for number, entry in list(self.recent.items()):
            kept = self.retention.of_tracked(entry, min(abs(number - frame) for frame in around))
            if kept is None:
                del self.recent[number]
            else:
                self.recent[number] = kept

    def forget(self, frame: int) -> None:
        """Drop everything held of a frame."""
        self.conditioning.pop(frame, None)
        self.recent.pop(frame, None)

    def plan(
        self,
        frame: int,
        *,
        reverse: bool,
        available: Iterable[int],
        horizon: int,
        max_pointers: int,
        is_unavailable: Callable[[int], bool] = _nowhere,
        is_absent: Callable[[int], bool] = _nowhere,
    ) -> MemoryPlan:
        """Ask the policy which frames the tracking of ``frame`` attends to.

        Parameters
        ----------
        available
            Tracked frames near ``frame`` that can be made again.
        frame, reverse, horizon, max_pointers, is_unavailable, is_absent
            As in :class:`~src_model.memory.policy.MemoryQuery`.
        """
        tracked = self.recent.keys() | set(available)
        prompted = tuple(self.conditioning)
        query = MemoryQuery(frame, reverse, prompted, tracked, horizon, max_pointers, is_unavailable, is_absent)
        return self.policy.plan(query)
