"""What a training run needs to go on exactly where it stopped, and how it is kept on disk."""

from __future__ import annotations

import copy
import os
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from src_model.training.recipe import Recipe, optimizer_groups

if TYPE_CHECKING:
    from pathlib import Path

    from src_model.nn import Sam2Network


@dataclass(slots=True)
class RunState:
    """Weights being trained, their average, the optimizer, and how far the run is.

    Attributes
    ----------
    step
        Steps done.
    elapsed
        Seconds of training done, over all the parts of an interrupted run.
    best
        Best validation score so far.
    """

    network: Sam2Network
    average: Sam2Network
    optimizer: torch.optim.AdamW
    step: int = 0
    elapsed: float = 0.0
    best: float = -1.0

    @classmethod
    def fresh(cls, network: Sam2Network, recipe: Recipe) -> RunState:
        """Begin a run from the weights of ``network``."""
        network.train()
        average = copy.deepcopy(network).eval().requires_grad_(False)
        optimizer = torch.optim.AdamW(list(optimizer_groups(network, recipe)), betas=(0.9, 0.98))
        return cls(network, average, optimizer)

    @torch.no_grad()
    def update_average(self, decay: float) -> None:
        """Move the average towards the current weights."""
        for averaged, current in zip(_tensors(self.average), _tensors(self.network), strict=True):
            averaged.lerp_(current, 1 - decay)

    def save(self, path: Path) -> None:
        """Write everything to a file that is complete or absent, never partial."""
        content = {
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "step": self.step,
            "elapsed": self.elapsed,
            "best": self.best,
            "torch_rng": torch.get_rng_state(),
        }
        _write_atomically(path, lambda part: torch.save(content, part))

    def load(self, path: Path) -> None:
        """Take over everything from a file of :meth:`save`."""
        content: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        self.network.load_state_dict(content["network"])
        self.average.load_state_dict(content["average"])
        self.optimizer.load_state_dict(content["optimizer"])
        self.step, self.elapsed, self.best = content["step"], content["elapsed"], content["best"]
        torch.set_rng_state(content["torch_rng"])


def save_weights(network: Sam2Network, path: Path) -> None:
    """Write the weights alone, as float32 safetensors."""
    from safetensors.torch import save_file

    tensors = {name: value.contiguous() for name, value in network.state_dict().items()}
    _write_atomically(path, lambda part: save_file(tensors, part))


def _write_atomically(path: Path, write: Any) -> None:
    part = path.with_name(f"{path.name}.{os.getpid()}.{random.getrandbits(32):08x}.part")
    try:
        write(part)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def _tensors(module: nn.Module) -> list[torch.Tensor]:
    return [*module.parameters()]
