"""Interactive, offline: watch the whole movie, annotate the worst frame, follow again from the beginning, and so on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from src_model.evaluation.clicks import annotate
from src_model.evaluation.protocols.attempt import Attempt, propagated
from src_model.masks import mask_iou

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from src_model.evaluation.targets import Target
    from src_model.evaluation.tracker import Tracker
    from src_model.masks import MaskletFrame


@dataclass(frozen=True, slots=True)
class Offline:
    """Rounds of annotating one frame of each object and following all of them again.

    Attributes
    ----------
    rounds
        Annotated frames an object, at most; the first round annotates the first frame.
    clicks
        Clicks an annotated frame, at most.
    """

    rounds: int = 8
    clicks: int = 3
    name: str = "offline"
    gives_first_mask: bool = False

    def run(self, tracker: Tracker, targets: Sequence[Target]) -> dict[int, tuple[Attempt, ...]]:
        """Annotate and follow (see `EvaluationProtocol`)."""
        attempts: dict[int, tuple[Attempt, ...]] = {target.object_id: () for target in targets}
        pending = list(targets)
        for number in range(1, self.rounds + 1):
            annotated = {target.object_id: self._annotate(tracker, target, attempts) for target in pending}
            pending = [target for target in pending if annotated[target.object_id]]
            if not pending:
                break
            masks = propagated(tracker, pending)
            for target in pending:
                prompted, clicks = annotated[target.object_id] or ((), 0)
                attempt = Attempt(masks[target.object_id], prompted, clicks, number)
                attempts[target.object_id] += (attempt,)
        return attempts

    def _annotate(
        self, tracker: Tracker, target: Target, attempts: Mapping[int, tuple[Attempt, ...]]
    ) -> tuple[tuple[int, ...], int] | None:
        """Annotate the object's next frame; gives all annotated frames and clicks so far, None where all is right."""
        last = next(reversed(attempts[target.object_id]), None)
        frame = worst_frame(last.masks, target, last.prompted) if last else target.first
        if frame is None:
            return None
        shown = last.masks[frame].mask if last else None
        done = annotate(tracker, frame, target.object_id, target.truth[frame], shown=shown, clicks=self.clicks)
        before = (last.prompted, last.clicks or 0) if last else ((), 0)
        return (*before[0], frame), before[1] + done.clicks


def worst_frame(masks: Mapping[int, MaskletFrame], target: Target, prompted: Sequence[int]) -> int | None:
    """Find the frame of lowest IoU that was not annotated yet, the earliest of equals; None where all are right."""
    found = {
        frame: mask_iou(masks[frame].mask, truth) for frame, truth in target.truth.items() if frame not in prompted
    }
    worst = min(found, key=lambda frame: found[frame], default=None)
    return None if worst is None or found[worst] == 1.0 else worst
