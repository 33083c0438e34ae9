"""What a step of a run is made of, and when: image sizes, lengths of clips, crowds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from src_model.training.option_types import Count, Share, strict
from src_model.training.schedule import Schedule, between

if TYPE_CHECKING:
    import numpy as np

Counts = Annotated[tuple[Count, ...], Field(min_length=1)]


@dataclass(frozen=True, slots=True)
class StepPlan:
    """What a step of the optimizer is made of.

    Attributes
    ----------
    size
        Side of the square images in pixels.
    frames, clips, objects
        Frames of a clip, clips computed at a time, objects of a clip.
    batches
        How often that is repeated before the weights move; gradients are averaged over them.
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
        Side of the square images in pixels, a multiple of 16.
    first_share, last_share
        Relative share of the steps with clips of one object at this size, at the beginning and at the end.
    frames, clips
        Lengths of clips to draw from, in frames, short first; and clips computed at a time.
    crowd_share, crowd_frames, crowd_objects
        Relative share of the steps with crowds at this size, lengths of their clips in frames, and objects of each.
    """

    size: Annotated[int, Field(ge=32, multiple_of=16)]
    first_share: Share
    last_share: Share
    frames: Counts
    clips: Count
    crowd_share: Share
    crowd_frames: Counts
    crowd_objects: Count


# The larger the images, the fewer and shorter the clips: a step must not take many times longer at one size than at
# another, as the schedule of the shipped run followed the clock on two CPU cores.
_SIZES = (
    SizePlan(224, 0.88, 0.6, (4, 5, 6, 8), 4, 0.3, (5, 6, 8), 6),
    SizePlan(336, 0.072, 0.24, (4,), 2, 0.3, (5,), 5),
    SizePlan(448, 0.048, 0.16, (3,), 2, 0.4, (4,), 4),
)


@strict
@dataclass(frozen=True, slots=True)
class Recipe(Schedule):
    """What a stage of a run does when: rates, as in :class:`~src_model.training.schedule.Schedule`, and clips.

    Attributes
    ----------
    batch
        Clips of one object a step, about: the nearest multiple of what is computed at a time.
    crowds
        Share of the steps that are made of scenes with many objects.
    crowd_stills, crowd_still_objects
        Share of those that are single frames, and objects of each.
    crowd_batches
        Batches of crowds a step.
    replays
        In how many steps clips are rolled out for each time that they are encoded. Over 1 only while the image encoder
        is frozen: its features are kept, and what projects them for the decoder stays as it is, too.
    sizes
        What is done at which image size; shares are relative to their sum.
    """

    batch: Count = 8
    crowds: Share = 0.55
    crowd_stills: Share = 0.3
    crowd_still_objects: Count = 10
    crowd_batches: Count = 2
    replays: Count = 1
    sizes: Annotated[tuple[SizePlan, ...], Field(min_length=1)] = _SIZES

    def plan(self, progress: float, rng: np.random.Generator) -> StepPlan:
        """Draw what a step is made of, at a progress of 0 to 1: clips of one object each, or crowds."""
        if rng.random() < self.crowds:
            return self._crowd_plan(rng)
        shares = [between(plan.first_share, plan.last_share, progress) for plan in self.sizes]
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


def _choice(weights: list[float] | list[int], rng: np.random.Generator) -> int:
    total = sum(weights)
    shares = [weight / total for weight in weights] if total > 0 else None
    return int(rng.choice(len(weights), p=shares))
