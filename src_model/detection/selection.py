"""Which of many detections are kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import numpy as np

from src_model.masks import Detection, pairwise_box_iou, pairwise_containment

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

_Found = TypeVar("_Found", bound=Detection)

_SMALLEST_AREA = 40
"""Pixels; the network hardly sees what is smaller, and noise and debris are of this size."""

_LARGEST_SHARE = 0.2
"""Of the frame; what is larger is background or a group of objects."""

_MOST_SHARED = 0.1
"""Of the smaller of two masks; neighbours that touch have an edge of pixels in common."""


def suppress_overlaps(boxes: ArrayLike, priorities: ArrayLike, limit: float) -> list[int]:
    """Keep boxes that overlap no box of higher priority (non-maximum suppression).

    Parameters
    ----------
    boxes
        ``(N, 4)`` of (y0, x0, y1, x1).
    priorities
        ``(N,)``; of equal ones the first goes first.
    limit
        IoU above which two boxes are the same object.

    Returns
    -------
    list of int
        Numbers of the boxes kept, by falling priority.
    """
    places = np.asarray(boxes, dtype=np.float64).reshape(-1, 4)
    left = np.argsort(-np.asarray(priorities, dtype=np.float64), kind="stable")
    kept: list[int] = []
    while left.size:
        best, left = int(left[0]), left[1:]
        kept.append(best)
        left = left[pairwise_box_iou(places[best : best + 1], places[left])[0] <= limit]
    return kept


def pick_objects(detections: Sequence[_Found], count: int) -> list[_Found]:
    """Choose masks that are neither specks nor background and do not lie on each other.

    Parameters
    ----------
    detections
        The best first; those without a mask are passed over.
    count
        How many to choose, at most; from 1.
    """
    picked: list[_Found] = []
    for item in detections:
        if len(picked) == count:
            break
        mask = item.mask
        if mask is None or not _SMALLEST_AREA <= mask.area <= _LARGEST_SHARE * mask.shape[0] * mask.shape[1]:
            continue
        if (pairwise_containment([mask], [other.mask for other in picked if other.mask]) <= _MOST_SHARED).all():
            picked.append(item)
    return picked
