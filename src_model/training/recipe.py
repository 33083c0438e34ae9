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
class StepPlan:
    """What a step of the optimizer is made of.

    Attributes
    ----------
    size
        Side of the images in pixels.
    frames, clips, objects
        Frames of a clip, clips computed at a time, objects of a clip.
    batches
        How often that is repeated before the weights move.
    """

    size: int
    frames: int
    clips: int
    batches: int
    objects: int = 1


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
        Clips of one object a step.
    crowds
        Share of the steps that are made of scenes with many objects.
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
    crowds: float = 0.4
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

    def plan(self, progress: float, rng: np.random.Generator) -> StepPlan:
        """Draw what a step is made of: clips of one object each, or crowds."""
        if rng.random() < self.crowds:
            return self._crowd_plan(rng)
        large = 0.12 + 0.28 * min(1.0, max(0.0, progress))
        size = int(rng.choice([224, 336, 448], p=[1 - large, large * 0.6, large * 0.4]))
        shares = [0.4, 0.3, 0.2, 0.1] if progress < self.decay_from else [0.25, 0.25, 0.25, 0.25]
        frames = {224: int(rng.choice([4, 5, 6, 8], p=shares)), 336: 4, 448: 3}[size]
        clips = {224: 4, 336: 2, 448: 2}[size]
        return StepPlan(size, frames, clips, max(1, self.batch // clips))

    def _crowd_plan(self, rng: np.random.Generator) -> StepPlan:
        """Draw a step of single frames with many objects, or of short clips with several."""
        size = int(rng.choice([224, 336, 448], p=[0.25, 0.35, 0.4]))
        if rng.random() < 0.65:
            return StepPlan(size, 1, 2, 2, objects=10)
        return StepPlan(size, 3, 1, 2, objects=4)


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
