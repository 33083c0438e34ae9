"""Tracking from frame to frame."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from src_model.tracking.rendering import render_mask
from src_model.tracking.results import FrameResult, shown_score

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from torch import Tensor

    from src_model.masks import MaskletFrame
    from src_model.tracking.memory_bank import MemoryPlan
    from src_model.tracking.recall import Recall
    from src_model.tracking.settings import TrackingSettings
    from src_model.tracking.tracked_object import TrackedObject


@dataclass(frozen=True, slots=True)
class Propagation:
    """Tracks the objects of one session.

    Attributes
    ----------
    recall
        The network and the memory banks.
    frame_shape
        ``(Y, X)`` of the movie.
    """

    recall: Recall
    frame_shape: tuple[int, int]

    def step(self, frame: int, items: Sequence[TrackedObject], *, reverse: bool) -> FrameResult:
        """Track objects in one frame; prompted and locked frames are given as they are."""
        for item in items:
            self._store_pending(item)
        logits: dict[int, Tensor] = {}
        for batch, plans in self._batches([item for item in items if not item.is_fixed(frame)], frame, reverse):
            self._track(frame, batch, plans, reverse, logits)
        for item in items:
            if item.is_fixed(frame):
                item.directions[frame] = reverse
        entries = {item.object_id: _entry(item, frame) for item in items}
        return FrameResult(
            frame,
            {object_id: entry.mask for object_id, entry in entries.items()},
            {object_id: entry.score for object_id, entry in entries.items()},
            {object_id: entry.object_score for object_id, entry in entries.items()},
            logits,
        )

    def _store_pending(self, item: TrackedObject) -> None:
        """Move answers to prompts into the memory bank, now that no more clicks refine them."""
        for frame, answer in item.pending.items():
            if answer.is_conditioning:
                item.bank.condition(frame, answer.entry)
            else:
                item.bank.remember(frame, answer.entry)
            self.recall.steps.add_memory(answer.entry, self.recall.features(frame), binarize=True)
        item.pending.clear()

    def _batches(
        self, items: Sequence[TrackedObject], frame: int, reverse: bool
    ) -> Iterator[tuple[list[TrackedObject], list[MemoryPlan]]]:
        """Group objects whose memories have equal layout, a bounded number at a time."""
        groups: defaultdict[object, list[tuple[TrackedObject, MemoryPlan]]] = defaultdict(list)
        for item in items:
            plan = self.recall.plan(item, frame, reverse=reverse)
            groups[plan.layout].append((item, plan))
        for group in groups.values():
            size = self.recall.steps.objects_per_batch
            for first in range(0, len(group), size):
                batch, plans = zip(*group[first : first + size], strict=True)
                yield list(batch), list(plans)

    def _track(
        self,
        frame: int,
        batch: list[TrackedObject],
        plans: list[MemoryPlan],
        reverse: bool,
        logits: dict[int, Tensor],
    ) -> None:
        steps = self.recall.steps
        memory = self.recall.tokens(batch, plans)
        prediction, entries = steps.track(self.recall.features(frame), memory)
        presence = prediction.object_logits[:, 0].sigmoid().tolist()
        scores = [shown_score(score) for score in prediction.iou[:, 0].tolist()]
        for row, (item, entry) in enumerate(zip(batch, entries, strict=True)):
            mask = render_mask(prediction.logits[row, 0], self.frame_shape, steps.settings)
            item.masklet.set(frame, mask, score=scores[row], object_score=presence[row])
            item.bank.remember(frame, entry)
            item.directions[frame] = reverse
            logits[item.object_id] = entry.logits[0, 0]


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


def repair_range(item: TrackedObject, frame: int, *, reverse: bool) -> range:
    """Frames to track again beside a corrected one: tracked, neither prompted nor locked, without a gap."""
    step = -1 if reverse else 1
    stop = frame + step
    while stop in item.directions and stop not in item.prompts and stop not in item.locked:
        stop += step
    return range(frame + step, stop, step)
