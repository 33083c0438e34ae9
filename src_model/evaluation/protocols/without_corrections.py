"""Protocols without corrections: all is said on an object's first frame, or on every frame, and never put right."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from src_model.evaluation.annotator import CLICKS_OF_A_BOX, annotate, tight_box
from src_model.evaluation.protocols.attempt import Attempt, propagated
from src_model.masks import MaskletFrame
from src_model.prompts import Prompt

if TYPE_CHECKING:
    from collections.abc import Sequence

    from src_model.evaluation.methods import PromptableTracker
    from src_model.evaluation.targets import Target


@dataclass(frozen=True, slots=True)
class FromFirstMask:
    """The true mask of the first frame is given."""

    name: str = "mask"
    gives_first_mask: bool = True

    def run(self, tracker: PromptableTracker, targets: Sequence[Target]) -> dict[int, tuple[Attempt, ...]]:
        """Annotate and follow (see `EvaluationProtocol`)."""
        for target in targets:
            tracker.prompt(target.first, target.object_id, Prompt(mask=target.truth[target.first]))
        return _follow(tracker, targets, dict.fromkeys((target.object_id for target in targets), None))


@dataclass(frozen=True, slots=True)
class FromFirstBox:
    """The tight box around the first frame's true mask is given."""

    name: str = "box"
    gives_first_mask: bool = False

    def run(self, tracker: PromptableTracker, targets: Sequence[Target]) -> dict[int, tuple[Attempt, ...]]:
        """Annotate and follow (see `EvaluationProtocol`)."""
        for target in targets:
            tracker.prompt(target.first, target.object_id, Prompt(box=tight_box(target.truth[target.first])))
        return _follow(tracker, targets, dict.fromkeys((target.object_id for target in targets), CLICKS_OF_A_BOX))


@dataclass(frozen=True, slots=True)
class FromFirstClicks:
    """One click deepest inside, then corrections of the largest errors, all on the first frame.

    Attributes
    ----------
    name
        What it is asked for by.
    clicks
        At most so many; fewer where nothing is wrong any more.
    """

    name: str
    clicks: int
    gives_first_mask: bool = False

    def run(self, tracker: PromptableTracker, targets: Sequence[Target]) -> dict[int, tuple[Attempt, ...]]:
        """Annotate and follow (see `EvaluationProtocol`)."""
        given: dict[int, int | None] = {
            target.object_id: annotate(
                tracker, target.first, target.object_id, target.truth[target.first], clicks=self.clicks
            ).clicks
            for target in targets
        }
        return _follow(tracker, targets, given)


def _follow(
    tracker: PromptableTracker, targets: Sequence[Target], clicks: dict[int, int | None]
) -> dict[int, tuple[Attempt, ...]]:
    masks = propagated(tracker, targets)
    # Nobody looks for mistakes that will not be corrected.
    return {
        target.object_id: (Attempt(masks[target.object_id], (target.first,), clicks[target.object_id], 0),)
        for target in targets
    }


@dataclass(frozen=True, slots=True)
class EveryFrame:
    """The tight box around the true mask is given on each labelled frame with the object; elsewhere there is none."""

    name: str = "box on every frame"
    gives_first_mask: bool = False

    def run(self, tracker: PromptableTracker, targets: Sequence[Target]) -> dict[int, tuple[Attempt, ...]]:
        """Annotate (see `EvaluationProtocol`)."""
        masks: dict[int, dict[int, MaskletFrame]] = {target.object_id: {} for target in targets}
        # Frame by frame, so that each image is encoded once.
        for frame in sorted({frame for target in targets for frame in target.truth}):
            for target in targets:
                if frame in target.truth:
                    masks[target.object_id][frame] = _answer(tracker, frame, target)
        return {target.object_id: (_attempt(target, masks[target.object_id]),) for target in targets}


def _answer(tracker: PromptableTracker, frame: int, target: Target) -> MaskletFrame:
    truth = target.truth[frame]
    if truth.is_empty:
        return MaskletFrame(truth, score=1.0, object_score=0.0)
    return tracker.prompt(frame, target.object_id, Prompt(box=tight_box(truth)))


def _attempt(target: Target, masks: dict[int, MaskletFrame]) -> Attempt:
    drawn = tuple(frame for frame, truth in target.truth.items() if not truth.is_empty)
    return Attempt(masks, drawn, CLICKS_OF_A_BOX * len(drawn), examinations=0)
