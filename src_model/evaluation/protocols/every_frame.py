"""Every frame alone: somebody draws a box on each of them, and nothing is tracked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from src_model.evaluation.boxes import tight_box
from src_model.evaluation.effort import CLICKS_OF_A_BOX
from src_model.evaluation.protocols.attempt import Attempt
from src_model.masks import MaskletFrame
from src_model.tracking import Prompt

if TYPE_CHECKING:
    from collections.abc import Sequence

    from src_model.evaluation.targets import Target
    from src_model.evaluation.tracker import Tracker


@dataclass(frozen=True, slots=True)
class EveryFrame:
    """The tight box around the true mask is given on each labelled frame with the object; elsewhere there is none."""

    name: str = "box on every frame"
    gives_first_mask: bool = False

    def run(self, tracker: Tracker, targets: Sequence[Target]) -> dict[int, tuple[Attempt, ...]]:
        """Annotate (see `EvaluationProtocol`)."""
        masks: dict[int, dict[int, MaskletFrame]] = {target.object_id: {} for target in targets}
        # Frame by frame, so that each image is encoded once.
        for frame in sorted({frame for target in targets for frame in target.truth}):
            for target in targets:
                if frame in target.truth:
                    masks[target.object_id][frame] = _answer(tracker, frame, target)
        return {target.object_id: (_attempt(target, masks[target.object_id]),) for target in targets}


def _answer(tracker: Tracker, frame: int, target: Target) -> MaskletFrame:
    truth = target.truth[frame]
    if truth.is_empty:
        return MaskletFrame(truth, score=1.0, object_score=0.0)
    return tracker.prompt(frame, target.object_id, Prompt(box=tight_box(truth)))


def _attempt(target: Target, masks: dict[int, MaskletFrame]) -> Attempt:
    drawn = tuple(frame for frame, truth in target.truth.items() if not truth.is_empty)
    return Attempt(masks, drawn, CLICKS_OF_A_BOX * len(drawn), examinations=0)
