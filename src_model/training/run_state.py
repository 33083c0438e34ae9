"""What a training run needs to go on exactly where it stopped, and how it is kept on disk."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from src_model.errors import TrainingError
from src_model.files import replacing
from src_model.training.parameter_groups import optimizer_groups

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from src_model.nn import Sam2Network
    from src_model.training.recipe import Recipe

_OWN_KEYS = ("name", "scale")


@dataclass(slots=True)
class RunState:
    """Weights being trained, their average, the optimizer, and how far the run is.

    Attributes
    ----------
    stage, step, elapsed
        Which stage the run is in, the steps and the seconds done in it, over all the parts of an interrupted run.
    total_steps
        Steps done in all stages.
    best
        Best validation score so far.
    """

    network: Sam2Network
    average: Sam2Network
    optimizer: torch.optim.AdamW
    stage: int = 0
    step: int = 0
    elapsed: float = 0.0
    total_steps: int = 0
    best: float = -1.0

    @classmethod
    def fresh(cls, network: Sam2Network, recipe: Recipe) -> RunState:
        """Begin a run from the weights of ``network``."""
        network.train()
        average = copy.deepcopy(network).eval().requires_grad_(False)
        return cls(network, average, _optimizer(network, recipe))

    def next_stage(self, recipe: Recipe) -> None:
        """Go on from the averaged weights with a new optimizer."""
        self.network.load_state_dict(self.average.state_dict())
        self.optimizer = _optimizer(self.network, recipe)
        self.stage, self.step, self.elapsed = self.stage + 1, 0, 0.0

    @torch.no_grad()
    def update_average(self, decay: float) -> None:
        """Move the average towards the current weights."""
        for averaged, current in zip(self.average.parameters(), self.network.parameters(), strict=True):
            averaged.lerp_(current, 1 - decay)

    def save(self, path: Path, *, scaler: dict[str, Any] | None = None) -> None:
        """Write everything to a file that is complete or absent, never partial."""
        content = {
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "stage": self.stage,
            "step": self.step,
            "elapsed": self.elapsed,
            "total_steps": self.total_steps,
            "best": self.best,
            "torch_rng": torch.get_rng_state(),
            "scaler": scaler,
        }
        with replacing(path) as part:
            torch.save(content, part)

    def load(self, path: Path, recipe: Callable[[int], Recipe]) -> dict[str, Any] | None:
        """Take over everything from a file of :meth:`save`; returns the state of the gradient scaler, if there was one.

        Parameters
        ----------
        path
            What was saved.
        recipe
            Gives the recipe of a stage.

        Raises
        ------
        TrainingError
            If the file holds another network, or an optimizer of other parameter groups.
        """
        content: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        self.stage = content.get("stage", 0)
        self.optimizer = _optimizer(self.network, recipe(self.stage))
        own = [{key: group[key] for key in _OWN_KEYS} for group in self.optimizer.param_groups]
        try:
            self.network.load_state_dict(content["network"])
            self.average.load_state_dict(content["average"])
            self.optimizer.load_state_dict(content["optimizer"])
        except (RuntimeError, ValueError) as error:
            raise TrainingError(f"'{path}' is of a run with another network or recipe: {error}") from error
        for group, kept in zip(self.optimizer.param_groups, own, strict=True):
            group.update(kept)
        self.step, self.elapsed, self.best = content["step"], content["elapsed"], content["best"]
        self.total_steps = content.get("total_steps", self.step)
        torch.set_rng_state(content["torch_rng"])
        scaler: dict[str, Any] | None = content.get("scaler")
        return scaler


def save_weights(network: Sam2Network, path: Path) -> None:
    """Write the weights alone, as float32 safetensors."""
    from safetensors.torch import save_file

    tensors = {name: value.contiguous() for name, value in network.state_dict().items()}
    with replacing(path) as part:
        save_file(tensors, part)


def _optimizer(network: Sam2Network, recipe: Recipe) -> torch.optim.AdamW:
    return torch.optim.AdamW(list(optimizer_groups(network, recipe)), betas=(0.9, 0.98))
