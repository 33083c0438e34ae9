"""The schedule of a stage of training, as functions of its progress from 0 to 1."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from src_model.training.strict import strict

if TYPE_CHECKING:
    import numpy as np

    from src_model.training.parameter_groups import Group

Share = Annotated[float, Field(ge=0, le=1)]
Rate = Annotated[float, Field(ge=0)]
Count = Annotated[int, Field(ge=1)]
Counts = Annotated[tuple[Count, ...], Field(min_length=1)]


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


@strict
@dataclass(frozen=True, slots=True)
class SizePlan:
    """What steps at one image size look like.

    Attributes
    ----------
    size
        Side of the images in pixels.
    first_share, last_share
        Share of the steps with clips of one object at this size, at the beginning and at the end.
    frames, clips
        Lengths of clips to draw from, short first, and clips computed at a time.
    crowd_share, crowd_frames, crowd_objects
        Share of the steps with crowds at this size, lengths of their clips, and objects of each.
    """

    size: Annotated[int, Field(ge=32, multiple_of=16)]
    first_share: Share
    last_share: Share
    frames: Counts
    clips: Count
    crowd_share: Share
    crowd_frames: Counts
    crowd_objects: Count


_SIZES = (
    SizePlan(224, 0.88, 0.6, (4, 5, 6, 8), 4, 0.3, (5, 6, 8), 6),
    SizePlan(336, 0.072, 0.24, (4,), 2, 0.3, (5,), 5),
    SizePlan(448, 0.048, 0.16, (3,), 2, 0.4, (4,), 4),
)


@strict
@dataclass(frozen=True, slots=True)
class Recipe:
    """What a stage of training does when.

    Attributes
    ----------
    new_rate, head_rate, late_rate, early_rate
        Peak learning rates of the parts that start untrained, of prompt encoder and mask decoder, of the encoder's last
        stage with its neck, and of the rest of the encoder.
    layer_decay
        Factor on the learning rate from each layer of the encoder to the one before it.
    late_from, early_from
        Progress at which the parts of the encoder begin to learn; over 1 for never.
    warm_up_steps
        Steps over which the rate rises.
    decay_from
        Progress from which the rate falls to nothing, along a cosine.
    batch
        Clips of one object a step.
    crowds
        Share of the steps that are made of scenes with many objects.
    crowd_stills, crowd_still_objects
        Share of those that are single frames, and objects of each.
    crowd_batches
        Batches of crowds a step.
    sizes
        What is done at which image size.
    true_memory_first, true_memory_last
        Share of memories that hold the truth and not the prediction, at the beginning and at the end.
    ema
        Decay of the averaged weights, reached gradually.
    weight_decay, clip_norm
        Decay of matrices, and the largest norm of a step's gradient.
    """

    new_rate: Rate = 4e-4
    head_rate: Rate = 1e-4
    late_rate: Rate = 6e-5
    early_rate: Rate = 3e-5
    layer_decay: Share = 1.0
    late_from: Rate = 0.1
    early_from: Rate = 0.35
    warm_up_steps: Count = 40
    decay_from: Share = 0.6
    batch: Count = 8
    crowds: Share = 0.55
    crowd_stills: Share = 0.3
    crowd_still_objects: Count = 10
    crowd_batches: Count = 2
    sizes: Annotated[tuple[SizePlan, ...], Field(min_length=1)] = _SIZES
    true_memory_first: Share = 0.5
    true_memory_last: Share = 0.15
    ema: Share = 0.997
    weight_decay: Rate = 0.02
    clip_norm: Annotated[float, Field(gt=0)] = 1.0

    def rate_factor(self, progress: float, step: int) -> float:
        """Share of the peak rates at a point of the stage: warm-up, plateau, cosine decay."""
        warm = min(1.0, (step + 1) / self.warm_up_steps)
        over = max(0.0, progress - self.decay_from) / max(1e-9, 1 - self.decay_from)
        return warm * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * min(1.0, over))))

    def rates(self, progress: float, step: int) -> dict[Group, float]:
        """Learning rate of each group of parameters; 0 while a group is frozen."""
        factor = self.rate_factor(progress, step)
        return {
            "new": factor * self.new_rate,
            "head": factor * self.head_rate,
            "late": factor * self.late_rate if progress >= self.late_from else 0.0,
            "early": factor * self.early_rate if progress >= self.early_from else 0.0,
        }

    def true_memory(self, progress: float) -> float:
        """Share of memories from the truth: the network must learn to live with its own."""
        return _between(self.true_memory_first, self.true_memory_last, progress)

    def ema_decay(self, step: int) -> float:
        """Decay of the average, small at first."""
        return min(self.ema, (1 + step) / (10 + step))

    def plan(self, progress: float, rng: np.random.Generator) -> StepPlan:
        """Draw what a step is made of: clips of one object each, or crowds."""
        if rng.random() < self.crowds:
            return self._crowd_plan(rng)
        shares = [_between(plan.first_share, plan.last_share, progress) for plan in self.sizes]
        chosen = self.sizes[_choice(shares, rng)]
        # Short clips first: they teach the most for the time they take.
        count = len(chosen.frames)
        likely = [count - index if progress < self.decay_from else 1 for index in range(count)]
        frames = chosen.frames[_choice(likely, rng)]
        return StepPlan(chosen.size, frames, chosen.clips, max(1, round(self.batch / chosen.clips)))

    def _crowd_plan(self, rng: np.random.Generator) -> StepPlan:
        """Draw a step of single frames with many objects, or of clips with several."""
        chosen = self.sizes[_choice([plan.crowd_share for plan in self.sizes], rng)]
        if rng.random() < self.crowd_stills:
            return StepPlan(chosen.size, 1, 2, self.crowd_batches, self.crowd_still_objects)
        frames = chosen.crowd_frames[_choice([1] * len(chosen.crowd_frames), rng)]
        return StepPlan(chosen.size, frames, 1, self.crowd_batches, chosen.crowd_objects)


def _between(first: float, last: float, progress: float) -> float:
    return first + (last - first) * min(1.0, max(0.0, progress))


def _choice(weights: list[float] | list[int], rng: np.random.Generator) -> int:
    total = sum(weights)
    shares = [weight / total for weight in weights] if total > 0 else None
    return int(rng.choice(len(weights), p=shares))
