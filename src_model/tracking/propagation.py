"""Tracking from frame to frame."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch

from src_model.errors import DamagedFrameError
from src_model.masks.typical_size import is_cut
from src_model.memory.target_model import believed, is_sure
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

_SEARCH_MEMORIES = 2
"""Recent memories that are read when a lost object is searched on the whole frame, besides those of prompted frames.

Each has to be made for the whole frame first, since those in the bank are of windows.
"""

_EDGE = 0.01
"""A mask that comes this near to the edge of the field (of its longer side) may go on beyond it."""


@dataclass(frozen=True, slots=True)
class ObjectPrediction:
    """The prediction for one object in one window of a frame.

    Attributes
    ----------
    window
        In which it was looked for; None: the whole frame.
    entry
        What the prediction leaves in the memory bank.
    logits
        ``(S / 4, S / 4)`` of the mask, in the window.
    mask
        What was found, ``(Y, X)``; empty where the object is not seen.
    score
        Predicted IoU, 0 to 1, lower where the mask does not look like the object.
    own_score
        Predicted IoU as the network gives it, 0 to 1.
    object_score
        Probability that the object is there, 0 to 1.
    """

    window: Window | None
    entry: MemoryEntry
    logits: Tensor
    mask: Rle
    score: float
    own_score: float
    object_score: float


@dataclass(frozen=True, slots=True)
class _Task:
    """One object to be looked for."""

    item: TrackedObject
    window: Window | None
    plan: MemoryPlan
    at_edge: bool


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
            predictions = self.reader.past_damage(frame, lambda: self._predict_unknown(frame, items, reverse=reverse))
        except DamagedFrameError as error:
            if error.frame != frame:
                raise
            fixed = [item for item in items if item.is_fixed(frame) and frame in item.masklet]
            return replace(_result(frame, fixed, {}), damaged=str(error))
        free = {item.object_id: item for item in items}
        for number, prediction in predictions.items():
            item = free[number]
            item.masklet.set(frame, prediction.mask, score=prediction.score, object_score=prediction.object_score)
            found = _entry(item, frame)
            # By its own score: a target model that chose what it learns from would never learn how an object changes.
            if not is_sure(replace(found, score=prediction.own_score)):
                prediction.entry.samples = None
            if item.bank.policy.admits(found):
                item.bank.remember(frame, prediction.entry)
        for item in items:
            item.directions[frame] = reverse
        return _result(frame, items, predictions)

    def _predict_unknown(
        self, frame: int, items: Sequence[TrackedObject], *, reverse: bool
    ) -> dict[int, ObjectPrediction]:
        """Predict the objects that are not fixed on a frame."""
        for item in items:
            self._store_pending(item)
        free = {item.object_id: item for item in items if not item.is_fixed(frame)}
        return self._predict_in_windows(frame, free, reverse=reverse)

    def _store_pending(self, item: TrackedObject) -> None:
        """Move answers to prompts into the memory bank, now that no more clicks refine them."""
        for frame, answer in item.pending.items():
            entry = answer.entry
            if frame not in self.reader.damaged:
                self.reader.steps.add_memory(entry, self.reader.window_features(frame, entry.window), binarize=True)
            if answer.is_conditioning:
                item.bank.condition(frame, entry)
            else:
                item.bank.remember(frame, entry)
        item.pending.clear()

    def _predict_in_windows(
        self, frame: int, items: Mapping[int, TrackedObject], *, reverse: bool
    ) -> dict[int, ObjectPrediction]:
        """Predict every object in its window, and once more where that did not show it, or not whole."""
        windows = self.windows
        if windows is None:
            return self._predict(frame, items, dict.fromkeys(items), reverse=reverse)
        placed = windows.place(frame, items.values(), reverse=reverse)
        predictions = self._predict(frame, items, placed, reverse=reverse)
        refitted = self._predict(frame, items, windows.refitted(predictions), reverse=reverse)
        predictions |= _where_seen(refitted)
        lost = [number for number, found in predictions.items() if found.mask.is_empty and found.window is not None]
        on_whole_frame = self._predict(frame, items, dict.fromkeys(lost), reverse=reverse, recent=_SEARCH_MEMORIES)
        found = _where_seen(on_whole_frame)
        around = windows.around(found)
        predictions |= {number: found[number] for number, window in around.items() if window is None}
        # What the whole frame shows counts only if it is still there in a window around it.
        near = {number: window for number, window in around.items() if window is not None}
        return predictions | _where_seen(self._predict(frame, items, near, reverse=reverse))

    def _predict(
        self,
        frame: int,
        items: Mapping[int, TrackedObject],
        windows: Mapping[int, Window | None],
        *,
        reverse: bool,
        recent: int | None = None,
    ) -> dict[int, ObjectPrediction]:
        """Predict objects, each in its window; from only so many recent memories on which they are seen, if given."""
        tasks = []
        for number, window in windows.items():
            plan = self.reader.plan(items[number], frame, reverse=reverse)
            if recent is not None:
                plan = plan.only(_seen_frames(items[number], plan)[:recent])
            at_edge = self._was_at_edge(items[number], frame, reverse=reverse)
            tasks.append(_Task(items[number], window, plan, at_edge))
        if self.windows is not None:
            self.windows.features.prepare(frame, windows.values())
        predictions: dict[int, ObjectPrediction] = {}
        for batch in self._batches(tasks):
            predictions |= self._predict_batch(frame, batch)
        return predictions

    def _was_at_edge(self, item: TrackedObject, frame: int, *, reverse: bool) -> bool:
        """Whether an object was seen last at the edge of the field, over which it may have left.

        One that reached from edge to edge has not left it from one frame to the next.
        """
        seen = item.last_seen(frame, 1 if reverse else -1)
        if seen is None:
            return False
        (y0, x0, y1, x1), near = seen[1], _EDGE * max(self.frame_shape)
        height, width = self.frame_shape
        reaches_across = y1 - y0 >= height - 2 * near or x1 - x0 >= width - 2 * near
        return is_cut(seen[1], self.frame_shape, near) and not reaches_across

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

    def _predict_batch(self, frame: int, batch: Sequence[_Task]) -> dict[int, ObjectPrediction]:
        steps = self.reader.steps
        windows = [task.window for task in batch]
        memory = self.reader.tokens([task.item for task in batch], [task.plan for task in batch], windows)
        samples = [self.reader.samples(task.item, task.plan, task.window) for task in batch]
        prediction, likeness, entries = steps.track(
            self._features(frame, windows), memory, samples, [task.at_edge for task in batch]
        )
        object_scores = prediction.object_logits[:, 0].sigmoid().tolist()
        own_scores, scores = (
            [shown_score(score) for score in iou.tolist()]
            for iou in (prediction.iou[:, 0], believed(prediction.iou[:, 0], likeness))
        )
        logits = prediction.logits[:, 0].cpu()
        predictions = {}
        for row, (task, entry) in enumerate(zip(batch, entries, strict=True)):
            entry.window = task.window
            mask = render_mask(logits[row], self.frame_shape, steps.settings, task.window)
            low = prediction.logits[row, 0]
            predictions[task.item.object_id] = ObjectPrediction(
                task.window, entry, low, mask, scores[row], own_scores[row], object_scores[row]
            )
        return predictions

    def _features(self, frame: int, windows: Sequence[Window | None]) -> ImageFeatures:
        """Return features with a row for each object, or one row if all are looked for in the same window."""
        if len(set(windows)) == 1:
            return self.reader.window_features(frame, windows[0])
        rows = [self.reader.window_features(frame, window) for window in windows]
        first, second = (torch.cat([row.high_res[level] for row in rows]) for level in (0, 1))
        return ImageFeatures(torch.cat([row.embedding for row in rows]), (first, second))


def _result(frame: int, items: Sequence[TrackedObject], predictions: Mapping[int, ObjectPrediction]) -> FrameResult:
    entries = {item.object_id: _entry(item, frame) for item in items}
    held = {item.object_id: item.bank.entry(frame) for item in items}
    return FrameResult(
        frame,
        {object_id: entry.mask for object_id, entry in entries.items()},
        {object_id: entry.score for object_id, entry in entries.items()},
        {object_id: entry.object_score for object_id, entry in entries.items()},
        {object_id: prediction.logits for object_id, prediction in predictions.items()},
        {
            object_id: entry.window.box
            for object_id, entry in held.items()
            if entry is not None and entry.window is not None
        },
    )


def _where_seen(predictions: Mapping[int, ObjectPrediction]) -> dict[int, ObjectPrediction]:
    return {number: prediction for number, prediction in predictions.items() if not prediction.mask.is_empty}


def _seen_frames(item: TrackedObject, plan: MemoryPlan) -> list[int]:
    """List the recent frames of a plan on which the object is seen, the latest first."""
    recent = sorted((age, frame) for frame, age in plan.spatial if age)
    return [frame for _, frame in recent if not _entry(item, frame).mask.is_empty]


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
