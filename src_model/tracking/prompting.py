"""Answering prompts: first clicks, corrections, masks, and the choice among readings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from src_model.errors import PromptError
from src_model.tracking.preprocessing import mask_logits, prompt_tensors
from src_model.tracking.rendering import render_mask
from src_model.tracking.results import Candidate, PromptAnswer, shown_score
from src_model.tracking.tracked_object import PendingAnswer, Readings, TrackedObject

if TYPE_CHECKING:
    from src_model.masks import Rle
    from src_model.nn import MaskPrediction, MemoryTokens
    from src_model.tracking.memory_bank import MemoryEntry
    from src_model.tracking.prompts import Prompt
    from src_model.tracking.recall import Recall


@dataclass(frozen=True, slots=True)
class Prompting:
    """Answers prompts of one session.

    Attributes
    ----------
    recall
        The network and the memory banks.
    frame_shape
        ``(Y, X)`` of the movie.
    """

    recall: Recall
    frame_shape: tuple[int, int]

    def answer(self, item: TrackedObject, frame: int, prompt: Prompt, *, replace: bool) -> PromptAnswer:
        """Answer a prompt on a frame and keep the answer until the next propagation stores it in the memory bank."""
        earlier = None if replace else item.prompts.get(frame)
        complete = earlier.extended(prompt) if earlier is not None else prompt
        if complete.mask is not None:
            answer = self._take_mask(item, frame, complete.mask)
            item.prompts[frame] = complete
            return answer
        return self._predict(item, frame, complete, forget_mask=replace)

    def choose(self, item: TrackedObject, frame: int, candidate: int) -> PromptAnswer:
        """Take another reading of the object's last prompt."""
        readings = item.readings
        if readings is None or readings.frame != frame:
            where = "nowhere" if readings is None else f"on frame {readings.frame}"
            raise PromptError(
                f"object {item.object_id} was last prompted {where}, not on frame {frame}; prompt it first"
            )
        count = readings.prediction.logits.shape[1]
        if not 0 <= candidate < count:
            raise PromptError(f"candidate {candidate} does not exist; the last prompt has readings 0..{count - 1}")
        return self._store(item, frame, readings.prediction, candidate)

    def _take_mask(self, item: TrackedObject, frame: int, mask: Rle) -> PromptAnswer:
        entry = self.recall.steps.take_mask(self.recall.features(frame), mask)
        item.readings = None
        self._keep(item, frame, entry)
        presence = _probability(entry.object_logits)
        item.masklet.set(frame, mask, score=1.0, object_score=presence)
        return PromptAnswer(frame, item.object_id, mask, 1.0, presence, (Candidate(mask, 1.0),), 0, entry.logits[0, 0])

    def _predict(self, item: TrackedObject, frame: int, prompt: Prompt, *, forget_mask: bool) -> PromptAnswer:
        steps = self.recall.steps
        tensors = prompt_tensors(prompt, self.frame_shape, steps.image_size, None, steps.device)
        prediction = steps.answer_prompt(
            self.recall.features(frame),
            tensors,
            self._memory(item, frame),
            None if forget_mask else self._previous_logits(item, frame),
            multimask=tensors.labels.shape[1] <= 1,
        )
        item.prompts[frame] = prompt
        return self._store(item, frame, prediction, int(prediction.iou[0].argmax()))

    def _memory(self, item: TrackedObject, frame: int) -> MemoryTokens | None:
        """Return memory for corrections of tracked frames; a first prompt is answered from the frame alone."""
        if frame not in item.directions or not item.bank.conditioning:
            return None
        plan = self.recall.plan(item, frame, reverse=item.directions[frame])
        return self.recall.tokens([item], [plan]) if plan.spatial else None

    def _previous_logits(self, item: TrackedObject, frame: int) -> Tensor | None:
        """Logits of the mask that a correction starts from: as computed if still held, else from the stored mask."""
        pending = item.pending.get(frame)
        entry = pending.entry if pending is not None else item.bank.entry(frame)
        if entry is not None:
            return entry.logits
        mask = item.masklet.mask_at(frame)
        return None if mask is None else mask_logits(mask, self.recall.steps.image_size, self.recall.steps.device)

    def _store(self, item: TrackedObject, frame: int, prediction: MaskPrediction, chosen: int) -> PromptAnswer:
        settings = self.recall.steps.settings
        candidates = tuple(
            Candidate(render_mask(logits, self.frame_shape, settings), shown_score(float(score)))
            for logits, score in zip(prediction.logits[0], prediction.iou[0], strict=True)
        )
        index = torch.tensor([chosen], device=prediction.iou.device)
        entry = self.recall.steps.entry_of(prediction.chosen(index))
        item.readings = Readings(frame, prediction)
        self._keep(item, frame, entry)
        taken, presence = candidates[chosen], _probability(entry.object_logits)
        item.masklet.set(frame, taken.rle, score=taken.score, object_score=presence)
        return PromptAnswer(
            frame, item.object_id, taken.rle, taken.score, presence, candidates, chosen, entry.logits[0, 0]
        )

    def _keep(self, item: TrackedObject, frame: int, entry: MemoryEntry) -> None:
        conditions = frame not in item.directions or self.recall.steps.settings.corrections_condition
        item.pending[frame] = PendingAnswer(entry, conditions or frame in item.bank.conditioning)


def _probability(object_logits: Tensor) -> float:
    return float(object_logits[0, 0].sigmoid())
