"""The weights of a network that is being trained, their average, the optimizer, and who is told how far it is."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, Self

import torch

from src_model.training.schedule import optimizer_groups

if TYPE_CHECKING:
    from collections.abc import Mapping

    from src_model.nn import Sam2Network
    from src_model.training.schedule import Schedule


@dataclass(slots=True)
class TrainingState:
    """A network in training, and how far it is.

    Attributes
    ----------
    network
        Is changed by the optimizer.
    average
        Moving average of its weights, which is what a training results in; without gradients, in evaluation mode.
    optimizer
        AdamW with the groups of :func:`~src_model.training.schedule.optimizer_groups`.
    step, elapsed
        Steps of the optimizer that are done, and the seconds they took.
    """

    network: Sam2Network
    average: Sam2Network
    optimizer: torch.optim.AdamW
    step: int = 0
    elapsed: float = 0.0

    @classmethod
    def fresh(cls, network: Sam2Network, schedule: Schedule) -> Self:
        """Begin from the weights of ``network``, which goes into training mode."""
        network.train()
        average = copy.deepcopy(network).eval().requires_grad_(False)
        return cls(network, average, new_optimizer(network, schedule))

    @torch.no_grad()
    def update_average(self, decay: float) -> None:
        """Move the average towards the current weights; ``decay``, 0 to 1, is the share that stays."""
        for averaged, current in zip(self.average.parameters(), self.network.parameters(), strict=True):
            averaged.lerp_(current, 1 - decay)


def new_optimizer(network: Sam2Network, schedule: Schedule) -> torch.optim.AdamW:
    """Make an optimizer of all parameters, at rates of 0 until somebody sets them."""
    # A second moment over 50 steps instead of 1,000: trainings here are short, and rates change within them.
    return torch.optim.AdamW(list(optimizer_groups(network, schedule)), betas=(0.9, 0.98))


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
