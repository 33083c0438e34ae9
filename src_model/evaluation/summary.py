"""From records to a table: means over objects, with bootstrap intervals over movies."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from src_model.evaluation.metrics import Calibration, calibrate, occlusion_scores
from src_model.evaluation.scoring import mean_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from src_model.evaluation.records import UnitRecord
    from src_model.evaluation.scoring import ObjectScores

RESAMPLES = 1000
CONFIDENCE = 0.95
"""Draws of the bootstrap, and the share of them within the interval that is told."""

GOAL = 0.85
"""J that interactive annotation is to reach."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over objects, and between which bounds it would lie for other movies of the kind.

    Attributes
    ----------
    mean
        Mean over the objects, every one counting alike.
    low, high
        95 % bootstrap interval over movies; None where there is one movie only.
    """

    mean: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Occlusions:
    """How well the object score tells whether an object is there.

    Attributes
    ----------
    accuracy, balanced
        Share of all frames; mean of the shares of the frames with and without the object.
    disappearances, found_within
        How many, and the share found within two frames; None where there are none.
    """

    accuracy: float
    balanced: float
    disappearances: int
    found_within: float | None


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """Quality after some annotation, over the same objects at every point.

    Attributes
    ----------
    prompted
        Annotated frames an object, on average.
    quality
        Mean of J and F, 0 to 1.
    j
        Mean region similarity, 0 to 1.
    clicks
        Clicks an object, on average.
    person_seconds
        A person's seconds a frame, by the time model.
    """

    prompted: float
    quality: float
    j: float
    clicks: float | None
    person_seconds: float | None


@dataclass(frozen=True, slots=True)
class Goal:
    """What it takes to bring objects to J 0.85.

    Attributes
    ----------
    reached
        Share of the objects that get there.
    prompted, clicks
        Means over those: annotated frames, and clicks on them.
    """

    reached: float
    prompted: float | None
    clicks: float | None


@dataclass(frozen=True, slots=True)
class Summary:
    """One row of the table: a set, annotated in one way, followed by one method.

    Attributes
    ----------
    set, protocol, method
        Names of the set, of the way of annotating, and of what followed the objects.
    movies, objects
        Number of movies, and of objects in all of them.
    j, f, jf
        Region similarity, contour accuracy and their mean, 0 to 1, over every frame but a given mask; None where no
        frame is left, as on stills with a given mask.
    davis_j, davis_f, davis_jf
        Without the first and the last frame of each object, as DAVIS counts.
    nsd, hd95, assd
        Edges: share within 2 pixels, distances in pixels.
    seg, det, tra
        Scores of the Cell Tracking Challenge, 0 to 1; None where no movie has any.
    calibration
        Predicted against true IoU of all masks.
    occlusions
        How well the object score tells that an object is absent.
    seconds
        Computing seconds a frame, all objects of a movie together.
    curve
        Quality after growing annotation, for interactive protocols.
    goal
        What it takes to bring objects to a J of 0.85.
    person_seconds
        A person's seconds a frame, by the time model.
    drift
        Mean J at ten stretches of the way from first to last frame.
    """

    set: str
    protocol: str
    method: str
    movies: int
    objects: int
    j: Estimate | None
    f: Estimate | None
    jf: Estimate | None
    davis_j: Estimate | None
    davis_f: Estimate | None
    davis_jf: Estimate | None
    nsd: Estimate | None
    hd95: Estimate | None
    assd: Estimate | None
    seg: Estimate | None
    det: Estimate | None
    tra: Estimate | None
    calibration: Calibration | None
    occlusions: Occlusions | None
    seconds: float
    curve: tuple[CurvePoint, ...]
    goal: Goal
    person_seconds: float | None
    drift: tuple[float | None, ...]


def summarize(records: Sequence[UnitRecord]) -> list[Summary]:
    """Sum up records, one row for each set, protocol and method; methods stand under one another."""
    groups: defaultdict[tuple[str, str], dict[str, list[UnitRecord]]] = defaultdict(dict)
    for record in records:
        groups[record.key.set, record.key.protocol].setdefault(record.key.method, []).append(record)
    return [_summarize(group) for methods in groups.values() for group in methods.values()]


def estimate(groups: Sequence[Sequence[float | None]]) -> Estimate | None:
    """Average over objects and resample movies.

    Parameters
    ----------
    groups
        One value for each object of each movie; None where it has none.

    Returns
    -------
    Estimate or None
        None where no object has a value.
    """
    kept = [values for group in groups if (values := [value for value in group if value is not None])]
    if not kept:
        return None
    sums, counts = np.array([sum(values) for values in kept]), np.array([len(values) for values in kept])
    mean = float(sums.sum() / counts.sum())
    if len(kept) == 1:
        return Estimate(mean)
    drawn = np.random.default_rng(0).integers(len(kept), size=(RESAMPLES, len(kept)))
    means = sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1)
    low, high = np.quantile(means, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return Estimate(mean, float(low), float(high))


def _summarize(records: list[UnitRecord]) -> Summary:
    objects = [each for record in records for each in record.objects]

    def over(value: Callable[[ObjectScores], float | None]) -> Estimate | None:
        return estimate([[value(each) for each in record.objects] for record in records])

    cells = [record.cells for record in records if record.cells is not None]
    efforts = [each.rounds[-1].person_seconds for each in objects]
    key = records[0].key
    return Summary(
        set=key.set,
        protocol=key.protocol,
        method=key.method,
        movies=len(records),
        objects=len(objects),
        j=over(lambda each: mean_of(each.j)),
        f=over(lambda each: mean_of(each.f)),
        jf=over(lambda each: _both(mean_of(each.j), mean_of(each.f))),
        davis_j=over(lambda each: mean_of(_inner(each, each.j))),
        davis_f=over(lambda each: mean_of(_inner(each, each.f))),
        davis_jf=over(lambda each: _both(mean_of(_inner(each, each.j)), mean_of(_inner(each, each.f)))),
        nsd=over(lambda each: mean_of(each.nsd)),
        hd95=over(lambda each: mean_of(each.hd95)),
        assd=over(lambda each: mean_of(each.assd)),
        seg=estimate([[each.seg] for each in cells]),
        det=estimate([[each.det] for each in cells]),
        tra=estimate([[each.tra] for each in cells]),
        calibration=_calibration(objects),
        occlusions=_occlusions(objects),
        seconds=sum(record.seconds for record in records) / sum(record.frames for record in records),
        curve=_curve(objects),
        goal=_goal(objects),
        person_seconds=mean_of(efforts),
        drift=_drift(objects),
    )


def _both(j: float | None, f: float | None) -> float | None:
    return None if j is None or f is None else (j + f) / 2


def _inner(each: ObjectScores, values: Sequence[float]) -> list[float]:
    """Leave out the first and the last frame."""
    return [value for frame, value in zip(each.frames, values, strict=True) if each.first < frame < each.last]


def _calibration(objects: Sequence[ObjectScores]) -> Calibration | None:
    predicted = [score for each in objects for score in each.predicted_iou]
    return calibrate(predicted, [j for each in objects for j in each.j]) if predicted else None


def _occlusions(objects: Sequence[ObjectScores]) -> Occlusions | None:
    told = [np.array(each.object_score) - 0.5 for each in objects if each.frames]
    there = [np.array(each.present) for each in objects if each.frames]
    if not told:
        return None
    # The shares of frames do not depend on their order, so that objects of different lengths may stand in one row.
    frames = occlusion_scores(np.concatenate(told), np.concatenate(there))
    each = [occlusion_scores(scores, present) for scores, present in zip(told, there, strict=True)]
    total = sum(scores.disappearances for scores in each)
    found = sum(scores.disappearances * scores.found_within for scores in each if scores.disappearances)
    return Occlusions(frames.accuracy, frames.balanced, total, found / total if total else None)


def _curve(objects: Sequence[ObjectScores]) -> tuple[CurvePoint, ...]:
    """Average the rounds; an object that was finished earlier stays at its last one."""
    longest = max(len(each.rounds) for each in objects)
    points = []
    for number in range(longest if longest > 1 else 0):
        rounds = [each.rounds[min(number, len(each.rounds) - 1)] for each in objects]
        j, f = mean_of([each.j for each in rounds]), mean_of([each.f for each in rounds])
        if j is not None and f is not None:
            points.append(
                CurvePoint(
                    prompted=float(np.mean([each.prompted for each in rounds])),
                    quality=(j + f) / 2,
                    j=j,
                    clicks=mean_of([each.clicks for each in rounds]),
                    person_seconds=mean_of([each.person_seconds for each in rounds]),
                )
            )
    return tuple(points)


def _goal(objects: Sequence[ObjectScores]) -> Goal:
    firsts = [
        next((each for each in scores.rounds if each.j is not None and each.j >= GOAL), None) for scores in objects
    ]
    there = [first for first in firsts if first is not None]
    return Goal(
        len(there) / len(objects),
        mean_of([first.prompted for first in there]),
        mean_of([first.clicks for first in there]),
    )


def _drift(objects: Sequence[ObjectScores], stretches: int = 10) -> tuple[float | None, ...]:
    values: list[list[float]] = [[] for _ in range(stretches)]
    for each in objects:
        length = max(1, each.last - each.first)
        for frame, j in zip(each.frames, each.j, strict=True):
            values[min(stretches - 1, (frame - each.first) * stretches // length)].append(j)
    return tuple(mean_of(group) for group in values)
