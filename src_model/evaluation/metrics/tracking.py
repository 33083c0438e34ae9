"""Scores of the Cell Tracking Challenge for label movies in memory.

The scores themselves are those of the package py-ctcmetrics, which counts the corrections of the graph. What it has
not is here: it reads movies from folders alone, and refuses labels with gaps.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from src_model.errors import EvaluationError, MissingExtraError
from src_model.formats.tracklets import TrackletBuilder

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from types import ModuleType

Labels: TypeAlias = NDArray[np.integer]
"""Labels of one frame: ``(Y, X)`` integers, 0 is background."""

MAX_LABEL = 2**31 - 1
"""Two labels have to fit into one signed number of 64 bits, see :func:`_match`."""


@dataclass(frozen=True, slots=True)
class CellTrackingScores:
    """How well cells were segmented, detected and tracked; 0..1, more is better, NaN where there is no truth.

    Parameters
    ----------
    seg
        Mean over the true cells of the IoU with the cell found for it, 0 for a cell that was not found.
    det
        1 less the cost of correcting the detections, relative to that of adding all of them.
    tra
        1 less the cost of correcting detections and links, relative to that of adding all of them.
    """

    seg: float
    det: float
    tra: float


@dataclass(frozen=True, slots=True)
class _Matches:
    """Which labels of one frame belong together; ``truth[i]`` is covered by ``predicted[i]`` with ``iou[i]``."""

    all_truth: NDArray[np.int64]
    all_predicted: NDArray[np.int64]
    truth: NDArray[np.int64]
    predicted: NDArray[np.int64]
    iou: NDArray[np.float64]


def cell_tracking_scores(
    predicted: Iterable[Labels],
    truth: Iterable[Labels],
    *,
    predicted_parents: Mapping[int, int] | None = None,
    truth_parents: Mapping[int, int] | None = None,
) -> CellTrackingScores:
    """Return SEG, DET and TRA of the Cell Tracking Challenge.

    A true cell is found by the label that covers more than half of it. Frames are read one at a time. Links follow
    from the labels: a cell is linked with itself on the next frame. The Challenge knows no gaps, and mothers that end
    before their daughters begin, so both movies are brought to that form as an export to its folders does.

    Parameters
    ----------
    predicted, truth
        The ``(Y, X)`` integer labels of each frame, 0 background, frames of both alike.
    predicted_parents, truth_parents
        Daughter label to mother label.

    Raises
    ------
    EvaluationError
        If the movies differ in frames or shape, or labels are no integers from 0 to 2**31 - 1.
    MissingExtraError
        If py-ctcmetrics is not installed.

    Notes
    -----
    Matula et al., "Cell tracking accuracy measurement based on comparison of acyclic oriented graphs", PLOS ONE 2015;
    Kaiser et al., "CHOTA: a higher order accuracy metric for cell tracking", whose package computes the scores.
    """
    metrics, representations = _ctc_metrics()
    frames = [_match(ours, theirs, frame) for frame, (ours, theirs) in enumerate(_in_step(predicted, truth))]
    if not any(len(frame.all_truth) for frame in frames):
        return CellTrackingScores(math.nan, math.nan, math.nan)
    if not any(len(frame.all_predicted) for frame in frames):
        return CellTrackingScores(0.0, 0.0, 0.0)
    true = _Tracks([frame.all_truth for frame in frames], truth_parents or {})
    found = _Tracks([frame.all_predicted for frame in frames], predicted_parents or {})
    # One frame has no links, which the package wants to be told.
    linked = len(frames) > 1
    corrections = representations.count_acyclic_graph_correction_operations(
        true.rows if linked else None,
        found.rows if linked else None,
        true.on_frames,
        found.on_frames,
        [true.of(number, frame.truth) for number, frame in enumerate(frames)],
        [found.of(number, frame.predicted) for number, frame in enumerate(frames)],
    )
    seg = metrics.seg([frame.all_truth for frame in frames], [frame.iou for frame in frames])
    return CellTrackingScores(seg, metrics.det(**corrections), metrics.tra(**corrections)[0])


class _Tracks:
    """The tracks of a movie in the form of the Challenge.

    A label that is missing for some frames becomes several tracks, each the parent of the next. So does a mother that
    stays on when a daughter begins.

    Parameters
    ----------
    labels
        The distinct labels on each frame, without the background.
    parents
        Daughter label to mother label.
    """

    def __init__(self, labels: Sequence[NDArray[np.int64]], parents: Mapping[int, int]) -> None:
        builder = TrackletBuilder({label for each in labels for label in each.tolist()}, parents, MAX_LABEL)
        self._numbers = [builder.step(frame, each.tolist()) for frame, each in enumerate(labels)]
        # The package takes the place of a track in these for its place in ascending order.
        self.on_frames = [np.array(sorted(numbers.values()), np.int64) for numbers in self._numbers]
        rows = [(track.label, track.first, track.last, track.parent) for track in builder.tracklets]
        self.rows = np.array(rows, np.int64)

    def of(self, frame: int, labels: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the tracks of some labels on a frame."""
        return np.array([self._numbers[frame][label] for label in labels.tolist()], np.int64)


