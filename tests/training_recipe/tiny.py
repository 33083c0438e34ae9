"""A source of clips small enough to train on within a test."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.training.tiny import disc_clip
from training_recipe.clips import Clip
from training_recipe.clips.simulated import Clock
from training_recipe.start import TrainingData

if TYPE_CHECKING:
    import numpy as np


@dataclass
class Discs:
    """A source of discs; what it gives depends on the generator and on the clock."""

    crowds: None = None
    clock: Clock = field(default_factory=Clock)

    def sample(self, rng: np.random.Generator, *, frames: int, size: int) -> Clip:
        return disc(frames, seed=1 + int(rng.integers(1_000_000)) + self.clock.step, size=size)


def disc(frames: int, **options: int) -> Clip:
    """The clip of a disc, see `disc_clip`."""
    return Clip(*disc_clip(frames, **options), "disc")


def disc_data(*, held_out: int = 1) -> TrainingData:
    return TrainingData(Discs, [disc(3, seed=5000 + index) for index in range(held_out)])
