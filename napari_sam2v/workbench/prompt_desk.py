"""Prompts: they go into the document at once, and the model's answer joins them when it is there.

While a run is under way they are answered between two of its frames, and it goes on with the answer.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from napari_sam2v.workbench.readings import Readings
from napari_sam2v.workbench.runner import End, Job
from src_model.annotation import (
    AddObject,
    AnnotatedObject,
    AnswerPrompt,
    ClearPrompts,
    Group,
    Prompt,
    SetMask,
    SetMaskPrompt,
    SetPrompt,
)
from src_model.workflow import PromptOutcome, PromptRequest, snapshot_of

if TYPE_CHECKING:
    from napari_sam2v.layers.prompt_types import PromptEdit
    from napari_sam2v.workbench.bench import Bench
    from src_model.annotation import Action
    from src_model.masks import Rle


class PromptDesk:
    """Takes prompts for the document on a bench.

    Attributes
    ----------
    readings
        Of the last prompt; None where there is nothing to choose from.
    """

    def __init__(self, bench: Bench) -> None:
        self.readings: Readings | None = None
        self._bench = bench
        self._answering: set[tuple[int, int]] = set()
        bench.interrupts.append(lambda: self._set_readings(None))
        bench.events.selection.connect(lambda _: self._forget_other_readings())

    def edit(self, edit: PromptEdit) -> None:
        """Take what the user did on a prompt layer, and have the model answer it."""
        known = edit.object_id in self._bench.annotation.objects
        before = (self._bench.annotation.prompt(edit.object_id, edit.frame) if known else None) or Prompt()
        prompt = _edited(before, edit)
        if prompt == before:
            return
        action: Action = SetPrompt(edit.object_id, edit.frame, prompt)
        if not known:
            info = AnnotatedObject(edit.object_id)
            action = Group(f"Start {info.title}", (AddObject(info), action))
        self._prompt(edit.object_id, edit.frame, action)

    def take_masks(self, frame: int, masks: Sequence[tuple[int | None, Rle]]) -> None:
        """Take masks, of another segmentation for instance, as prompts; an id of None starts a new object."""
        document = self._bench.annotation
        fresh = document.next_id()
        for object_id, mask in masks:
            number = fresh if object_id is None else object_id
            fresh = max(fresh, number + 1)
            actions: list[Action] = [SetMaskPrompt(number, frame, mask)]
            if number not in document.objects:
                actions.insert(0, AddObject(AnnotatedObject(number)))
            self._prompt(number, frame, Group(f"Mask of object {number}", tuple(actions)))

    def paint(self, object_id: int, frame: int, mask: Rle) -> None:
        """Take a mask painted by hand: of a new object it is the prompt, of a known one an edit of that frame."""
        if object_id not in self._bench.annotation.objects:
            self.take_masks(frame, [(object_id, mask)])
            return
        if not self._bench.annotation.prompts(object_id):
            self._prompt(object_id, frame, SetMaskPrompt(object_id, frame, mask))
            return
        self._bench.do(SetMask(object_id, frame, mask))

    def clear(self) -> None:
        """Remove the selected object's prompts from the shown frame."""
        if self._bench.selected is not None:
            self._bench.do(ClearPrompts(self._bench.selected, self._bench.frame))
            self._set_readings(None)

    def next_reading(self) -> None:
        """Take the next reading of the last click."""
        if self.readings is None or len(self.readings.candidates) < 2:
            return
        readings = self.readings.next()
        if self._answer(readings):
            self._set_readings(readings)

    # Inside ----------------------------------------------------------------------------------------------------------

    def _prompt(self, object_id: int, frame: int, action: Action) -> None:
        self._set_readings(None)
        done = self._bench.do(action)
        if done is None or done.step is None:
            return
        self._bench.select(object_id)
        if self._bench.annotation.prompt(object_id, frame) is not None:
            self._request_answer(object_id, frame, done.step)

    def _request_answer(self, object_id: int, frame: int, step: int) -> None:
        document, tracker = self._bench.annotation, self._bench.tracker
        asked: list[Prompt | None] = []

        def current() -> Prompt | None:
            there = document is self._bench.document and object_id in document.objects
            return document.prompt(object_id, frame) if there else None

        def prepare() -> PromptRequest | None:
            asked.append(current())
            return None if asked[-1] is None else PromptRequest(snapshot_of(document, object_id), frame)

        def work(request: PromptRequest | None) -> Iterator[PromptOutcome]:
            if request is not None:
                yield tracker.answer(request)

        def take(outcome: PromptOutcome) -> None:
            if current() == asked[-1]:  # else it was undone or changed while the model was busy
                self._take_answer(Readings.of(outcome, step))

        self._answering.add((object_id, frame))
        self._bench.events.busy.emit(True)
        job = Job(
            ("prompt", object_id, frame),
            prepare,
            work,
            take,
            lambda end: self._answered(object_id, frame, end),
            is_brief=True,
        )
        self._bench.runner.submit(job)

    def _take_answer(self, readings: Readings) -> None:
        if self._answer(readings):
            self._set_readings(readings)

    def _answer(self, readings: Readings) -> bool:
        entry = readings.mask
        action = AnswerPrompt(readings.object_id, readings.frame, entry.mask, entry.score, entry.object_score)
        return self._bench.do(action, join=readings.step) is not None

    def _answered(self, object_id: int, frame: int, end: End) -> None:
        self._answering.discard((object_id, frame))
        if not self._answering:
            self._bench.events.busy.emit(False)
        self._bench.events.status.emit()
        if end.error is not None:
            self._bench.tell(end.error)

    def _set_readings(self, readings: Readings | None) -> None:
        if readings is not self.readings:
            self.readings = readings
            self._bench.events.readings.emit(readings)

    def _forget_other_readings(self) -> None:
        if self.readings is not None and self.readings.object_id != self._bench.selected:
            self._set_readings(None)


def _edited(before: Prompt, edit: PromptEdit) -> Prompt:
    """Return the prompt after an edit of one of its kinds."""
    if edit.kind == "points":
        return replace(before, points=edit.points, labels=edit.labels)
    if edit.kind == "box":
        return replace(before, box=edit.box)
    return replace(before, mask=None) if edit.mask is None else Prompt(mask=edit.mask)
