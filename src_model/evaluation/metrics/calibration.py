"""Calibration: whether a mask's predicted quality is the quality it has."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from src_model.errors import EvaluationError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True, slots=True)
class CalibrationBin:
    """The masks whose predicted quality lies in ``low <= quality < high``; the last bin holds 1 as well.

    Parameters
    ----------
    low, high
        Edges of the bin, 0..1.
    count
        How many masks it holds.
    mean_predicted, mean_true
        Means of their predicted and true IoU; NaN in an empty bin.
    """

    low: float
    high: float
    count: int
    mean_predicted: float
    mean_true: float


@dataclass(frozen=True, slots=True)
class Calibration:
    """How predicted and true IoU belong together.

    Parameters
    ----------
    ece
        Expected calibration error, 0..1: the mean over all masks of the gap between the means of their bin. NaN
        without masks.
    bins
        All bins in ascending order, empty ones too.
    """

    ece: float
    bins: tuple[CalibrationBin, ...]


def calibrate(predicted_quality: ArrayLike, true_iou: ArrayLike, *, bins: int = 10) -> Calibration:
    """Compare predicted with true IoU in bins of equal width.

    Parameters
    ----------
    predicted_quality
        Predicted IoU of each mask, of any shape. Values outside 0..1, which a network can give, are taken as 0 and 1.
    true_iou
        True IoU of the same masks, 0..1, of the same shape.
    bins
        Number of bins between 0 and 1.

    Raises
    ------
    EvaluationError
        If the shapes differ, a value is NaN, a true IoU lies outside 0..1, or there is no bin.

    Notes
    -----
    Guo et al., "On calibration of modern neural networks", ICML 2017.
    """
    predicted, true = np.asarray(predicted_quality, np.float64), np.asarray(true_iou, np.float64)
    if predicted.shape != true.shape:
        raise EvaluationError(f"{predicted.shape} predicted qualities cannot be compared with {true.shape} true ones")
    if np.isnan(predicted).any() or not ((true >= 0) & (true <= 1)).all():
        raise EvaluationError("predicted quality must not be NaN, and true IoU lie in 0..1: leave out frames without")
    if bins < 1:
        raise EvaluationError(f"calibration needs at least one bin, got {bins}")
    predicted, true = np.clip(predicted.ravel(), 0, 1), true.ravel()
    edges = np.arange(bins + 1) / bins
    which = np.clip(np.digitize(predicted, edges) - 1, 0, bins - 1)
    found = tuple(
        _bin(float(edges[i]), float(edges[i + 1]), predicted[which == i], true[which == i]) for i in range(bins)
    )
    gaps = sum(each.count * abs(each.mean_predicted - each.mean_true) for each in found if each.count)
    return Calibration(gaps / predicted.size if predicted.size else math.nan, found)


def _bin(low: float, high: float, predicted: NDArray[np.float64], true: NDArray[np.float64]) -> CalibrationBin:
    if predicted.size == 0:
        return CalibrationBin(low, high, 0, math.nan, math.nan)
    return CalibrationBin(low, high, predicted.size, float(predicted.mean()), float(true.mean()))
