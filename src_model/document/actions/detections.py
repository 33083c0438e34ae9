"""Taking what a detector found into the document."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from src_model.document.actions.base import ActionPlan, Skipped, frame_number
from src_model.document.objects import AnnotatedObject
from src_model.document.patch import Patch
from src_model.document.provenance import AnnotatedFrame, Origin
from src_model.masks import Rle, pairwise_containment
from src_model.prompts import Prompt

if TYPE_CHECKING:
    from collections.abc import Sequence

    from src_model.document.event_log import EventKind
    from src_model.document.state import State
    from src_model.masks import Detection


@dataclass(frozen=True, slots=True)
class AddDetections:
    """Add what was found on a frame as new objects, each with a prompt there from which it is tracked.

    A mask becomes a mask prompt and the answer to it; a box becomes a box prompt that is to be answered. What is
    annotated stays as it is: where a detection has too much in common with an object's mask on this frame, it is left
    out, and of two such detections the one of lower score.

    Attributes
    ----------
    frame
        Frame number, from 0.
    detections
        In any order; objects are numbered from the best one on. A label becomes the object's class.
    detector
        What the detector is called, for the undo menu and the log of events.
    most_shared
        Pixels in common, as a share of the smaller of both, 0 to 1. Whatever has more in common is the same object, a
        part of it, or a group that it belongs to.
    """

    frame: int
    detections: tuple[Detection, ...]
    detector: str
    most_shared: float = 0.5

    event: ClassVar[EventKind] = "detection"

    @property
    def label(self) -> str:
        """What the step is called."""
        return f"Detect with {self.detector}, frame {self.frame}"

    def plan(self, state: State) -> ActionPlan:
        """Add them, and name the objects that were found again as skipped.

        Raises
        ------
        FrameRangeError, PromptError
            If the frame or a detection does not fit the movie.
        """
        frame, shape = frame_number(self.frame, state), state.project.movie.frame_shape
        found = sorted(self.detections, key=lambda detection: -detection.score)
        asked = [Prompt(box=item.box) if item.mask is None else Prompt(mask=item.mask) for item in found]
        for prompt in asked:
            prompt.check_fits(shape)
        known = state.store.masks_on(frame, shape)
        fresh, again = self._compared([_covered(item, shape) for item in found], [e.mask for e in known.values()])
        objects, masks, prompts = {}, {}, {}
        for object_id, place in enumerate(fresh, max(state.tracks, default=0) + 1):
            item = found[place]
            objects[object_id] = AnnotatedObject(object_id, class_name=item.label)
            prompts[object_id] = {frame: asked[place]}
            if item.mask is not None:
                masks[object_id] = {frame: AnnotatedFrame(item.mask, item.score, 1.0, Origin.PROMPTED)}
        skipped = tuple(Skipped(list(known)[place], frame, "annotated already") for place in again)
        return ActionPlan(Patch(objects=objects, masks=masks, prompts=prompts), skipped)

    def _compared(self, found: Sequence[Rle], known: Sequence[Rle]) -> tuple[list[int], list[int]]:
        """Return the places of what was found and is new, and those of what was known and is found again."""
        is_same = pairwise_containment(found, [*known, *found]) > self.most_shared
        is_known = is_same[:, : len(known)].any(axis=1)
        fresh: list[int] = []
        for place in np.flatnonzero(~is_known).tolist():
            if not is_same[place, [len(known) + earlier for earlier in fresh]].any():
                fresh.append(place)
        return fresh, np.flatnonzero(is_same[:, : len(known)].any(axis=0)).tolist()


def _covered(detection: Detection, shape: tuple[int, int]) -> Rle:
    """Return the pixels of a detection: its mask, or the whole box where only that is known."""
    if detection.mask is not None:
        return detection.mask
    y0, x0, y1, x1 = detection.box
    low = max(0, math.floor(y0)), max(0, math.floor(x0))
    return Rle.from_box((*low, min(shape[0], math.ceil(y1)), min(shape[1], math.ceil(x1))), shape)
