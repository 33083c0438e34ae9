"""Prompts: they enter the document at once, and the model's answer follows when it is there.

While a run is under way they are answered between two of its frames, and it goes on with the answer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from napari_sam2v.controllers.worker import End, Job
from napari_sam2v.wording import count
from src_model.document import (
    AddObject,
    AnnotatedObject,
    AnswerPrompt,
    ClearPrompts,
    Group,
    Prompt,
    SetMask,
    SetPrompt,
)
from src_model.masks import MaskletFrame
from src_model.workflow import prompt_request

if TYPE_CHECKING:
    from napari_sam2v.controllers.annotation_controller import AnnotationController
    from napari_sam2v.layers.painted_labels import MaskEdit
    from napari_sam2v.layers.prompt_types import Key, PromptEdit
    from src_model.document import Action
    from src_model.masks import Rle
    from src_model.workflow import DocumentTracker, PromptOutcome, PromptRequest


@dataclass(frozen=True, slots=True)
class MaskCandidates:
    """The masks with which the model answered the last prompt.

    Attributes
    ----------
    object_id, frame
        Which object was prompted, and on which frame.
    masks
        The masks with their scores, at least one.
    chosen
        Index of the mask that the document holds.
    step
        Number of the document's step that set the prompt; None if it is not in the history.
    """

    object_id: int
    frame: int
    masks: tuple[MaskletFrame, ...]
    chosen: int
    step: int | None

    @classmethod
    def of(cls, outcome: PromptOutcome, step: int | None) -> MaskCandidates:
        """Take the model's answer; at first the mask is chosen that the model takes the prompt for."""
        return cls(outcome.object_id, outcome.frame, outcome.candidates, outcome.chosen, step)

    @property
    def chosen_mask(self) -> MaskletFrame:
        """The mask that the document holds."""
        return self.masks[self.chosen]

    def next(self) -> MaskCandidates:
        """Choose the next mask; after the last one comes the first."""
        return replace(self, chosen=(self.chosen + 1) % len(self.masks))


