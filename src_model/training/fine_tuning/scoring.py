"""How well a network tracks what was held out, just as a user would have it done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from src_model.evaluation.metrics.region import region_similarity
from src_model.evaluation.protocols.semi_supervised import FromFirstClicks, FromFirstMask
from src_model.evaluation.targets import Target
from src_model.evaluation.tracker import SessionTracker
from src_model.masks import Rle
from src_model.tracking import StreamingPredictor

if TYPE_CHECKING:
    from collections.abc import Sequence

    from src_model.evaluation.protocols.attempt import EvaluationProtocol
    from src_model.nn import Sam2Network
    from src_model.training.fine_tuning.material import Part

_MOST_OBJECTS, _MOST_FRAMES = 24, 20


@dataclass(frozen=True, slots=True)
class HeldOutObject:
    """The scores of one held-out object.

    Attributes
    ----------
    movie, object_id
        Which object.
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
        """Mean of what there is."""
        return self.click if self.mask is None else (self.click + self.mask) / 2


def held_out_targets(parts: Sequence[Part], seed: int) -> list[tuple[Part, tuple[Target, ...]]]:
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
    network: Sam2Network, chosen: Sequence[tuple[Part, tuple[Target, ...]]], *, device: str = "cpu"
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


def _target(part: Part, object_id: int) -> Target:
    first = next(frame for frame in part.frames if object_id in part.shown[frame])
    frames = [frame for frame in part.frames if frame >= first][:_MOST_FRAMES]
    return Target(object_id, {frame: Rle.encode(part.movie.mask(object_id, frame)) for frame in frames})


def _track(
    predictor: StreamingPredictor, part: Part, targets: tuple[Target, ...], protocol: EvaluationProtocol
) -> dict[int, float]:
    attempts = protocol.run(SessionTracker(predictor.start(part.movie.movie)), targets)
    scores = {}
    for target in targets:
        masks = attempts[target.object_id][-1].masks
        frames = [frame for frame in target.truth if not (protocol.gives_first_mask and frame == target.first)]
        values = [float(region_similarity(masks[f].mask.decode(), target.truth[f].decode())) for f in frames]
        scores[target.object_id] = float(np.mean(values))
    return scores
