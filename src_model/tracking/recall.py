"""Reading memory banks: which memories a frame attends to, made again where they are no longer held."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import torch
from torch import Tensor

from src_model.errors import DamagedFrameError, MovieError
from src_model.nn import ImageFeatures, MemoryTokens
from src_model.tracking.windows.carrying import carried, is_near_in_scale
from src_model.tracking.windows.window import Window, cut_mask, whole_frame

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Sequence

    from src_model.masks import Rle
    from src_model.tracking.memory_bank import MemoryEntry, MemoryPlan
    from src_model.tracking.network_steps import NetworkSteps
    from src_model.tracking.tracked_object import TrackedObject
    from src_model.tracking.windows.carrying import Place

T = TypeVar("T")

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
        Gives the image features of a frame; where objects have windows, of a window too, as its second argument.
    horizon
        Frames that object pointers may span.
    damaged
        Frames that proved impossible to read.
    """

    steps: NetworkSteps
    features: Callable[..., ImageFeatures]
    horizon: int
    damaged: Container[int] = frozenset()

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

    def seen(self, frame: int, window: Window | None) -> ImageFeatures:
        """Return the features of a window of a frame; None: of the whole frame."""
        return self.features(frame) if window is None else self.features(frame, window)

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
            is_silent=lambda number: self._is_silent(item, number),
        )

    def _is_silent(self, item: TrackedObject, frame: int) -> bool:
        """Whether a frame says nothing about others: it is damaged, or a person said that the object is not there."""
        if frame in self.damaged:
            held = item.bank.entry(frame)
            if held is None or held.memory is None:
                return True
        if not self.steps.settings.absence_is_local or not (frame in item.prompts or frame in item.locked):
            return False
        mask = item.masklet.mask_at(frame)
        return mask is not None and mask.is_empty

    def tokens(
        self,
        items: Sequence[TrackedObject],
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
            pointers.append([self._entry(item, frame, window).pointer for frame, _ in plan.pointers])
        no_pointer = torch.zeros(1, self.steps.network.config.width, dtype=self._dtype, device=self.steps.device)
        return MemoryTokens(
            _table(maps, torch.zeros_like(maps[0][0])),
            _shared([plan.ages for plan in plans]),
            _table(pointers, no_pointer).to(self._dtype),
            _shared([plan.offsets for plan in plans]),
            self.horizon,
        )

    @property
    def _dtype(self) -> torch.dtype:
        return self.steps.network.no_obj_ptr.dtype

    def _entry(self, item: TrackedObject, frame: int, window: Window | None) -> MemoryEntry:
        """Return what a frame left, made again from its mask if it is no longer held."""
        entry = item.bank.entry(frame)
        if entry is None:
            entry = self._made_again(item, frame, window)
            _hold(item, frame, entry)
        return entry

    def _memory(self, item: TrackedObject, frame: int, window: Window | None, plan: MemoryPlan) -> Tensor:
        """Return the spatial memory of a frame, one of a plan, as it is of use in a window."""
        entry = self._entry(item, frame, window)
        if entry.window == window:
            return self._own_memory(item, frame, entry)
        shape, size = item.masklet.shape, self.steps.image_size
        source, target = (place or whole_frame(shape, size) for place in (entry.window, window))
        if not is_near_in_scale(source, target):
            try:
                if window is None:
                    return self._overview(item, frame, entry)
                entry = self._rescaled(item, frame, entry, window)
                source = entry.window or source
            except MovieError:
                pass  # In a live stream the image may be gone; what is left of it is better than nothing.
        memory, centre = self._own_memory(item, frame, entry), _centre(item.masklet.mask_at(frame))
        return carried(memory, source, target, centre, _last_centre(item, plan))

    def _own_memory(self, item: TrackedObject, frame: int, entry: MemoryEntry) -> Tensor:
        if entry.memory is None:
            self.steps.add_memory(entry, self.seen(frame, entry.window), binarize=frame in item.prompts)
        assert entry.memory is not None, "it was added"
        return entry.memory

    def _overview(self, item: TrackedObject, frame: int, entry: MemoryEntry) -> Tensor:
        """Remember the whole frame besides the window, for as long as the window's own memory is held."""
        if entry.overview is None:
            entry.overview = self._own_memory(item, frame, self._made_again(item, frame, None))
        return entry.overview

    def _rescaled(self, item: TrackedObject, frame: int, entry: MemoryEntry, window: Window) -> MemoryEntry:
        """Replace an entry by one that is made in a window of this scale; pointers carry over."""
        again = self._made_again(item, frame, window)
        again.pointer, again.object_logits = entry.pointer, entry.object_logits
        again.overview = entry.memory if entry.window is None else entry.overview
        _hold(item, frame, again)
        return again

    def _made_again(self, item: TrackedObject, frame: int, window: Window | None) -> MemoryEntry:
        mask = item.masklet.mask_at(frame)
        assert mask is not None, "plans name only frames whose masks are known"
        centre = _centre(mask)
        if window is not None and centre is not None and mask.box and not window.holds(mask.box, mask.shape):
            window = window.moved_to(centre, mask.shape)
        entry = self.steps.take_mask(self.seen(frame, window), cut_mask(mask, window))
        entry.window = window
        return entry


def _table(rows: Sequence[Sequence[Tensor]], blank: Tensor) -> Tensor:
    """Join rows of ``(1, ...)`` tensors to ``(B, K, ...)``; blanks follow in the rows that are shorter than others."""
    length = max(map(len, rows))
    cells = [cell for row in rows for cell in (*row, *[blank] * (length - len(row)))]
    together = torch.cat(cells) if cells else blank[:0]
    return together.view(len(rows), length, *blank.shape[1:])


def _shared(rows: Sequence[tuple[int, ...]]) -> tuple[tuple[int, ...], ...]:
    """Keep one row for all objects if they have the same."""
    return tuple(rows) if len(set(rows)) > 1 else (rows[0],)


def _hold(item: TrackedObject, frame: int, entry: MemoryEntry) -> None:
    if frame not in item.bank.conditioning:
        item.bank.recent[frame] = entry
    elif item.bank.conditioning[frame] is None:
        item.bank.condition(frame, entry)
    else:
        item.bank.conditioning[frame] = entry


def _last_centre(item: TrackedObject, plan: MemoryPlan) -> Place | None:
    """Where an object was seen on the latest frame of a plan; on a prompted one if on no other."""
    nearest = sorted(plan.spatial, key=lambda memory: memory[1] or math.inf)
    centres = (_centre(item.masklet.mask_at(frame)) for frame, _ in nearest)
    return next((centre for centre in centres if centre is not None), None)


def _centre(mask: Rle | None) -> Place | None:
    """Middle ``(y, x)`` of a mask's box; None if there is no mask, or an empty one."""
    box = None if mask is None else mask.box
    return None if box is None else ((box[0] + box[2]) / 2, (box[1] + box[3]) / 2)
