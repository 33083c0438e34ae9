"""Semi-supervised: everything is said on an object's first frame, then it is followed to the end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from src_model.evaluation.boxes import tight_box
from src_model.evaluation.clicks import annotate
from src_model.evaluation.effort import CLICKS_OF_A_BOX
from src_model.evaluation.protocols.attempt import Attempt, propagated
from src_model.tracking import Prompt

if TYPE_CHECKING:
    from collections.abc import Sequence

    from src_model.evaluation.targets import Target
    from src_model.evaluation.tracker import Tracker


@dataclass(frozen=True, slots=True)
class FromFirstMask:
    """The true mask of the first frame is given."""

    name: str = "mask"
    gives_first_mask: bool = True

    def run(self, tracker: Tracker, targets: Sequence[Target]) -> dict[int, tuple[Attempt, ...]]:
        """Annotate and follow (see `EvaluationProtocol`)."""
        for target in targets:
            tracker.prompt(target.first, target.object_id, Prompt(mask=target.truth[target.first]))
        return _follow(tracker, targets, dict.fromkeys((target.object_id for target in targets), None))


@dataclass(frozen=True, slots=True)
class FromFirstBox:
    """The tight box around the first frame's true mask is given."""

    name: str = "box"
    gives_first_mask: bool = False

    def run(self, tracker: Tracker, targets: Sequence[Target]) -> dict[int, tuple[Attempt, ...]]:
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

    def run(self, tracker: Tracker, targets: Sequence[Target]) -> dict[int, tuple[Attempt, ...]]:
        """Annotate and follow (see `EvaluationProtocol`)."""
        given: dict[int, int | None] = {
            target.object_id: annotate(
                tracker, target.first, target.object_id, target.truth[target.first], clicks=self.clicks
            ).clicks
            for target in targets
        }
        return _follow(tracker, targets, given)


def _follow(
    tracker: Tracker, targets: Sequence[Target], clicks: dict[int, int | None]
) -> dict[int, tuple[Attempt, ...]]:
    masks = propagated(tracker, targets)
    # Nobody looks for mistakes that will not be corrected.
    return {
        target.object_id: (Attempt(masks[target.object_id], (target.first,), clicks[target.object_id], 0),)
        for target in targets
    }