def _ctc_metrics() -> tuple[ModuleType, ModuleType]:
    """Return the modules with the scores and with the counting of corrections; they take a second to import."""
    try:
        from ctc_metrics import metrics
        from ctc_metrics.utils import representations
    except ImportError as error:
        raise MissingExtraError("py-ctcmetrics", "evaluate", "scoring cell tracking") from error
    return metrics, representations


def _in_step(found: Iterable[Labels], true: Iterable[Labels]) -> Iterator[tuple[Labels, Labels]]:
    for frame, (ours, theirs) in enumerate(zip_longest(found, true)):
        if ours is None or theirs is None:
            short = "predicted" if ours is None else "truth"
            raise EvaluationError(f"{short} ends after {frame} frames, the other goes on: give the same frames of both")
        yield ours, theirs


def _match(predicted: Labels, truth: Labels, frame: int) -> _Matches:
    """Find for each true cell of a frame the label that covers more than half of it.

    The package matches only what it reads from TIFF files, and some twenty times more slowly; the results are equal.
    """
    _check_labels(predicted, f"predicted frame {frame}")
    _check_labels(truth, f"true frame {frame}")
    if predicted.shape != truth.shape:
        raise EvaluationError(f"frame {frame}: predicted {predicted.shape} and truth {truth.shape} must have one shape")
    # Two labels of 31 bits in one number, so that one count finds which labels overlap and by how much.
    together = (truth.astype(np.int64) << 32 | predicted.astype(np.int64)).ravel()
    pairs, shared = np.unique(together, return_counts=True)
    of_truth, of_predicted = pairs >> 32, pairs & MAX_LABEL
    all_truth, truth_area = _areas(of_truth, shared)
    all_predicted, predicted_area = _areas(of_predicted, shared)
    covers = (of_truth > 0) & (of_predicted > 0) & (2 * shared > truth_area)
    return _Matches(
        all_truth=all_truth[all_truth > 0],
        all_predicted=all_predicted[all_predicted > 0],
        truth=of_truth[covers],
        predicted=of_predicted[covers],
        iou=(shared / (truth_area + predicted_area - shared))[covers],
    )


def _check_labels(labels: Labels, what: str) -> None:
    if labels.ndim != 2 or labels.size == 0 or not np.issubdtype(labels.dtype, np.integer):
        raise EvaluationError(f"{what}: labels are integers (Y, X), got {labels.dtype} {labels.shape}")
    if labels.min() < 0 or labels.max() > MAX_LABEL:
        raise EvaluationError(f"{what}: labels lie in 0..{MAX_LABEL}, got {labels.min()}..{labels.max()}")


def _areas(labels: NDArray[np.int64], shared: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the distinct labels, and for each of ``labels`` the pixels of its label in all."""
    distinct, which = np.unique(labels, return_inverse=True)
    return distinct, np.bincount(which, shared).astype(np.int64)[which]
