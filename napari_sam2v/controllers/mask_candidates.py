"""The masks that an ambiguous prompt may mean, and which one is taken."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from src_model.masks import MaskletFrame
    from src_model.workflow import PromptOutcome


@dataclass(frozen=True, slots=True)
class MaskCandidates:
    """The masks with which the model answered the last prompt.

    Attributes
    ----------
    object_id, frame
        Which object was prompted, and on which frame.
    masks
        The masks with their scores, at least one.
    chosen
        Index of the mask that the document holds.
    step
        Number of the document's step that set the prompt; None if it is not in the history.
    """

    object_id: int
    frame: int
    masks: tuple[MaskletFrame, ...]
    chosen: int
    step: int | None

    @classmethod
    def of(cls, outcome: PromptOutcome, step: int | None) -> MaskCandidates:
        """Take the model's answer; at first the mask with the best score is chosen."""
        return cls(outcome.object_id, outcome.frame, outcome.candidates, outcome.chosen, step)

    @property
    def chosen_mask(self) -> MaskletFrame:
        """The mask that the document holds."""
        return self.masks[self.chosen]

    def next(self) -> MaskCandidates:
        """Choose the next mask; after the last one comes the first."""
        return replace(self, chosen=(self.chosen + 1) % len(self.masks))
