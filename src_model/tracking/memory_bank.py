"""The memory bank of one object: what earlier frames left behind for the memory attention (SAM 2, section 4)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable

    from torch import Tensor

    from src_model.tracking.settings import TrackingSettings
    from src_model.tracking.windows.window import Window

_RECENT_MEMORIES = 6


@dataclass(slots=True)
class MemoryEntry:
    """What one frame left in the bank.

    Attributes
    ----------
    logits
        ``(1, 1, S / 4, S / 4)`` mask logits.
    object_logits
        ``(1, 1)`` occlusion score.
    pointer
        ``(1, 256)`` object pointer.
    memory
        ``(1, 64, h, w)`` spatial memory; None until it is first needed.
    window
        In which logits and memory were made; None: the whole frame.
    overview
        ``(1, 64, h, w)`` spatial memory of the whole frame besides that of the window; None until it is first needed.
    """

    logits: Tensor
    object_logits: Tensor
    pointer: Tensor
    memory: Tensor | None = None
    window: Window | None = None
    overview: Tensor | None = None


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


@dataclass(slots=True)
class MemoryBank:
    """Memories of one object, bounded whatever the movie's length.

    Attributes
    ----------
    settings
        Limits.
    conditioning
        Prompted frames. Those over the limit of ``settings.conditioning_kept`` are known but hold None.
    recent
        Tracked frames around the last one.
    """

    settings: TrackingSettings
    conditioning: dict[int, MemoryEntry | None] = field(default_factory=dict)
    recent: dict[int, MemoryEntry] = field(default_factory=dict)

    def entry(self, frame: int) -> MemoryEntry | None:
        """Return what is held of a frame, as conditioning or recent memory."""
        return self.conditioning.get(frame) or self.recent.get(frame)

    def condition(self, frame: int, entry: MemoryEntry) -> None:
        """Store a prompted frame; the least recently stored ones give up their memory when there are too many.

        Never the first: it is always attended to, and in a live stream its image may be gone.
        """
        self.recent.pop(frame, None)
        self.conditioning.pop(frame, None)
        self.conditioning[frame] = entry
        kept = self.settings.conditioning_kept
        if kept is None:
            return
        first = min(self.conditioning)
        held = [number for number, known in self.conditioning.items() if known is not None and number != first]
        for number in held[: max(0, len(held) + 1 - kept)]:
            self.conditioning[number] = None

    def remember(self, frame: int, entry: MemoryEntry) -> None:
        """Store a tracked frame and drop what lies too far from it ever to be attended to."""
        self.recent[frame] = entry
        span = self.settings.memory_span
        if span is None:
            return
        for number in [number for number in self.recent if abs(number - frame) > span]:
            del self.recent[number]

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
        is_silent: Callable[[int], bool] = lambda _: False,
    ) -> MemoryPlan:
        """Decide which frames the tracking of ``frame`` attends to.

        Parameters
        ----------
        frame
            The frame to be tracked.
        reverse
            Whether time runs backwards.
        available
            Tracked frames near ``frame`` that are held or can be made again.
        horizon
            Frames that pointers may span.
        max_pointers
            Pointers of the tracked frames at most, plus one.
        is_silent
            Tells of frames that are passed over. Conditioning frames are not if there are no others.
        """
        step = 1 if reverse else -1
        selected = self._nearest_conditioning(frame, is_silent)
        past = [number for number in selected if step * (number - frame) >= 0]
        usable = (set(available) | self.recent.keys() | self.conditioning.keys()) - set(selected) - {frame}
        reach = min(horizon, max_pointers) - 1
        if self.settings.prompts_bound_memory and past:
            reach = min([reach, *(step * (number - frame) for number in past)])
        ages = [age for age in range(1, reach + 1) if frame + step * age in usable]
        recent = [(frame + step * age, age) for age in ages if not is_silent(frame + step * age)]
        spatial = [(number, 0) for number in selected]
        spatial += [(number, age) for number, age in reversed(recent) if age <= _RECENT_MEMORIES]
        pointers = [(number, step * (number - frame)) for number in past]
        return MemoryPlan(tuple(spatial), tuple(pointers + recent))

    def _nearest_conditioning(self, frame: int, is_silent: Callable[[int], bool]) -> list[int]:
        """Choose the first prompted frame and the nearest others, in order of time."""
        limit = self.settings.max_conditioning
        stored = [number for number in self.conditioning if not is_silent(number)] or list(self.conditioning)
        frames = sorted(stored)
        if limit is None or len(frames) <= limit:
            return stored if limit is None else frames
        nearest = sorted(frames[1:], key=lambda number: (abs(number - frame), number))
        return sorted([frames[0], *nearest[: limit - 1]])
