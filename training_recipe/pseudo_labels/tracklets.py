"""Following a mask: optical flow carries it to the next frame, the image model draws it again, and both must agree."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import chain, pairwise
from typing import TYPE_CHECKING

import cv2
import numpy as np

from training_recipe.pseudo_labels.proposals import Proposal, cleaned, overlap

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from training_recipe.clips.clip import BoolArray, ByteArray, FloatArray
    from training_recipe.pseudo_labels.segmenter import EncodedFrame, Segmenter

_BLUR = 0.12
"""What motion blur may cost a proposal in score."""


@dataclass(frozen=True, slots=True)
class TrackletSettings:
    """When a mask is taken for the same object.

    Attributes
    ----------
    min_worth, most
        Proposals followed: the least product of score and stability, lower for what moves, and how many at most.
    min_agreement
        Least IoU of the mask that the flow carried over and the one drawn again.
    min_score, min_stability
        Of the mask drawn again, as in the proposals.
    max_growth
        Largest factor, or its inverse, by which the area changes in one step.
    max_drift
        Largest factor, or its inverse, by which the redrawn masks' areas leave those the flow expects, over all steps:
        what grows or shrinks into something else does so little by little.
    min_consistent
        Least share of the object's pixels whose flow, followed back, ends where it began.
    least_frames
        Shorter tracklets are dropped.
    still_overlap, still_way, still_kept
        Tracklets whose first and last masks have a higher IoU, or that went a shorter way, neither moved nor deformed;
        so many a scene are kept.
    """

    min_worth: float = 0.87
    most: int = 18
    min_agreement: float = 0.8
    min_score: float = 0.8
    min_stability: float = 0.85
    max_growth: float = 1.35
    max_drift: float = 1.35
    min_consistent: float = 0.7
    least_frames: int = 5
    still_overlap: float = 0.88
    still_way: float = 0.2
    still_kept: int = 2


@dataclass(frozen=True, slots=True)
class FollowedObject:
    """One object from the first frame of a scene on.

    Attributes
    ----------
    masks : (T, Y, X) bool
    score : float
        Of its first mask.
    way : float
        Length of the way that the flow carried it, in units of its size (the root of its area).
    """

    masks: BoolArray
    score: float
    way: float


@dataclass(frozen=True, slots=True)
class Flow:
    """Motion between two frames.

    Attributes
    ----------
    back : (Y, X, 2) float32
        Where a pixel of the later frame comes from, as an offset y, x.
    consistent : (Y, X) bool
        Pixels of the later frame whose motion there and back cancels out.
    """

    back: FloatArray
    consistent: BoolArray


@dataclass(slots=True, eq=False)
class _Track:
    """A tracklet in the making; `drift` is the product of all ratios of redrawn and expected areas."""

    masks: list[BoolArray]
    score: float
    way: float = 0.0
    drift: float = 1.0

    def take(self, mask: BoolArray, moved: BoolArray, flow: Flow, settings: TrackletSettings) -> bool:
        """Go on with a mask if it agrees with the one that the flow carried over."""
        area = int(mask.sum())
        growth = area / max(1, int(self.masks[-1].sum()))
        self.drift *= area / max(1, int(moved.sum()))
        self.way += _moved_by(self.masks[-1], flow)
        if (
            overlap(mask, moved) < settings.min_agreement
            or not 1 / settings.max_growth <= growth <= settings.max_growth
            or not 1 / settings.max_drift <= self.drift <= settings.max_drift
        ):
            return False
        self.masks.append(mask)
        return True


def flow_across(images: Sequence[ByteArray]) -> Flow:
    """Optical flow (DIS) from the first to the last of some neighbouring frames (Y, X, 3), there and back.

    Frames in between are stepped on: short steps are followed where a long one is not.
    """
    grays = [np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)) for image in images]
    back = _chained([_offsets(later, earlier) for earlier, later in pairwise(grays)][::-1])
    forth = _chained([_offsets(earlier, later) for earlier, later in pairwise(grays)])
    limit = 1.5 + 0.1 * np.linalg.norm(back, axis=-1)
    return Flow(back, np.linalg.norm(back + carried(forth, back), axis=-1) <= limit)


def _offsets(first: NDArray[np.generic], second: NDArray[np.generic]) -> FloatArray:
    """Where each pixel of the first gray frame lies in the second, as an offset (Y, X, 2), order y, x."""
    method = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    flow = method.calc(
        np.asarray(first, np.uint8), np.asarray(second, np.uint8), np.zeros((*first.shape, 2), np.float32)
    )
    return np.asarray(flow, np.float32)[..., ::-1]


def _chained(steps: list[FloatArray]) -> FloatArray:
    """Sum of offsets (Y, X, 2), each looked up where the ones before it lead."""
    total = steps[0]
    for step in steps[1:]:
        total = total + carried(step, total)
    return total


def carried(values: NDArray[np.float32], back: FloatArray) -> FloatArray:
    """Bring an image (Y, X[, C]) of the earlier frame to the later one; what comes from outside is 0."""
    y, x = np.mgrid[: back.shape[0], : back.shape[1]].astype(np.float32)
    return np.asarray(cv2.remap(values, x + back[..., 1], y + back[..., 0], cv2.INTER_LINEAR), np.float32)


def follow(
    segmenter: Segmenter,
    encoded: Sequence[EncodedFrame],
    flows: Iterable[Flow],
    proposals: Sequence[Proposal],
    settings: TrackletSettings,
) -> list[FollowedObject]:
    """Follow the proposals of the first frame as far as each can be trusted.

    Parameters
    ----------
    segmenter : the image model that draws each mask again
    encoded : the frames, at least two
    flows : from each to the next, at the size of the masks
    proposals : objects of the first frame
    settings : from when on a mask is no longer trusted
    """
    coming = iter(flows)
    first = next(coming)
    proposals = liveliest(proposals, first, settings)
    tracks = [_Track([proposal.mask], proposal.score) for proposal in proposals]
    alive = tracks
    for frame, flow in zip(encoded[1:], chain([first], coming), strict=True):
        alive = _step(segmenter, frame, flow, alive, settings)
    for track in tracks:
        if track not in alive:
            # The mask before the one that could not be trusted is often not so good either.
            track.masks.pop()
    made = [
        FollowedObject(np.stack(track.masks), track.score, track.way)
        for track in tracks
        if len(track.masks) >= settings.least_frames
    ]
    return _without_still_ones(_apart(made), settings)


def liveliest(proposals: Sequence[Proposal], flow: Flow, settings: TrackletSettings) -> list[Proposal]:
    """Keep the best proposals, preferring those that move: there is enough of what stands still.

    What moves is blurred, so its score is lower for the same quality.
    """
    worth = [one.score + min(_BLUR, 4 * _moved_by(one.mask, flow)) for one in proposals]
    order = np.argsort(worth)[::-1][: settings.most]
    return [proposals[index] for index in order if worth[index] >= settings.min_worth]


def _moved_by(mask: BoolArray, flow: Flow) -> float:
    """How far a mask moves, in units of its size (the root of its area)."""
    offsets = np.linalg.norm(flow.back[mask], axis=-1)
    return float(np.median(offsets)) / math.sqrt(max(1, int(mask.sum())))


def _step(
    segmenter: Segmenter, encoded: EncodedFrame, flow: Flow, alive: list[_Track], settings: TrackletSettings
) -> list[_Track]:
    """Add the next mask to each track that can be followed; returns those."""
    moved = [carried(track.masks[-1].astype(np.float32), flow.back) > 0.5 for track in alive]
    kept = [index for index, mask in enumerate(moved) if _is_carried(mask, flow, settings)]
    if not kept:
        return []
    answers = segmenter.redraw(encoded, np.stack([moved[index] for index in kept]))
    followed = []
    for row, index in enumerate(kept):
        good = answers.scores[row, 0] >= settings.min_score and answers.stability[row, 0] >= settings.min_stability
        mask = cleaned(answers.logits[row, 0] > 0) if good else None
        if mask is not None and alive[index].take(mask, moved[index], flow, settings):
            followed.append(alive[index])
    return followed


def _is_carried(mask: BoolArray, flow: Flow, settings: TrackletSettings) -> bool:
    return bool(mask.any()) and float(flow.consistent[mask].mean()) >= settings.min_consistent


def _apart(tracklets: list[FollowedObject]) -> list[FollowedObject]:
    """Leave out tracklets that ran into a better one: they have become the same object."""
    kept: list[FollowedObject] = []
    for tracklet in sorted(tracklets, key=lambda one: (-len(one.masks), -one.score)):
        last = len(tracklet.masks) - 1
        if all(overlap(tracklet.masks[last], other.masks[last]) < 0.7 for other in kept):
            kept.append(tracklet)
    return kept


def _without_still_ones(tracklets: list[FollowedObject], settings: TrackletSettings) -> list[FollowedObject]:
    still = [one for one in tracklets if _is_still(one, settings)]
    spared = {id(one) for one in sorted(still, key=lambda one: -one.score)[: settings.still_kept]}
    dropped = {id(one) for one in still} - spared
    return [one for one in tracklets if id(one) not in dropped]


def _is_still(tracklet: FollowedObject, settings: TrackletSettings) -> bool:
    return tracklet.way < settings.still_way or overlap(tracklet.masks[0], tracklet.masks[-1]) > settings.still_overlap
