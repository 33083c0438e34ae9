"""What a memory policy is asked: whether a frame may enter a memory bank, and which entries another one reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Set

    from src_model.masks import MaskletFrame

RECENT_MEMORIES = 6
"""Spatial memories of recent frames that the network tells apart by age: SAM 2 learned seven time embeddings, and the
seventh is that of prompted frames."""


@dataclass(frozen=True, slots=True)
class MemoryPlan:
    """Which frames a frame will attend to, by kind.

    Attributes
    ----------
    spatial
        ``(frame, age)`` of every spatial memory; age 0 marks conditioning frames.
    pointers
        ``(frame, offset)`` of every object pointer.
    """

    spatial: tuple[tuple[int, int], ...]
    pointers: tuple[tuple[int, int], ...]

    @property
    def ages(self) -> tuple[int, ...]:
        """Ages of the spatial memories alone."""
        return tuple(age for _, age in self.spatial)

    @property
    def offsets(self) -> tuple[int, ...]:
        """Offsets of the object pointers alone."""
        return tuple(offset for _, offset in self.pointers)

    @property
    def counts(self) -> tuple[int, int]:
        """How many memories and pointers there are: objects of equal counts are tracked as one batch as they are."""
        return len(self.spatial), len(self.pointers)

    def only(self, frames: Container[int]) -> MemoryPlan:
        """Leave out the spatial memories of recent frames that are not among ``frames``."""
        return MemoryPlan(
            tuple((frame, age) for frame, age in self.spatial if not age or frame in frames), self.pointers
        )


@dataclass(frozen=True, slots=True)
class MemoryQuery:
    """What a frame could attend to.

    Attributes
    ----------
    frame
        The frame to be tracked.
    reverse
        Whether time runs backwards.
    conditioning
        Prompted frames, in the order in which they were stored.
    tracked
        Tracked frames that are held, or near ``frame`` and can be made again.
    horizon
        Frames that pointers may span.
    max_pointers
        Pointers of the tracked frames at most, plus one.
    is_unavailable
        Whether nothing of a frame can be read: its image is gone or damaged, and it left no memory.
    is_absent
        Whether a person said of a frame that the object is not there.
    """

    frame: int
    reverse: bool
    conditioning: tuple[int, ...]
    tracked: Set[int]
    horizon: int
    max_pointers: int
    is_unavailable: Callable[[int], bool]
    is_absent: Callable[[int], bool]


class MemoryPolicy(Protocol):
    """Decides what an object is remembered by. It holds no state of its own."""

    def admits(self, found: MaskletFrame) -> bool:
        """Whether a tracked frame may enter the bank, given what was found on it; prompted frames always do."""
        ...

    def plan(self, query: MemoryQuery) -> MemoryPlan:
        """Decide which entries the tracking of a frame reads."""
        ...
