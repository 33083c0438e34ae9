"""Contour accuracy: how well the outlines of two masks follow each other."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from src_model.errors import MaskError
from src_model.evaluation.metrics.checking import check_masks
from src_model.masks import mask_box

if TYPE_CHECKING:
    from numpy.typing import NDArray


def contour_accuracy(
    predicted: NDArray[np.bool_], truth: NDArray[np.bool_], *, tolerance: float = 0.008
) -> NDArray[np.float64]:
    """Return F of DAVIS, the harmonic mean of precision and recall of each mask's outline.

    Precision is the share of the predicted outline within the tolerance of the true one, recall the reverse. The
    outline is the official toolkit's: pixels that differ from the pixel to the right, below, or below to the right,
    of those that lie in the image. Hence the border of the image is no outline, and a mask that fills the image has
    none. Two masks without outline agree: 1; if one alone has none: 0.

    Parameters
    ----------
    predicted, truth
        ``(..., Y, X)`` bool, of one shape.
    tolerance
        Share of the image diagonal, at least 0 and below 1. Rounded up to whole pixels, it is the radius of the disk
        around an outline pixel in which the other outline counts as met.

    Returns
    -------
    numpy.ndarray
        ``(...,)`` float64 in 0..1, without axes for two single masks.

    Raises
    ------
    MaskError
        If the arguments are not bool arrays of one shape, or the tolerance is no share.

    Notes
    -----
    Perazzi et al., "A benchmark dataset and evaluation methodology for video object segmentation", CVPR 2016;
    pixel for pixel as ``davis2017-evaluation``.
    """
    check_masks(predicted, truth)
    if not 0 <= tolerance < 1:
        raise MaskError(f"the tolerance is a share of the image diagonal, 0 or more and below 1, got {tolerance}")
    shape = predicted.shape[-2:]
    radius = math.ceil(tolerance * math.hypot(*shape))
    pairs = zip(predicted.reshape(-1, *shape), truth.reshape(-1, *shape), strict=True)
    scores = [_outline_agreement(_outline(first), _outline(second), radius) for first, second in pairs]
    return np.array(scores, np.float64).reshape(predicted.shape[:-2])


def _outline(mask: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Return the ``(N, 2)`` outline pixels ``(y, x)``."""
    box = mask_box(mask)
    if box is None:
        return np.empty((0, 2), np.intp)
    # An outline pixel lies up to one pixel above or left of the mask; one more row and column end the mask below.
    top, left = max(box[0] - 1, 0), max(box[1] - 1, 0)
    near = mask[top : box[2] + 1, left : box[3] + 1]
    # Repeating the last row and column makes pixels beyond the image differ from nothing.
    near = np.pad(near, ((0, 1), (0, 1)), mode="edge")
    here = near[:-1, :-1]
    differs = (here != near[:-1, 1:]) | (here != near[1:, :-1]) | (here != near[1:, 1:])
    outline: NDArray[np.intp] = np.argwhere(differs) + np.array((top, left))
    return outline


def _outline_agreement(predicted: NDArray[np.intp], truth: NDArray[np.intp], radius: int) -> float:
    if len(predicted) == 0 or len(truth) == 0:
        return float(len(predicted) == len(truth))
    precision = _share_near(predicted, truth, radius)
    recall = _share_near(truth, predicted, radius)
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def _share_near(pixels: NDArray[np.intp], others: NDArray[np.intp], radius: int) -> float:
    """Return the share of ``pixels`` with one of ``others`` in the disk of ``radius`` around them."""
    low = np.minimum(pixels.min(axis=0), others.min(axis=0)) - radius
    high = np.maximum(pixels.max(axis=0), others.max(axis=0)) + radius
    height, width = high - low + (1, 2)
    # How many of the others come before each place in its row: a difference of two counts tells whether any lie
    # between them, so that a disk takes two look-ups for each of its rows, whatever its width.
    before = np.zeros((height, width), np.int32)
    before[others[:, 0] - low[0], others[:, 1] - low[1] + 1] = 1
    np.cumsum(before, axis=1, out=before)
    counts = before.ravel()
    places = (pixels[:, 0] - low[0]) * width + pixels[:, 1] - low[1]
    near = np.zeros(len(pixels), bool)
    for down in range(-radius, radius + 1):
        reach = math.isqrt(radius**2 - down**2)
        row = places + down * width
        near |= counts[row + reach + 1] > counts[row - reach]
    return float(near.mean())
