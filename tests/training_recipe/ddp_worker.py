"""One of the processes of a run: trains two steps and writes the gradient of the first.

Run as ``torchrun --nproc-per-node 2 tests/training_recipe/ddp_worker.py OUT``.
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch

from tests.training.tiny import tiny_network
from tests.training_recipe.tiny import disc_data
from training_recipe.devices import make_fabric
from training_recipe.recipe import Recipe, SizePlan
from training_recipe.run_config import RunConfig, TrainingStage
from training_recipe.trainer import Trainer

# Four batches a step; in the first step a part of the encoder is frozen.
RECIPE = Recipe(
    late_from=0.0, early_from=0.5, warm_up_steps=1, batch=4, crowds=0.0, clip_norm=1e9,
    sizes=(SizePlan(64, 1.0, 1.0, (2, 3), 1, 0.0, (1,), 1),),
)  # fmt: skip
CONFIG = RunConfig((TrainingStage(steps=2, recipe=RECIPE),), precision="32", workers=0, tensorboard=False)


def train(out: Path) -> None:
    torch.set_num_threads(1)
    fabric = make_fabric(device="cpu", precision="32")
    trainer = Trainer(CONFIG, out, tiny_network(), disc_data(held_out=0), fabric)
    gradients: dict[str, torch.Tensor] = {}

    def keep(*_: object) -> None:
        named = trainer.state.network.named_parameters()
        if not gradients:
            gradients.update({name: p.grad.clone() for name, p in named if p.grad is not None})

    trainer.state.optimizer.register_step_pre_hook(keep)
    trainer.run()
    if fabric.is_global_zero:
        torch.save(gradients, out / "gradients.pt")


if __name__ == "__main__":
    train(Path(sys.argv[1]))
