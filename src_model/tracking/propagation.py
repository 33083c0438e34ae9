"""Tracking from frame to frame."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch

from src_model.errors import DamagedFrameError
from src_model.nn import ImageFeatures
from src_model.tracking.rendering import render_mask
from src_model.tracking.results import FrameResult, shown_score

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from torch import Tensor

    from src_model.masks import MaskletFrame, Rle
    from src_model.masks.window import Window
    from src_model.memory.entry import MemoryEntry
    from src_model.memory.policy import MemoryPlan
    from src_model.memory.reading import MemoryReader
    from src_model.tracking.network_steps import NetworkSteps
    from src_model.tracking.settings import TrackingSettings
    from src_model.tracking.tracked_object import TrackedObject
    from src_model.tracking.windows.following import WindowFollower

_OVERVIEW_FRAMES = 2
"""Recent frames that a look at the whole frame for a lost object goes by, besides the prompted ones."""


@dataclass(frozen=True, slots=True)
class Look:
    """What was found of one object in one window of a frame.

    Attributes
    ----------
    window
        In which it was looked for; None: the whole frame.
    entry
        What the look leaves in the memory bank.
    logits
        ``(S / 4, S / 4)`` of the mask, in the window.
    mask
        What was found, ``(Y, X)``; empty where the object is not seen.
    score
        Predicted IoU.
    presence
        Probability that the object is there.
    """

    window: Window | None
    entry: MemoryEntry
    logits: Tensor
    mask: Rle
    score: float
    presence: float


@dataclass(frozen=True, slots=True)
class _Task:
    """One object to be looked for."""

    item: TrackedObject
    window: Window | None
    plan: MemoryPlan


@dataclass(frozen=True, slots=True)
class Propagation:
    """Tracks the objects of one session.

    Attributes
    ----------
    reader
        The network and the memory banks.
    frame_shape
        ``(Y, X)`` of the movie.
    windows
        Places the windows of small objects; None: every object is tracked on the whole frame.
    """

    reader: MemoryReader[NetworkSteps]
    frame_shape: tuple[int, int]
    windows: WindowFollower | None = None

    def step(self, frame: int, items: Sequence[TrackedObject], *, reverse: bool) -> FrameResult:
        """Track objects in one frame; prompted and locked frames are given as they are.

        Where the frame is damaged, these are all there is, and nothing else changes: tracking goes over it.
        """
        try:
            looks = self.reader.past_damage(frame, lambda: self._looked(frame, items, reverse=reverse))
        except DamagedFrameError as error:
            if error.frame != frame:
                raise
            fixed = [item for item in items if item.is_fixed(frame) and frame in item.masklet]
            return replace(_result(frame, fixed, {}), damaged=str(error))
        free = {item.object_id: item for item in items}
        for number, look in looks.items():
            item = free[number]
            item.masklet.set(frame, look.mask, score=look.score, object_score=look.presence)
            if item.bank.policy.admits(_entry(item, frame)):
                item.bank.remember(frame, look.entry)
        for item in items:
            item.directions[frame] = reverse
        return _result(frame, items, looks)

    def _looked(self, frame: int, items: Sequence[TrackedObject], *, reverse: bool) -> dict[int, Look]:
        """Look for the objects that are not known on a frame."""
        for item in items:
            self._store_pending(item)
        free = {item.object_id: item for item in items if not item.is_fixed(frame)}
        return self._tracked(frame, free, reverse=reverse)

    def _store_pending(self, item: TrackedObject) -> None:
        """Move answers to prompts into the memory bank, now that no more clicks refine them."""
        for frame, answer in item.pending.items():
            entry = answer.entry
            if frame not in self.reader.damaged:
                self.reader.steps.add_memory(entry, self.reader.seen(frame, entry.window), binarize=True)
            if answer.is_conditioning:
                item.bank.condition(frame, entry)
            else:
                item.bank.remember(frame, entry)
        item.pending.clear()

    def _tracked(self, frame: int, items: Mapping[int, TrackedObject], *, reverse: bool) -> dict[int, Look]:
        """Look for every object in its window, and once more where that did not show it, or not whole."""
        if self.windows is None:
            return self._looks(frame, items, dict.fromkeys(items), reverse=reverse)
        looks = self._looks(frame, items, self.windows.place(frame, items.values(), reverse=reverse), reverse=reverse)
        refitted = self._looks(frame, items, self.windows.refitted(looks), reverse=reverse)
        looks |= {number: look for number, look in refitted.items() if not look.mask.is_empty}
        lost = [number for number, look in looks.items() if look.mask.is_empty and look.window is not None]
        overview = self._looks(frame, items, dict.fromkeys(lost), reverse=reverse, overview=True)
        found = {number: look for number, look in overview.items() if not look.mask.is_empty}
        around = self.windows.around(found)
        looks |= {number: found[number] for number, window in around.items() if window is None}
        # What the whole frame shows counts only if it is still there when it is looked at closely.
        near = {number: window for number, window in around.items() if window is not None}
        confirmed = self._looks(frame, items, near, reverse=reverse)
        return looks | {number: look for number, look in confirmed.items() if not look.mask.is_empty}

    def _looks(
        self,
        frame: int,
        items: Mapping[int, TrackedObject],
        windows: Mapping[int, Window | None],
        *,
        reverse: bool,
        overview: bool = False,
    ) -> dict[int, Look]:
        """Look for objects, each in its window."""
        tasks = []
        for number, window in windows.items():
            plan = self.reader.plan(items[number], frame, reverse=reverse)
            if overview:
                plan = plan.only(_seen_frames(items[number], plan))
            tasks.append(_Task(items[number], window, plan))
        if self.windows is not None:
            self.windows.features.prepare(frame, windows.values())
        looks: dict[int, Look] = {}
        for batch in self._batches(tasks):
            looks |= self._look(frame, batch)
        return looks

    def _batches(self, tasks: Sequence[_Task]) -> Iterator[list[_Task]]:
        """Group objects that can be tracked together, a bounded number at a time.

        Inputs have to be of one size. Where calls cost more than padding, objects with memories of any number share
        a batch, those with about as many side by side; elsewhere those with equally many.
        """
        steps = self.reader.steps
        groups: defaultdict[object, list[_Task]] = defaultdict(list)
        for task in sorted(tasks, key=lambda task: task.plan.counts):
            size = None if task.window is None else task.window.size
            groups[size if steps.pads_memories else (size, task.plan.counts)].append(task)
        for group in groups.values():
            for first in range(0, len(group), steps.objects_per_batch):
                yield group[first : first + steps.objects_per_batch]

    def _look(self, frame: int, batch: Sequence[_Task]) -> dict[int, Look]:
        steps = self.reader.steps
        windows = [task.window for task in batch]
        memory = self.reader.tokens([task.item for task in batch], [task.plan for task in batch], windows)
        prediction, entries = steps.track(self._features(frame, windows), memory)
        presence = prediction.object_logits[:, 0].sigmoid().tolist()
        scores = [shown_score(score) for score in prediction.iou[:, 0].tolist()]
        logits = prediction.logits[:, 0].cpu()
        looks = {}
        for row, (task, entry) in enumerate(zip(batch, entries, strict=True)):
            entry.window = task.window
            mask = render_mask(logits[row], self.frame_shape, steps.settings, task.window)
            low = prediction.logits[row, 0]
            looks[task.item.object_id] = Look(task.window, entry, low, mask, scores[row], presence[row])
        return looks

    def _features(self, frame: int, windows: Sequence[Window | None]) -> ImageFeatures:
        """Return features with a row for each object, or one row if all are looked for in the same window."""
        if len(set(windows)) == 1:
            return self.reader.seen(frame, windows[0])
        rows = [self.reader.seen(frame, window) for window in windows]
        first, second = (torch.cat([row.high_res[level] for row in rows]) for level in (0, 1))
        return ImageFeatures(torch.cat([row.embedding for row in rows]), (first, second))


def _result(frame: int, items: Sequence[TrackedObject], looks: Mapping[int, Look]) -> FrameResult:
    entries = {item.object_id: _entry(item, frame) for item in items}
    held = {item.object_id: item.bank.entry(frame) for item in items}
    return FrameResult(
        frame,
        {object_id: entry.mask for object_id, entry in entries.items()},
        {object_id: entry.score for object_id, entry in entries.items()},
        {object_id: entry.object_score for object_id, entry in entries.items()},
        {object_id: look.logits for object_id, look in looks.items()},
        {
            object_id: entry.window.box
            for object_id, entry in held.items()
            if entry is not None and entry.window is not None
        },
    )


def _seen_frames(item: TrackedObject, plan: MemoryPlan) -> set[int]:
    """List the latest frames of a plan on which the object is seen."""
    recent = sorted((age, frame) for frame, age in plan.spatial if age)
    seen = [frame for _, frame in recent if not _entry(item, frame).mask.is_empty]
    return set(seen[:_OVERVIEW_FRAMES])


def _entry(item: TrackedObject, frame: int) -> MaskletFrame:
    entry = item.masklet.get(frame)
    assert entry is not None, "every fixed or tracked frame has a mask"
    return entry


def is_active(item: TrackedObject, frame: int, *, reverse: bool, settings: TrackingSettings) -> bool:
    """Whether an object is tracked on a frame: from its first prompt on, in reverse from its last."""
    frames = item.prompted_frames
    if not frames:
        return False
    if not settings.from_first_prompt:
        return True
    return frame <= frames[-1] if reverse else frame >= frames[0]


def repair_range(
    item: TrackedObject, frame: int, *, reverse: bool, is_damaged: Callable[[int], bool] = lambda _: False
) -> range:
    """Frames to track again beside a corrected one: tracked, neither prompted nor locked, no gap but damaged frames."""
    step = -1 if reverse else 1
    number = stop = frame + step
    while number not in item.prompts and number not in item.locked:
        if number in item.directions:
            stop = number + step
        elif not is_damaged(number):
            break
        number += step
    return range(frame + step, stop, step)
