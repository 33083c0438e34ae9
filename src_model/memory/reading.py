"""Reading memory banks: which memories a frame attends to, brought to the window in which the object is looked for."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import torch
from torch import Tensor

from src_model.errors import DamagedFrameError, MovieError
from src_model.masks.window import Window, whole_frame
from src_model.memory.policy import RECENT_MEMORIES
from src_model.memory.rebuilding import MemoryRebuilder, Steps, mask_centre
from src_model.memory.target_model import weight_of_frame
from src_model.memory.warping import is_near_in_scale, warped
from src_model.nn import MemoryTokens

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Sequence

    from src_model.memory.policy import MemoryPlan
    from src_model.memory.rebuilding import RememberedObject
    from src_model.memory.target_model import WeightedSamples
    from src_model.memory.warping import Place

T = TypeVar("T")


def _never(_: int) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class MemoryReader(MemoryRebuilder[Steps]):
    """Turns memory banks into what the memory attention takes.

    Attributes
    ----------
    steps
        The network, and what it does for a memory: encode masks, make pointers.
    features
        Gives the image features of a frame; where objects have windows, of a window too, as its second argument.
    horizon
        Frames that object pointers may span.
    damaged
        Frames that proved impossible to read.
    is_gone
        Whether the image of a frame cannot be read any more, as in a live stream.
    """

    horizon: int
    damaged: Container[int] = frozenset()
    is_gone: Callable[[int], bool] = _never

    def past_damage(self, frame: int, work: Callable[[], T]) -> T:
        """Do ``work`` on a frame, and again without the memory of other frames that prove damaged meanwhile.

        Raises
        ------
        DamagedFrameError
            If ``frame`` itself is damaged, or one that nothing can be done without.
        """
        passed_over: set[int] = set()
        while True:
            try:
                return work()
            except DamagedFrameError as error:
                if error.frame == frame or error.frame in passed_over:
                    raise
                passed_over.add(error.frame)

    def plan(self, item: RememberedObject, frame: int, *, reverse: bool) -> MemoryPlan:
        """Decide what ``frame`` attends to, counting neighbours whose masks are known as available."""
        step = 1 if reverse else -1
        neighbours = range(frame + step, frame + step * (RECENT_MEMORIES + 1), step)
        plan = item.bank.plan(
            frame,
            reverse=reverse,
            available=[number for number in neighbours if self._is_available(item, number)],
            horizon=self.horizon,
            max_pointers=self.steps.network.config.max_pointers,
            is_unavailable=lambda number: self._is_unavailable(item, number),
            is_absent=lambda number: _is_said_absent(item, number),
        )
        return plan.only([number for number, _ in plan.spatial if self._has_memory(item, number)])

    def tokens(
        self,
        items: Sequence[RememberedObject],
        plans: Sequence[MemoryPlan],
        windows: Sequence[Window | None] | None = None,
    ) -> MemoryTokens:
        """Collect the memory of objects as one batch; where some have fewer memories than others, zeros follow theirs.

        Parameters
        ----------
        items, plans
            The objects, and what each attends to.
        windows
            In which each is looked for, all of one input size; the whole frame if left out.
        """
        maps, pointers = [], []
        for item, plan, window in zip(items, plans, windows or [None] * len(items), strict=True):
            maps.append([self._memory(item, frame, window, plan) for frame, _ in plan.spatial])
            pointers.append([self.entry(item, frame, window).pointer for frame, _ in plan.pointers])
        no_pointer = torch.zeros(1, self.steps.network.config.width, dtype=self._dtype, device=self.steps.device)
        return MemoryTokens(
            _table(maps, torch.zeros_like(maps[0][0])),
            _shared([plan.ages for plan in plans]),
            _table(pointers, no_pointer).to(self._dtype),
            _shared([plan.offsets for plan in plans]),
            self.horizon,
        )

    def samples(self, item: RememberedObject, plan: MemoryPlan, window: Window | None) -> list[WeightedSamples]:
        """Collect what the target model of an object learns from: the frames whose spatial memory is read.

        Those in windows of another scale are left out, since there the same thing looks different. Memories that are
        made again are made by :meth:`tokens`, which comes first.
        """
        shape, size = item.masklet.shape, self.steps.image_size
        target = window or whole_frame(shape, size)
        found: list[WeightedSamples] = []
        for frame, age in plan.spatial:
            entry = item.bank.entry(frame)
            if entry is None or entry.samples is None:
                continue
            if is_near_in_scale(entry.window or whole_frame(shape, size), target):
                found.append((weight_of_frame(age), entry.samples))
        return found

    @property
    def _dtype(self) -> torch.dtype:
        return self.steps.network.no_obj_ptr.dtype

    def _is_available(self, item: RememberedObject, frame: int) -> bool:
        """Whether a tracked frame, held or not, may be read: its mask is known, and the policy lets it in."""
        found = item.masklet.get(frame) if frame in item.directions else None
        return found is not None and item.bank.policy.admits(found)

    def _is_readable(self, frame: int) -> bool:
        return not (frame in self.damaged or self.is_gone(frame))

    def _is_unavailable(self, item: RememberedObject, frame: int) -> bool:
        """Whether nothing of a frame can be read: its image cannot, and it left no memory that is held."""
        if self._is_readable(frame):
            return False
        held = item.bank.entry(frame)
        return held is None or (held.memory is None and frame in item.bank.conditioning)

    def _has_memory(self, item: RememberedObject, frame: int) -> bool:
        """Whether the spatial memory of a tracked frame is held, or can be made again."""
        held = item.bank.entry(frame)
        return (held is not None and held.memory is not None) or self._is_readable(frame)

    def _memory(self, item: RememberedObject, frame: int, window: Window | None, plan: MemoryPlan) -> Tensor:
        """Return the spatial memory of a frame, one of a plan, as it is of use in a window."""
        entry = self.entry(item, frame, window)
        if entry.window == window:
            return self.memory(item, frame, entry)
        shape, size = item.masklet.shape, self.steps.image_size
        source, target = (place or whole_frame(shape, size) for place in (entry.window, window))
        if not is_near_in_scale(source, target):
            try:
                if window is None:
                    return self.overview(item, frame, entry)
                entry = self.rescaled(item, frame, entry, window)
                source = entry.window or source
            except MovieError:
                pass  # In a live stream the image may be gone; what is left of it is better than nothing.
        memory, centre = self.memory(item, frame, entry), mask_centre(item.masklet.mask_at(frame))
        return warped(memory, source, target, centre, _last_centre(item, plan))


def _is_said_absent(item: RememberedObject, frame: int) -> bool:
    if not (frame in item.prompts or frame in item.locked):
        return False
    mask = item.masklet.mask_at(frame)
    return mask is not None and mask.is_empty


def _table(rows: Sequence[Sequence[Tensor]], blank: Tensor) -> Tensor:
    """Join rows of ``(1, ...)`` tensors to ``(B, K, ...)``; blanks follow in the rows that are shorter than others."""
    length = max(map(len, rows))
    cells = [cell for row in rows for cell in (*row, *[blank] * (length - len(row)))]
    together = torch.cat(cells) if cells else blank[:0]
    return together.view(len(rows), length, *blank.shape[1:])


def _shared(rows: Sequence[tuple[int, ...]]) -> tuple[tuple[int, ...], ...]:
    """Keep one row for all objects if they have the same."""
    return tuple(rows) if len(set(rows)) > 1 else (rows[0],)


def _last_centre(item: RememberedObject, plan: MemoryPlan) -> Place | None:
    """Where an object was seen on the latest frame of a plan; on a prompted one if on no other."""
    nearest = sorted(plan.spatial, key=lambda memory: memory[1] or math.inf)
    centres = (mask_centre(item.masklet.mask_at(frame)) for frame, _ in nearest)
    return next((centre for centre in centres if centre is not None), None)
