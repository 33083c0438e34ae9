"""From masks to numbers: what is kept of one object's attempts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from src_model.evaluation.annotator import annotation_seconds
from src_model.evaluation.metrics import contour_accuracy, region_similarity, surface_distances

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from src_model.evaluation.protocols import Attempt
    from src_model.evaluation.targets import Target
    from src_model.masks import MaskletFrame

STRIP_FRAMES = 6
"""Frames of which the mask itself is kept, for pictures."""


@dataclass(frozen=True, slots=True)
class RoundScores:
    """What an object was worth after some of the annotation.

    Attributes
    ----------
    prompted
        Number of annotated frames.
    clicks
        Clicks on all of them; None where a mask was given.
    j, f
        Mean J and mean F over the evaluated frames, 0 to 1; None where there are none.
    person_seconds
        Seconds of a person's time a frame; None where a mask was given.
    """

    prompted: int
    clicks: int | None
    j: float | None
    f: float | None
    person_seconds: float | None


@dataclass(frozen=True, slots=True)
class ObjectScores:
    """One object's scores, frame by frame.

    Attributes
    ----------
    object_id
        Number of the object in the movie.
    first, last
        Numbers of its first and last frame with truth, from 0.
    frames
        The evaluated frames: all with truth but one whose mask was given.
    j, f, nsd
        Region similarity, contour accuracy, and normalised surface distance at 2 pixels; 1 where the object is rightly
        found absent.
    hd95, assd
        Distances in pixels; None where the object is absent or was not found, which J and NSD tell already.
    predicted_iou, object_score
        What the tracker thought of its masks, 0..1.
    present
        Whether the object is in the frame.
    rounds
        One for every attempt, of growing effort.
    strip
        COCO run lengths of the masks on a few frames, for pictures.
    """

    object_id: int
    first: int
    last: int
    frames: tuple[int, ...]
    j: tuple[float, ...]
    f: tuple[float, ...]
    nsd: tuple[float, ...]
    hd95: tuple[float | None, ...]
    assd: tuple[float | None, ...]
    predicted_iou: tuple[float, ...]
    object_score: tuple[float, ...]
    present: tuple[bool, ...]
    rounds: tuple[RoundScores, ...]
    strip: dict[int, str]


def score_object(target: Target, attempts: Sequence[Attempt], *, gives_first_mask: bool) -> ObjectScores:
    """Compare all attempts at an object with the truth, the last one in full.

    Parameters
    ----------
    target
        The object and its truth.
    attempts
        What the protocol gave for it, of growing effort; at least one.
    gives_first_mask
        Leave out the first frame, whose mask is the truth.
    """
    frames = tuple(frame for frame in target.truth if not (gives_first_mask and frame == target.first))
    masks = attempts[-1].masks
    rounds = tuple(_round(target, attempt, frames) for attempt in attempts)
    j, f = _agreement(target, masks, frames)
    surfaces = [_surface(masks[frame], target, frame) for frame in frames]
    shown = list(target.truth)
    kept = [shown[index] for index in np.unique(np.linspace(0, len(shown) - 1, STRIP_FRAMES).round().astype(int))]
    return ObjectScores(
        object_id=target.object_id,
        first=target.first,
        last=target.stop - 1,
        frames=frames,
        j=tuple(j),
        f=tuple(f),
        nsd=tuple(nsd for nsd, _, _ in surfaces),
        hd95=tuple(hd95 for _, hd95, _ in surfaces),
        assd=tuple(assd for _, _, assd in surfaces),
        predicted_iou=tuple(masks[frame].score for frame in frames),
        object_score=tuple(masks[frame].object_score for frame in frames),
        present=tuple(not target.truth[frame].is_empty for frame in frames),
        rounds=rounds,
        strip={frame: masks[frame].mask.to_coco()["counts"] for frame in kept},
    )


def _round(target: Target, attempt: Attempt, frames: Sequence[int]) -> RoundScores:
    j, f = _agreement(target, attempt.masks, frames)
    seconds = None
    if attempt.clicks is not None:
        seconds = annotation_seconds(
            frames=target.stop - target.first,
            prompted=len(attempt.prompted),
            clicks=attempt.clicks,
            examinations=attempt.examinations,
        )
    return RoundScores(len(attempt.prompted), attempt.clicks, mean_of(j), mean_of(f), seconds)


def _agreement(
    target: Target, masks: Mapping[int, MaskletFrame], frames: Sequence[int]
) -> tuple[list[float], list[float]]:
    pairs = [(masks[frame].mask.decode(), target.truth[frame].decode()) for frame in frames]
    return (
        [float(region_similarity(mask, truth)) for mask, truth in pairs],
        [float(contour_accuracy(mask, truth)) for mask, truth in pairs],
    )


def _surface(entry: MaskletFrame, target: Target, frame: int) -> tuple[float, float | None, float | None]:
    truth = target.truth[frame]
    found = surface_distances(entry.mask.decode(), truth.decode())
    if truth.is_empty or entry.mask.is_empty:
        return found.nsd, None, None
    return found.nsd, found.hd95, found.assd


def mean_of(values: Sequence[float | None]) -> float | None:
    """Return the mean of the numbers among the values, None where there are none."""
    numbers = [value for value in values if value is not None]
    return float(np.mean(numbers)) if numbers else None
