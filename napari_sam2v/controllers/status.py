"""The next useful step, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from napari_sam2v.wording import count, key_text
from src_model.workflow.review import LOW_SCORE

if TYPE_CHECKING:
    from napari_sam2v.controllers.annotation_controller import AnnotationController
    from napari_sam2v.view_state import StatusKind, TimeMarks
    from src_model.document import Annotation

_START = {
    "point_positive": "Click an object in the image to get its mask",
    "scribble": "Draw a line through an object in the image to get its mask",
    "box": "Draw a box around an object to get its mask",
    "lasso": "Outline an object in the image; it becomes a mask",
    "paint": "Paint an object in the image; it becomes a mask",
}
"""How a new object is started, by the active tool."""


class Status(NamedTuple):
    """A line of text and what kind it is."""

    text: str
    kind: StatusKind


def next_step(
    controller: AnnotationController, keys: Mapping[str, str], *, busy: bool = False, tool: str = "point_positive"
) -> Status:
    """Say what a user would do next.

    Parameters
    ----------
    controller
        Holds the document, the selection and the worker.
    keys
        Key of each action, by action id.
    busy
        Whether the model is answering a prompt.
    tool
        Action id of the active tool; empty for none.
    """
    document = controller.document
    if document is None:
        return Status("Open a movie, then choose its layer below", "hint")
    progress = controller.tracking.progress
    if progress is not None:
        stop = f": {key_text(keys['stop'])} stops and keeps the finished frames" if keys.get("stop") else ""
        later = ". The other contrast or channel is used after this run" if controller.is_tracker_stale else ""
        return Status(f"{progress.text or 'Tracking'}{stop}{later}", "busy")
    if controller.finding.progress is not None:
        stop = f": {key_text(keys['stop'])} stops" if keys.get("stop") else ""
        return Status(f"{controller.finding.progress.text}{stop}", "busy")
    if busy:
        return Status("The model is working on this frame", "busy")
    if controller.selected is None:
        return Status(_START.get(tool) or _start_without_tool(keys), "hint")
    text, kind = _Advice(controller, document, controller.selected, keys).status()
    return Status(text[:1].upper() + text[1:], kind)


def _start_without_tool(keys: Mapping[str, str]) -> str:
    key = keys.get("point_positive")
    return f"Choose Include{f' ({key_text(key)})' if key else ''}, then click an object in the image"


class _Advice:
    """What to do with the selected object: what the shown frame asks for, then what its other frames do."""

    def __init__(
        self, controller: AnnotationController, document: Annotation, object_id: int, keys: Mapping[str, str]
    ) -> None:
        self._controller, self._keys, self._id = controller, keys, object_id
        self._info = document.object(object_id)
        self._title = self._info.title
        self._marks: TimeMarks = controller.object_marks.of(object_id)

    def status(self) -> Status:
        marks = self._marks
        if self._info.locked:
            return Status(
                f"{self._title} is locked; {self._pressed('next_object', 'Next object')} starts another", "hint"
            )
        if not (marks.prompted | marks.edited | marks.imported | marks.tracked).any():
            return Status(f"Click {self._title} in the image, draw a box around it, or paint it", "hint")
        return self._on_this_frame() or self._on_other_frames()

    def _on_this_frame(self) -> Status | None:
        marks, frame = self._marks, self._controller.frame
        if waiting := self._controller.prompts.waiting(self._id):
            what = f"Prompts on {count(waiting, 'frame')} of {self._title} wait"
            return Status(f"{what}: {self._pressed('answer', 'Answer')} has the model answer", "hint")
        if not 0 <= frame < marks.length:
            return None
        score = float(marks.scores[frame])
        if marks.prompted[frame] and marks.absent[frame]:
            how = "click the middle of the object, or draw a box around it"
            return Status(f"This prompt gives no mask: {how}", "warning")
        if marks.prompted[frame] and score < LOW_SCORE:
            another = f"{self._pressed('next_mask', 'next mask')} shows another, or " if self._is_ambiguous() else ""
            how = f"{another}click what is missing or too much"
            return Status(f"The model is not sure of this mask ({score:.2f}): {how}", "warning")
        if self._controller.corrections.waits(self._id, frame) and not marks.absent[frame]:
            return Status(f"Corrected. {self._pressed('repair', 'Repair')} tracks again around this frame", "hint")
        return None

    def _on_other_frames(self) -> Status:
        marks = self._marks
        known = ~np.isnan(marks.scores)
        next_object = f"{self._pressed('next_object', 'Next object')} starts the next object"
        if marks.tracked.any():
            return self._review(int(np.count_nonzero(known)), next_object)
        if marks.length == 1:
            return Status(f"{self._mask_right()}? {next_object}{self._or_another()}", "hint")
        if marks.prompted.any():
            forward = self._pressed("track_forward", "Forward")
            return Status(f"{self._mask_right()}? {forward} tracks it{self._or_another()}", "hint")
        made = "imported" if marks.imported.any() else "painted"
        frames = "every frame" if known.all() else f"{np.count_nonzero(known):,} of {count(marks.length, 'frame')}"
        how = next_object if known.all() else "click it once to let it be tracked"
        return Status(f"{self._title} is {made} on {frames}; {how}", "hint")

    def _review(self, known: int, next_object: str) -> Status:
        marks = self._marks
        if doubtful := int(np.count_nonzero(marks.in_doubt())):
            frames = f"{count(doubtful, 'frame')} of {self._title} may be wrong"
            key = self._keys.get("review_next")
            through = f", {key_text(key)} goes through all" if key else ""
            worst = self._pressed("worst_frame", "Worst frame")
            return Status(f"{frames}: {worst} shows the worst{through}", "warning")
        if known < marks.length:
            frames = f"{known:,} of {count(marks.length, 'frame')}"
            return Status(f"{self._title} has a mask on {frames}; track on, or review with the time strip", "hint")
        return Status(f"{self._title} is tracked; {next_object}", "hint")

    def _mask_right(self) -> str:
        """Ask for the mask on the shown frame, or say where it is."""
        marks, frame = self._marks, self._controller.frame
        if 0 <= frame < marks.length and not np.isnan(marks.scores[frame]):
            return "Is the mask right"
        return f"Is the mask on frame {int(np.flatnonzero(marks.prompted)[0]):,} right"

    def _is_ambiguous(self) -> bool:
        candidates = self._controller.prompts.candidates
        return candidates is not None and len(candidates.masks) > 1

    def _or_another(self) -> str:
        if not self._is_ambiguous():
            return ""
        return f"; {self._pressed('next_mask', 'next mask')} if another outline was meant"

    def _pressed(self, action: str, button: str) -> str:
        key = self._keys.get(action)
        return key_text(key) if key else f"'{button}'"
