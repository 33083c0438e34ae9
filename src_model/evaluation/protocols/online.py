"""Interactive, online: watch the masks as they are made, stop where one is wrong, correct it there, go on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from src_model.evaluation.clicks import annotate
from src_model.evaluation.protocols.attempt import Attempt
from src_model.evaluation.targets import span_of
from src_model.masks import mask_iou

if TYPE_CHECKING:
    from collections.abc import Sequence

    from src_model.evaluation.targets import Target
    from src_model.evaluation.tracker import Tracker
    from src_model.masks import MaskletFrame

GOOD_ENOUGH = 0.75
"""The IoU under which a person would stop."""


@dataclass(slots=True)
class _Pass:
    """One object followed with a budget of frames to annotate."""

    target: Target
    budget: int
    masks: dict[int, MaskletFrame]
    prompted: list[int]
    clicks: int = 0

    def attempt(self) -> Attempt:
        return Attempt(self.masks, tuple(self.prompted), self.clicks, examinations=1)


@dataclass(frozen=True, slots=True)
class Online:
    """One pass through the movie for every budget of annotated frames.

    Objects do not know each other, so that the budgets of an object are followed side by side as objects of their own.

    Attributes
    ----------
    budgets
        Frames that may be annotated, ascending; the first frame is one of them.
    clicks
        Clicks an annotated frame, at most.
    good_enough
        The IoU under which a frame is corrected.
    """

    budgets: tuple[int, ...] = (1, 2, 3, 5, 8)
    clicks: int = 3
    good_enough: float = GOOD_ENOUGH
    name: str = "online"
    gives_first_mask: bool = False

    def run(self, tracker: Tracker, targets: Sequence[Target]) -> dict[int, tuple[Attempt, ...]]:
        """Annotate and follow (see `EvaluationProtocol`)."""
        passes = {
            number: _Pass(target, budget, {}, [])
            for number, (target, budget) in enumerate(
                ((target, budget) for target in targets for budget in self.budgets), start=1
            )
        }
        for number, each in passes.items():
            self._annotate(tracker, number, each, each.target.first)
        for frame, entries in tracker.propagate(span_of(targets), list(passes)):
            for number, entry in entries.items():
                self._watch(tracker, number, passes[number], frame, entry)
        return {
            target.object_id: tuple(each.attempt() for each in passes.values() if each.target is target)
            for target in targets
        }

    def _watch(self, tracker: Tracker, number: int, each: _Pass, frame: int, entry: MaskletFrame) -> None:
        truth = each.target.truth.get(frame)
        if truth is None:
            return
        each.masks[frame] = entry
        may_stop = frame not in each.prompted and len(each.prompted) < each.budget
        if may_stop and mask_iou(entry.mask, truth) < self.good_enough:
            self._annotate(tracker, number, each, frame)

    def _annotate(self, tracker: Tracker, number: int, each: _Pass, frame: int) -> None:
        entry = each.masks.get(frame)
        shown = None if entry is None else entry.mask
        done = annotate(tracker, frame, number, each.target.truth[frame], shown=shown, clicks=self.clicks)
        each.prompted.append(frame)
        each.clicks += done.clicks
        if done.entry is not None:
            each.masks[frame] = done.entry
