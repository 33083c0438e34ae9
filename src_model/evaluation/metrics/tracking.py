"""Scores of the Cell Tracking Challenge for label movies."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from src_model.errors import EvaluationError, MissingExtraError
from src_model.evaluation.metrics.lineage import lineage_of
from src_model.evaluation.metrics.tracking_folder import TrackingFolder, read_labels

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path
    from types import ModuleType

Labels: TypeAlias = NDArray[np.integer]
LabelMovie: TypeAlias = str | os.PathLike[str] | Iterable[Labels]
"""A folder of the Cell Tracking Challenge, or the ``(Y, X)`` labels of each frame, in order."""

MAX_LABEL = 2**31 - 1


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
    predicted: LabelMovie,
    truth: LabelMovie,
    *,
    predicted_parents: Mapping[int, int] | None = None,
    truth_parents: Mapping[int, int] | None = None,
) -> CellTrackingScores:
    """Return SEG, DET and TRA of the Cell Tracking Challenge.

    A true cell is found by the label that covers more than half of it. Frames are read one at a time. Links follow
    from the labels: a cell is linked with itself on the next frame. The Challenge knows no gaps, and mothers that end
    before their daughters begin, so both movies are brought to that form as :func:`lineage_of` says.

    Parameters
    ----------
    predicted, truth
        The ``(Y, X)`` integer labels of each frame, 0 background, frames of both alike; or a folder in the layout of
        the Challenge (``mask000.tif`` ... with ``res_track.txt``, or ``TRA`` and ``SEG`` of a truth folder). With a
        truth folder, SEG is computed on the frames in its ``SEG``, as its ``TRA`` has markers, not outlines.
    predicted_parents, truth_parents
        Daughter label to mother label, for labels of frames; a folder has its own.

    Raises
    ------
    EvaluationError
        If the movies differ in frames or shape, labels are no integers from 0 to 2**31 - 1, or parents are given for
        a folder.
    MovieError
        If a file of a folder cannot be read.
    MissingExtraError
        If py-ctcmetrics is not installed.

    Notes
    -----
    Matula et al., "Cell tracking accuracy measurement based on comparison of acyclic oriented graphs", PLOS ONE 2015;
    Kaiser et al., "CHOTA: a higher order accuracy metric for cell tracking", whose package counts the corrections.
    """
    counting = _ctc_metrics()
    found, found_parents, _ = _opened(predicted, predicted_parents)
    true, true_parents, outlines = _opened(truth, truth_parents)
    markers, segments = [], []
    for frame, (ours, theirs) in enumerate(_in_step(found, true)):
        markers.append(_match(ours, theirs, frame))
        if outlines is None:
            segments.append(markers[-1])
        elif frame in outlines:
            segments.append(_match(ours, read_labels(outlines[frame]), frame))
    det, tra = _graph_scores(markers, found_parents, true_parents, counting)
    return CellTrackingScores(_segmentation_score(segments), det, tra)


def _ctc_metrics() -> tuple[ModuleType, ModuleType]:
    """Return the modules with the scores and with the counting of corrections; they take a second to import."""
    try:
        from ctc_metrics import metrics
        from ctc_metrics.utils import representations
    except ImportError as error:
        raise MissingExtraError("py-ctcmetrics", "evaluate", "scoring cell tracking") from error
    return metrics, representations


def _opened(
    movie: LabelMovie, parents: Mapping[int, int] | None
) -> tuple[Iterable[Labels], Mapping[int, int], Mapping[int, Path] | None]:
    """Return frames, mothers of daughters, and, of a truth folder, the files with outlines."""
    if not isinstance(movie, str | os.PathLike):
        return movie, parents or {}, None
    if parents is not None:
        raise EvaluationError(f"'{movie}' has a table of mothers of its own: leave out the parents")
    folder = TrackingFolder.open(movie)
    return folder.frames(), folder.parents, folder.outlines


def _in_step(found: Iterable[Labels], true: Iterable[Labels]) -> Iterator[tuple[Labels, Labels]]:
    for frame, (ours, theirs) in enumerate(zip_longest(found, true)):
        if ours is None or theirs is None:
            short = "predicted" if ours is None else "truth"
            raise EvaluationError(f"{short} ends after {frame} frames, the other goes on: give the same frames of both")
        yield ours, theirs


def _match(predicted: Labels, truth: Labels, frame: int) -> _Matches:
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


def _segmentation_score(frames: Sequence[_Matches]) -> float:
    cells = sum(len(frame.all_truth) for frame in frames)
    return float(sum(frame.iou.sum() for frame in frames) / cells) if cells else math.nan


def _graph_scores(
    frames: Sequence[_Matches],
    found_parents: Mapping[int, int],
    true_parents: Mapping[int, int],
    counting: tuple[ModuleType, ModuleType],
) -> tuple[float, float]:
    """Return DET and TRA."""
    metrics, representations = counting
    found = lineage_of([frame.all_predicted for frame in frames], found_parents)
    true = lineage_of([frame.all_truth for frame in frames], true_parents)
    if len(true.tracks) == 0:
        return math.nan, math.nan
    if len(found.tracks) == 0:
        return 0.0, 0.0
    # One frame has no links, which the package wants to be told.
    linked = len(frames) > 1
    corrections = representations.count_acyclic_graph_correction_operations(
        true.tracks if linked else None,
        found.tracks if linked else None,
        true.labels,
        found.labels,
        [true.renamed(number, frame.truth) for number, frame in enumerate(frames)],
        [found.renamed(number, frame.predicted) for number, frame in enumerate(frames)],
    )
    return metrics.det(**corrections), metrics.tra(**corrections)[0]
