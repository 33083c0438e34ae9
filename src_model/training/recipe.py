"""The schedule of a training run, as functions of its progress from 0 to 1."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from torch import nn

_NEW = (
    "memory_attention.", "memory_encoder.", "maskmem_tpos_enc", "no_mem_", "no_obj_", "obj_ptr_", "mask_downsample.",
    "sam_mask_decoder.conv_s", "sam_mask_decoder.iou_prediction_head", "sam_mask_decoder.obj_score_token",
    "sam_mask_decoder.pred_obj_score_head",
)  # fmt: skip
_LATE = ("image_encoder.neck.", "image_encoder.trunk.layers.3.", "image_encoder.trunk.layers.2.downsample.")


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a training run does when.

    Attributes
    ----------
    new_rate, head_rate, late_rate, early_rate
        Peak learning rates of the parts that start untrained, of prompt encoder and mask decoder, of the encoder's last
        stage with its neck, and of the rest of the encoder.
    late_from, early_from
        Progress at which the parts of the encoder begin to learn.
    warm_up_steps
        Steps over which the rate rises.
    decay_from
        Progress from which the rate falls to nothing.
    batch
        Clips a step.
    ema
        Decay of the averaged weights, reached gradually.
    """

    new_rate: float = 4e-4
    head_rate: float = 1e-4
    late_rate: float = 6e-5
    early_rate: float = 3e-5
    late_from: float = 0.1
    early_from: float = 0.35
    warm_up_steps: int = 40
    decay_from: float = 0.6
    batch: int = 8
    ema: float = 0.995
    weight_decay: float = 0.02
    clip_norm: float = 1.0

    def rate_factor(self, progress: float, step: int) -> float:
        """Share of the peak rates at a point of the run: warm-up, plateau, cosine decay."""
        warm = min(1.0, (step + 1) / self.warm_up_steps)
        over = max(0.0, (progress - self.decay_from) / (1 - self.decay_from))
        return warm * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * min(1.0, over))))

    def rates(self, progress: float, step: int) -> dict[str, float]:
        """Learning rate of each group of parameters; 0 while a group is frozen."""
        factor = self.rate_factor(progress, step)
        return {
            "new": factor * self.new_rate,
            "head": factor * self.head_rate,
            "late": factor * self.late_rate if progress >= self.late_from else 0.0,
            "early": factor * self.early_rate if progress >= self.early_from else 0.0,
        }

    def true_memory(self, progress: float) -> float:
        """Share of memories from the truth: 70 % falling to 30 %."""
        return 0.7 - 0.4 * min(1.0, max(0.0, progress))

    def ema_decay(self, step: int) -> float:
        """Decay of the average, small at first."""
        return min(self.ema, (1 + step) / (10 + step))

    def shape(self, progress: float, rng: np.random.Generator) -> tuple[int, int, int]:
        """Draw image side, frames a clip, and clips computed at a time."""
        large = 0.12 + 0.28 * min(1.0, max(0.0, progress))
        size = int(rng.choice([224, 336, 448], p=[1 - large, large * 0.6, large * 0.4]))
        shares = [0.4, 0.3, 0.2, 0.1] if progress < self.decay_from else [0.25, 0.25, 0.25, 0.25]
        frames = {224: int(rng.choice([4, 5, 6, 8], p=shares)), 336: 4, 448: 3}[size]
        return size, frames, {224: 4, 336: 2, 448: 2}[size]


def parameter_group(name: str) -> str:
    """Group of a parameter: "new", "head", "late" or "early"."""
    if name.startswith(_NEW):
        return "new"
    if name.startswith(_LATE):
        return "late"
    return "early" if name.startswith("image_encoder.") else "head"


def optimizer_groups(network: nn.Module, recipe: Recipe) -> Iterator[dict[str, object]]:
    """Parameter groups for AdamW: each of the recipe's groups, split by whether weights decay."""
    for group in ("new", "head", "late", "early"):
        named = [(n, p) for n, p in network.named_parameters() if parameter_group(n) == group]
        for decays in (True, False):
            parameters = [p for _, p in named if (p.ndim > 1) == decays]
            decay = recipe.weight_decay if decays else 0.0
            yield {"params": parameters, "lr": 0.0, "weight_decay": decay, "name": group}
