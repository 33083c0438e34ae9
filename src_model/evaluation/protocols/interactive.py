"""Interactive protocols: masks are watched and corrected.

Online, somebody watches the masks as they are made, stops where one is wrong, corrects it there, and goes on. Offline,
they watch the whole movie, annotate the worst frame, follow again from the beginning, and so on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from src_model.evaluation.annotator import annotate
from src_model.evaluation.protocols.attempt import Attempt, propagated
from src_model.evaluation.targets import span_of
from src_model.masks import mask_iou

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from src_model.evaluation.methods import PromptableTracker
    from src_model.evaluation.targets import Target
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

    def run(self, tracker: PromptableTracker, targets: Sequence[Target]) -> dict[int, tuple[Attempt, ...]]:
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

    def _watch(self, tracker: PromptableTracker, number: int, each: _Pass, frame: int, entry: MaskletFrame) -> None:
        truth = each.target.truth.get(frame)
        if truth is None:
            return
        each.masks[frame] = entry
        may_stop = frame not in each.prompted and len(each.prompted) < each.budget
        if may_stop and mask_iou(entry.mask, truth) < self.good_enough:
            self._annotate(tracker, number, each, frame)

    def _annotate(self, tracker: PromptableTracker, number: int, each: _Pass, frame: int) -> None:
        entry = each.masks.get(frame)
        shown = None if entry is None else entry.mask
        done = annotate(tracker, frame, number, each.target.truth[frame], shown=shown, clicks=self.clicks)
        each.prompted.append(frame)
        each.clicks += done.clicks
        if done.entry is not None:
            each.masks[frame] = done.entry


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

    def run(self, tracker: PromptableTracker, targets: Sequence[Target]) -> dict[int, tuple[Attempt, ...]]:
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
        self, tracker: PromptableTracker, target: Target, attempts: Mapping[int, tuple[Attempt, ...]]
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
