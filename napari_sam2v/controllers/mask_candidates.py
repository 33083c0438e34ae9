"""The readings of an ambiguous prompt, and which one is taken."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from src_model.masks import MaskletFrame
    from src_model.workflow import PromptOutcome


@dataclass(frozen=True, slots=True)
class MaskCandidates:
    """The readings of the last prompt.

    Attributes
    ----------
    object_id, frame
        What was prompted.
    candidates
        The readings.
    chosen
        Which one is in the document.
    step
        Step of the document that the prompt was.
    """

    object_id: int
    frame: int
    candidates: tuple[MaskletFrame, ...]
    chosen: int
    step: int | None

    @classmethod
    def of(cls, outcome: PromptOutcome, step: int | None) -> MaskCandidates:
        """Take the model's answer, with the reading it believes in most."""
        return cls(outcome.object_id, outcome.frame, outcome.candidates, outcome.chosen, step)

    @property
    def mask(self) -> MaskletFrame:
        """The reading that is taken."""
        return self.candidates[self.chosen]

    def next(self) -> MaskCandidates:
        """Take the next one."""
        return replace(self, chosen=(self.chosen + 1) % len(self.candidates))
