"""The policy of SAM 2 (section 4): prompted frames, and the most recent ones, first in, first out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from src_model.memory.policy import RECENT_MEMORIES, MemoryPlan, MemoryQuery

if TYPE_CHECKING:
    from src_model.masks import MaskletFrame


@dataclass(frozen=True, slots=True)
class FifoPolicy:
    """Every tracked frame enters, and the latest are read.

    Attributes
    ----------
    max_conditioning
        Prompted frames that are read: the first one and those nearest in time. None: all.
    prompts_bound_memory
        Look no further back for recent frames than to the nearest prompted one.
    absence_is_local
        Do not read frames of which a person said that the object is not there.
    """

    max_conditioning: int | None = 4
    prompts_bound_memory: bool = True
    absence_is_local: bool = True

    def admits(self, found: MaskletFrame) -> bool:
        """Let every frame in."""
        return True

    def plan(self, query: MemoryQuery) -> MemoryPlan:
        """Choose prompted frames, six recent spatial memories, and the pointers that the horizon reaches.

        Frames that are passed over leave gaps. Conditioning frames are not passed over if there are no others.
        """
        frame, step = query.frame, 1 if query.reverse else -1
        selected = self._nearest_conditioning(query)
        past = [number for number in selected if step * (number - frame) >= 0]
        usable = (query.tracked | set(query.conditioning)) - set(selected) - {frame}
        reach = min(query.horizon, query.max_pointers) - 1
        if self.prompts_bound_memory and past:
            reach = min([reach, *(step * (number - frame) for number in past)])
        ages = [age for age in range(1, reach + 1) if frame + step * age in usable]
        recent = [(frame + step * age, age) for age in ages if not self._passes_over(query, frame + step * age)]
        spatial = [(number, 0) for number in selected]
        spatial += [(number, age) for number, age in reversed(recent) if age <= RECENT_MEMORIES]
        pointers = [(number, step * (number - frame)) for number in past]
        return MemoryPlan(tuple(spatial), tuple(pointers + recent))

    def _passes_over(self, query: MemoryQuery, frame: int) -> bool:
        return query.is_unavailable(frame) or (self.absence_is_local and query.is_absent(frame))

    def _nearest_conditioning(self, query: MemoryQuery) -> list[int]:
        """Choose the first prompted frame and the nearest others, in order of time."""
        limit = self.max_conditioning
        known = query.conditioning
        stored = [number for number in known if not self._passes_over(query, number)] or list(known)
        frames = sorted(stored)
        if limit is None or len(frames) <= limit:
            return stored if limit is None else frames
        nearest = sorted(frames[1:], key=lambda number: (abs(number - query.frame), number))
        return sorted([frames[0], *nearest[: limit - 1]])
