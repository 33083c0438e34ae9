"""What a run needs to go on exactly where it stopped, and how it is kept on disk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from src_model.errors import TrainingError
from src_model.files import replacing
from src_model.training.training_state import TrainingState, new_optimizer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from src_model.nn import Sam2Network
    from training_recipe.recipe import Recipe


@dataclass(slots=True)
class RunState(TrainingState):
    """A network in training, and how far its run is.

    ``step`` and ``elapsed`` count within the stage, over all the parts of an interrupted run.

    Attributes
    ----------
    stage
        Which stage the run is in, from 0.
    total_steps
        Steps done in all stages.
    best
        Best validation score so far, mean J of 0 to 1; -1 before the first.
    """

    stage: int = 0
    total_steps: int = 0
    best: float = -1.0

    def next_stage(self, recipe: Recipe) -> None:
        """Go on from the averaged weights with a new optimizer."""
        self.network.load_state_dict(self.average.state_dict())
        self.optimizer = new_optimizer(self.network, recipe)
        self.stage, self.step, self.elapsed = self.stage + 1, 0, 0.0

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
            File that :meth:`save` wrote.
        recipe
            Gives the recipe of a stage, numbered from 0.

        Raises
        ------
        TrainingError
            If the file holds another network, or an optimizer of other parameter groups.
        """
        content: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        self.stage = content["stage"]
        self.optimizer = new_optimizer(self.network, recipe(self.stage))
        # The optimizer takes every key of its groups from the file, but a resumed run may have another layer decay.
        scales = [group["scale"] for group in self.optimizer.param_groups]
        try:
            self.network.load_state_dict(content["network"])
            self.average.load_state_dict(content["average"])
            self.optimizer.load_state_dict(content["optimizer"])
        except (RuntimeError, ValueError) as error:
            raise TrainingError(f"'{path}' is of a run with another network or recipe: {error}") from error
        for group, scale in zip(self.optimizer.param_groups, scales, strict=True):
            group["scale"] = scale
        self.step, self.elapsed, self.best = content["step"], content["elapsed"], content["best"]
        self.total_steps = content["total_steps"]
        torch.set_rng_state(content["torch_rng"])
        scaler: dict[str, Any] | None = content["scaler"]
        return scaler


def save_weights(network: Sam2Network, path: Path) -> None:
    """Write the weights alone, as float32 safetensors."""
    from safetensors.torch import save_file

    tensors = {name: value.contiguous() for name, value in network.state_dict().items()}
    with replacing(path) as part:
        save_file(tensors, part)
