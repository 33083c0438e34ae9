"""Watching a training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class StepReport:
    """A step of the optimizer that has just been done.

    Attributes
    ----------
    stage, stages, step
        Which stage of how many, and the steps done in it.
    progress
        Share of the stage that is over.
    seconds
        The step took, waiting included.
    losses
        By the names in ``LOSS_PARTS``.
    """

    stage: int
    stages: int
    step: int
    progress: float
    seconds: float
    losses: Mapping[str, float]


class Observer(Protocol):
    """Is told what happens."""

    def stepped(self, report: StepReport) -> None:
        """Hear of a step of the optimizer that is done."""

    def validated(self, what: str, scores: Mapping[str, float]) -> None:
        """Hear of held-out clips that were tracked; ``what`` is "average" or, as a floor, "copy"."""
