"""What every protocol has in common: it turns targets and a tracker into attempts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from src_model.evaluation.targets import span_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from src_model.evaluation.methods import PromptableTracker
    from src_model.evaluation.targets import Target
    from src_model.masks import MaskletFrame

Masks = dict[int, dict[int, "MaskletFrame"]]
"""By object, then by frame."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One object's masks after a person did something about them.

    Attributes
    ----------
    masks
        Mask and scores by frame number, for each frame the target has truth for.
    prompted
        Numbers of the annotated frames, in the order they were annotated.
    clicks
        Clicks on all of them; None where a mask was given, which no click count is fair to.
    examinations
        How often the whole movie was watched to find mistakes.
    """

    masks: Mapping[int, MaskletFrame]
    prompted: tuple[int, ...]
    clicks: int | None
    examinations: int


class EvaluationProtocol(Protocol):
    """A way of annotating a movie."""

    @property
    def name(self) -> str:
        """What it is asked for by."""

    @property
    def gives_first_mask(self) -> bool:
        """Whether the first frame's mask is the truth itself, which earns nothing."""

    def run(self, tracker: PromptableTracker, targets: Sequence[Target]) -> dict[int, tuple[Attempt, ...]]:
        """Annotate all targets of a movie together.

        Parameters
        ----------
        tracker
            Fresh, on the targets' movie.
        targets
            The objects and their truth; at least one.

        Returns
        -------
        dict
            By object, attempts of growing effort; the last one is the result.
        """


def propagated(tracker: PromptableTracker, targets: Sequence[Target]) -> Masks:
    """Follow targets from the first prompt to the end, all in one pass; keeps what there is truth for."""
    masks: Masks = {target.object_id: {} for target in targets}
    truths = {target.object_id: target.truth for target in targets}
    for frame, entries in tracker.propagate(span_of(targets), list(truths)):
        for object_id, entry in entries.items():
            if frame in truths[object_id]:
                masks[object_id][frame] = entry
    return masks
