"""Whether a fine-tuned network is better, said honestly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from src_model.training.fine_tuning.scoring import HeldOutObject

_LEAST_GAIN = 0.005
_SAMPLES = 2000
_CONFIDENCE = 90


@dataclass(frozen=True, slots=True)
class Verdict:
    """A comparison on held-out objects.

    Attributes
    ----------
    objects
        How many there were.
    before, after
        Means over the objects, by "click" and "mask"; only "click" where no object has a second frame.
    gain, low, high
        Mean of what each object gained, and the interval that holds it with 90 % confidence (a bootstrap over objects).
    """

    objects: int
    before: dict[str, float]
    after: dict[str, float]
    gain: float
    low: float
    high: float

    @property
    def better(self) -> bool:
        """Whether the gain is worth mentioning and not explained by which objects were held out."""
        return self.gain >= _LEAST_GAIN and self.low > 0

    def words(self) -> str:
        """Say it in a sentence."""
        numbers = f"J from one click {self.before['click']:.3f} before, {self.after['click']:.3f} after"
        if "mask" in self.before:
            numbers += f"; from a mask {self.before['mask']:.3f} before, {self.after['mask']:.3f} after"
        if self.better:
            judgement = "Better"
        elif self.high < 0:
            judgement = "Worse"
        else:
            judgement = "No clear difference"
        objects = f"{self.objects} held-out object{'' if self.objects == 1 else 's'}"
        caution = ", which is too few to be sure" if self.objects < 5 else ""
        return (
            f"{judgement} on {objects}{caution}: {numbers}. "
            f"Mean gain {self.gain:+.3f} ({_CONFIDENCE} % interval {self.low:+.3f} to {self.high:+.3f})"
        )


def compare(before: Sequence[HeldOutObject], after: Sequence[HeldOutObject]) -> Verdict:
    """Compare the scores of the same objects, at least one, before and after."""
    gains = np.array([new.score - old.score for old, new in zip(before, after, strict=True)])
    rng = np.random.default_rng(0)
    means = gains[rng.integers(len(gains), size=(_SAMPLES, len(gains)))].mean(axis=1)
    tail = (100 - _CONFIDENCE) / 2
    low, high = np.percentile(means, [tail, 100 - tail])
    return Verdict(len(gains), _means(before), _means(after), float(gains.mean()), float(low), float(high))


def _means(scores: Sequence[HeldOutObject]) -> dict[str, float]:
    means = {"click": float(np.mean([score.click for score in scores]))}
    given = [score.mask for score in scores if score.mask is not None]
    if given:
        means["mask"] = float(np.mean(given))
    return means
