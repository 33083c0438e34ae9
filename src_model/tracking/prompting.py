"""Answering prompts: first clicks, corrections, masks, and the choice among candidates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from src_model.errors import PromptError
from src_model.masks.typical_size import typical_size
from src_model.masks.window import Window, cut_mask, whole_frame
from src_model.prompts import Prompt, cut_prompt
from src_model.tracking.click_reading import is_first_click, readings
from src_model.tracking.preprocessing import mask_logits, prompt_tensors
from src_model.tracking.rendering import render_mask
from src_model.tracking.results import Candidate, PromptAnswer, shown_score
from src_model.tracking.tracked_object import LastAnswer, PendingAnswer, TrackedObject

if TYPE_CHECKING:
    from collections.abc import Iterable

    from src_model.masks import Rle, TypicalSize
    from src_model.memory.entry import MemoryEntry
    from src_model.memory.reading import MemoryReader
    from src_model.nn import MaskPrediction, MemoryTokens
    from src_model.tracking.network_steps import NetworkSteps
    from src_model.tracking.windows.following import WindowFollower


@dataclass(frozen=True, slots=True)
class Prompting:
    """Answers prompts of one session.

    Attributes
    ----------
    reader
        The network and the memory banks.
    frame_shape
        ``(Y, X)`` of the movie.
    windows
        Chooses the windows of small objects; None: every prompt is answered on the whole frame.
    """

    reader: MemoryReader[NetworkSteps]
    frame_shape: tuple[int, int]
    windows: WindowFollower | None = None

    def answer(
        self, item: TrackedObject, frame: int, prompt: Prompt, *, replace: bool, alike: Iterable[Rle] = ()
    ) -> PromptAnswer:
        """Answer a prompt on a frame and keep the answer until the next propagation stores it in the memory bank.

        Parameters
        ----------
        item, frame, prompt
            What is asked about an object, and on which frame.
        replace
            Forget earlier prompts on this frame first.
        alike
            Masks ``(Y, X)`` of other objects, looked at only if the prompt is the first click on an object.

        Raises
        ------
        DamagedFrameError
            If the frame cannot be read. Others that cannot are done without.
        """
        learns = self.reader.steps.settings.size_likeness and is_first_click(item, frame, prompt, replace=replace)
        typical = typical_size(alike) if learns else None
        return self.reader.past_damage(frame, lambda: self._answer(item, frame, prompt, typical, replace=replace))

    def _answer(
        self, item: TrackedObject, frame: int, prompt: Prompt, typical: TypicalSize | None, *, replace: bool
    ) -> PromptAnswer:
        earlier = None if replace else item.prompts.get(frame)
        complete = earlier.extended(prompt) if earlier is not None else prompt
        # A mask was the answer when it was given; what comes after it refines that answer and stands alone.
        asked = prompt if prompt.mask is not None else complete.without_mask()
        window = None
        if self.windows is not None:
            window = self.windows.prompted(item, frame, asked, self.reader, replace=replace, typical=typical)
        if asked.mask is not None:
            answer = self._take_mask(item, frame, asked.mask, window)
        else:
            answer = self._predict(item, frame, asked, window, typical, forget_mask=replace)
        item.prompts[frame] = complete
        return answer

    def choose(self, item: TrackedObject, frame: int, candidate: int) -> PromptAnswer:
        """Take another candidate of the object's last prompt; PromptError if there is none on this frame."""
        answered = item.last_answer
        if answered is None or answered.frame != frame:
            where = "nowhere" if answered is None else f"on frame {answered.frame}"
            raise PromptError(
                f"object {item.object_id} was last prompted {where}, not on frame {frame}; prompt it first"
            )
        count = answered.prediction.logits.shape[1]
        if not 0 <= candidate < count:
            raise PromptError(f"candidate {candidate} does not exist; the last prompt has candidates 0..{count - 1}")
        return self._store(item, frame, answered.prediction, candidate, answered.window)

    def _take_mask(self, item: TrackedObject, frame: int, mask: Rle, window: Window | None) -> PromptAnswer:
        entry = self.reader.steps.take_mask(self.reader.window_features(frame, window), cut_mask(mask, window))
        assert entry.logits is not None, "a mask taken as it is has logits"
        entry.window = window
        item.last_answer = None
        self._keep(item, frame, entry)
        presence = _probability(entry.object_logits)
        item.masklet.set(frame, mask, score=1.0, object_score=presence)
        return PromptAnswer(
            frame,
            item.object_id,
            mask,
            1.0,
            presence,
            (Candidate(mask, 1.0),),
            0,
            entry.logits[0, 0],
            None if window is None else window.box,
        )

    def _predict(
        self,
        item: TrackedObject,
        frame: int,
        prompt: Prompt,
        window: Window | None,
        typical: TypicalSize | None,
        *,
        forget_mask: bool,
    ) -> PromptAnswer:
        steps = self.reader.steps
        place = self._place(window)
        tensors = prompt_tensors(cut_prompt(prompt, window), place.shape, place.size, None, steps.device)
        prediction = steps.answer_prompt(
            self.reader.window_features(frame, window),
            tensors,
            self._memory(item, frame, window),
            None if forget_mask else self._previous_logits(item, frame, window),
            multimask=tensors.labels.shape[1] <= 1,
        )
        chosen = int(readings(prediction, place, self.frame_shape, typical).argmax())
        return self._store(item, frame, prediction, chosen, window)

    def _place(self, window: Window | None) -> Window:
        return window or whole_frame(self.frame_shape, self.reader.steps.image_size)

    def _memory(self, item: TrackedObject, frame: int, window: Window | None) -> MemoryTokens | None:
        """Return memory for corrections of tracked frames; a first prompt is answered from the frame alone."""
        if frame not in item.directions or not item.bank.conditioning:
            return None
        reverse = item.directions[frame]
        plan = self.reader.plan(item, frame, reverse=reverse)
        if not plan.spatial:
            return None
        tokens = self.reader.tokens([item], [plan], [window])
        # What was made again for this correction stays for the next click, not for good.
        beside, last = frame + (1 if reverse else -1), item.bank.last
        item.bank.retain(beside, beside if last is None else last)
        return tokens

    def _previous_logits(self, item: TrackedObject, frame: int, window: Window | None) -> Tensor | None:
        """Logits of the mask that a correction starts from: as computed if still held, else from the stored mask."""
        pending = item.pending.get(frame)
        entry = pending.entry if pending is not None else item.bank.entry(frame)
        if entry is not None and entry.window == window and entry.logits is not None:
            return entry.logits
        mask = item.masklet.mask_at(frame)
        if mask is None:
            return None
        return mask_logits(cut_mask(mask, window), self._place(window).size, self.reader.steps.device)

    def _store(
        self, item: TrackedObject, frame: int, prediction: MaskPrediction, chosen: int, window: Window | None
    ) -> PromptAnswer:
        candidates = tuple(
            Candidate(self._rendered(logits, window), shown_score(float(score)))
            for logits, score in zip(prediction.logits[0], prediction.iou[0], strict=True)
        )
        index = torch.tensor([chosen], device=prediction.iou.device)
        entry = self.reader.steps.entry_of(prediction.chosen(index))
        entry.window = window
        item.last_answer = LastAnswer(frame, prediction, window)
        self._keep(item, frame, entry)
        taken, presence = candidates[chosen], _probability(entry.object_logits)
        item.masklet.set(frame, taken.rle, score=taken.score, object_score=presence)
        return PromptAnswer(
            frame,
            item.object_id,
            taken.rle,
            taken.score,
            presence,
            candidates,
            chosen,
            prediction.logits[0, chosen],
            None if window is None else window.box,
        )

    def _rendered(self, logits: Tensor, window: Window | None) -> Rle:
        return render_mask(logits, self.frame_shape, self.reader.steps.settings, window)

    def _keep(self, item: TrackedObject, frame: int, entry: MemoryEntry) -> None:
        conditions = frame not in item.directions or self.reader.steps.settings.corrections_condition
        item.pending[frame] = PendingAnswer(entry, conditions or frame in item.bank.conditioning)


def _probability(object_logits: Tensor) -> float:
    return float(object_logits[0, 0].sigmoid())