class PromptController:
    """Takes prompts for the open document, and has the model answer them.

    Attributes
    ----------
    candidates
        Of the last prompt; None where there is nothing to choose from.
    collects
        Whether prompts wait for :meth:`answer_waiting` before the model answers them.
    """

    def __init__(self, controller: AnnotationController) -> None:
        self.candidates: MaskCandidates | None = None
        self.collects = False
        self._controller = controller
        self._answering: set[Key] = set()
        self._waiting: dict[Key, int] = {}  # the step that each prompt was
        controller.interrupts.append(lambda: self._set_candidates(None))
        controller.events.selection.connect(lambda _: self._forget_other_candidates())
        controller.events.document.connect(self._forget_waiting)

    def edit(self, *edits: PromptEdit) -> None:
        """Take edits that the user made together on a prompt layer as one step, and have the model answer them."""
        wanted: dict[Key, Prompt] = {}
        for edit in edits:
            key = edit.object_id, edit.frame
            wanted[key] = _edited(wanted.get(key) or self._prompt_of(key), edit)
        changed = {key: prompt for key, prompt in wanted.items() if prompt != self._prompt_of(key)}
        self._do(self._prompted(changed), changed)

    def take_masks(self, frame: int, masks: Sequence[tuple[int | None, Rle]]) -> bool:
        """Take masks, of another segmentation for instance, as prompts in one step; an id of None starts a new object.

        Returns whether they were taken; if not, the user is told why.
        """
        fresh = self._controller.annotation.next_id()
        prompts: dict[Key, Prompt] = {}
        for object_id, mask in masks:
            number = fresh if object_id is None else object_id
            fresh = max(fresh, number + 1)
            prompts[number, frame] = Prompt(mask=mask)
        return self._do(self._prompted(prompts), prompts)

    def paint(self, *edits: MaskEdit) -> None:
        """Take one stroke of the brush as one step: a prompt of an object without prompts, else an edit of the mask."""
        document = self._controller.annotation
        actions: list[Action] = []
        prompts: dict[Key, Prompt] = {}
        for edit in edits:
            key = edit.object_id, edit.frame
            if edit.object_id in document.objects and document.prompts(edit.object_id):
                actions.append(SetMask(*key, edit.mask))
            elif not edit.mask.is_empty or edit.object_id in document.objects:
                prompts[key] = Prompt(mask=edit.mask)
        self._do([*actions, *self._prompted(prompts)], prompts)

    def waiting(self, object_id: int) -> int:
        """Return on how many frames an object has prompts that wait for :meth:`answer_waiting`."""
        return sum(key[0] == object_id and not self._prompt_of(key).is_empty for key in self._waiting)

    def answer_waiting(self) -> None:
        """Let the model answer the waiting prompts."""
        waiting = dict(self._waiting)
        self._waiting.clear()
        for key, step in waiting.items():
            if not self._prompt_of(key).is_empty:
                self._request_answer(*key, step)

    def clear(self) -> None:
        """Remove the selected object's prompts from the shown frame."""
        if self._controller.selected is not None:
            self._controller.do(ClearPrompts(self._controller.selected, self._controller.frame))
            self._set_candidates(None)

    def next_mask(self) -> None:
        """Take the next mask that the model offers for the last click."""
        if self.candidates is None or len(self.candidates.masks) < 2:
            return
        candidates = self.candidates.next()
        if self._answer(candidates):
            self._set_candidates(candidates)

    # Inside ----------------------------------------------------------------------------------------------------------

    def _prompt_of(self, key: Key) -> Prompt:
        document, (object_id, frame) = self._controller.annotation, key
        return (document.prompt(object_id, frame) if object_id in document.objects else None) or Prompt()

    def _prompted(self, prompts: Mapping[Key, Prompt]) -> list[Action]:
        """Make the actions that set prompts. A mask is its own answer, for which the model is not needed."""
        made: list[Action] = []
        known = set(self._controller.annotation.objects)
        for key, prompt in prompts.items():
            actions: list[Action] = [SetPrompt(*key, prompt)]
            if prompt.mask is not None and not prompt.points:
                actions.append(AnswerPrompt(*key, prompt.mask, 1.0, 1.0))
            label, info = actions[0].label, AnnotatedObject(key[0])
            if key[0] not in known:
                known.add(key[0])
                actions.insert(0, AddObject(info))
                label = f"Start {info.title}"
            made.append(actions[0] if len(actions) == 1 else Group(label, tuple(actions)))
        return made

    def _do(self, actions: list[Action], prompts: Mapping[Key, Prompt]) -> bool:
        """Do actions as one step, then have these prompts answered; return whether the actions were done."""
        if not actions:
            return False
        if prompts:
            self._set_candidates(None)
        group = Group(f"Prompt {count(len(actions), 'object')}", tuple(actions))
        done = self._controller.do(actions[0] if len(actions) == 1 else group)
        if done is None or done.step is None or not prompts:
            return done is not None
        self._controller.select(next(iter(prompts))[0])
        for key, prompt in prompts.items():
            if prompt.is_empty:
                continue
            if prompt.mask is not None and not prompt.points:
                self._set_candidates(MaskCandidates(*key, (MaskletFrame(prompt.mask, 1.0, 1.0),), 0, done.step))
            elif self.collects:
                self._waiting[key] = done.step
            else:
                self._request_answer(*key, done.step)
        self._controller.events.status.emit()
        return True

    def _request_answer(self, object_id: int, frame: int, step: int) -> None:
        controller, document = self._controller, self._controller.annotation
        asked: list[tuple[Prompt, DocumentTracker]] = []
        is_late: list[bool] = []

        def current() -> Prompt | None:
            there = document is controller.document and object_id in document.objects
            return document.prompt(object_id, frame) if there else None

        def prepare() -> PromptRequest | None:
            prompt = current()
            if prompt is None:
                return None
            asked.append((prompt, controller.tracker))
            return prompt_request(document, object_id, frame)

        def work(request: PromptRequest | None) -> Iterator[PromptOutcome]:
            if request is not None:
                yield asked[-1][1].answer(request)

        def take(outcome: PromptOutcome) -> None:
            prompt, tracker = asked[-1]
            if current() != prompt:  # it was undone or changed while the model was busy
                return
            if controller.is_current(tracker):
                self._take_answer(MaskCandidates.of(outcome, step))
            else:
                is_late.append(True)  # another model or channel was chosen meanwhile

        def finish(end: End) -> None:
            self._answered(object_id, frame, end)
            if is_late and current() is not None:
                self._request_answer(object_id, frame, step)

        self._answering.add((object_id, frame))
        self._controller.events.busy.emit(True)
        self._controller.worker.submit(Job(("prompt", object_id, frame), prepare, work, take, finish, is_brief=True))

    def _take_answer(self, candidates: MaskCandidates) -> None:
        if self._answer(candidates):
            self._set_candidates(candidates)

    def _answer(self, candidates: MaskCandidates) -> bool:
        entry = candidates.chosen_mask
        action = AnswerPrompt(candidates.object_id, candidates.frame, entry.mask, entry.score, entry.object_score)
        return self._controller.do(action, join=candidates.step) is not None

    def _answered(self, object_id: int, frame: int, end: End) -> None:
        self._answering.discard((object_id, frame))
        if not self._answering:
            self._controller.events.busy.emit(False)
        self._controller.events.status.emit()
        if end.error is not None:
            self._controller.report_error(end.error)

    def _set_candidates(self, candidates: MaskCandidates | None) -> None:
        if candidates is not self.candidates:
            self.candidates = candidates
            self._controller.events.candidates.emit(candidates)

    def _forget_waiting(self) -> None:
        self._waiting.clear()

    def _forget_other_candidates(self) -> None:
        if self.candidates is not None and self.candidates.object_id != self._controller.selected:
            self._set_candidates(None)


def _edited(before: Prompt, edit: PromptEdit) -> Prompt:
    """Return the prompt after an edit of one of its kinds."""
    if edit.kind == "points":
        return replace(before, points=edit.points, labels=edit.labels)
    if edit.kind == "box":
        return replace(before, box=edit.box)
    if edit.kind == "scribble":
        return before.with_points(edit.points, edit.labels)
    return replace(before, mask=None) if edit.mask is None else Prompt(mask=edit.mask)
