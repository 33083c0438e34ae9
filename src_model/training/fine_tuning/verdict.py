"""How well a network tracks what was held out, just as a user would have it done, and whether one is better."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from src_model.evaluation.methods import SessionTracker
from src_model.evaluation.metrics.region import region_similarity
from src_model.evaluation.protocols.without_corrections import FromFirstClicks, FromFirstMask
from src_model.evaluation.targets import Target
from src_model.masks import Rle
from src_model.tracking import StreamingPredictor

if TYPE_CHECKING:
    from collections.abc import Sequence

    from src_model.evaluation.protocols.attempt import EvaluationProtocol
    from src_model.nn import Sam2Network
    from src_model.training.fine_tuning.material import AnnotatedPart

_MOST_OBJECTS, _MOST_FRAMES = 24, 20
"""Held-out objects that are tracked, and frames of each, at most: it is done twice, before and after."""

_LEAST_GAIN = 0.005
"""Mean J that counts as better; less is not seen in use."""

_SAMPLES, _CONFIDENCE = 2000, 90
"""Draws of the bootstrap, and the percentage of them that the interval holds."""


@dataclass(frozen=True, slots=True)
class HeldOutObject:
    """The scores of one held-out object.

    Attributes
    ----------
    movie, object_id
        Name of its movie, and its id there.
    click, mask
        Mean J over its frames, from one click or from the true mask of its first frame; the mask's own frame does not
        count, and None where there is no other.
    """

    movie: str
    object_id: int
    click: float
    mask: float | None

    @property
    def score(self) -> float:
        """Mean of the scores there are, 0 to 1."""
        return self.click if self.mask is None else (self.click + self.mask) / 2


def held_out_targets(parts: Sequence[AnnotatedPart], seed: int) -> list[tuple[AnnotatedPart, tuple[Target, ...]]]:
    """Choose what is tracked: some objects of each part, each over some frames from the first that shows it."""
    each = max(2, _MOST_OBJECTS // max(1, len(parts)))
    chosen = []
    for number, part in enumerate(parts):
        rng = np.random.default_rng([seed, 13, number])
        ids = sorted(rng.permutation(part.objects)[:each].tolist())
        targets = tuple(_target(part, object_id) for object_id in ids)
        if targets:
            chosen.append((part, targets))
        if sum(len(found) for _, found in chosen) >= _MOST_OBJECTS:
            break
    return chosen


def score_held_out(
    network: Sam2Network, chosen: Sequence[tuple[AnnotatedPart, tuple[Target, ...]]], *, device: str = "cpu"
) -> tuple[HeldOutObject, ...]:
    """Track every held-out object from one click, and from its mask."""
    predictor = StreamingPredictor(network.eval(), device=device, name="fine-tuned", sha256="")
    scores = []
    for part, targets in chosen:
        clicked = _track(predictor, part, targets, FromFirstClicks("click", 1))
        longer = tuple(target for target in targets if len(target.truth) > 1)
        given = _track(predictor, part, longer, FromFirstMask()) if longer else {}
        scores += [
            HeldOutObject(part.movie.name, t.object_id, clicked[t.object_id], given.get(t.object_id)) for t in targets
        ]
    return tuple(scores)


def _target(part: AnnotatedPart, object_id: int) -> Target:
    first = next(frame for frame in part.frames if object_id in part.shown[frame])
    frames = [frame for frame in part.frames if frame >= first][:_MOST_FRAMES]
    return Target(object_id, {frame: Rle.encode(part.movie.mask(object_id, frame)) for frame in frames})


def _track(
    predictor: StreamingPredictor, part: AnnotatedPart, targets: tuple[Target, ...], protocol: EvaluationProtocol
) -> dict[int, float]:
    attempts = protocol.run(SessionTracker(predictor.start(part.movie.movie)), targets)
    scores = {}
    for target in targets:
        masks = attempts[target.object_id][-1].masks
        frames = [frame for frame in target.truth if not (protocol.gives_first_mask and frame == target.first)]
        values = [float(region_similarity(masks[f].mask.decode(), target.truth[f].decode())) for f in frames]
        scores[target.object_id] = float(np.mean(values))
    return scores


@dataclass(frozen=True, slots=True)
class Verdict:
    """A comparison on held-out objects.

    Attributes
    ----------
    objects
        Number of held-out objects.
    before, after
        Mean J over the objects, 0 to 1, by "click" and "mask"; only "click" where no object has a second frame.
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
        """Say it in a sentence, for the terminal and the report."""
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
