"""Which of many detections are kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import numpy as np

from src_model.masks import Detection, TypicalSize, pairwise_box_iou, pairwise_containment

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

_Found = TypeVar("_Found", bound=Detection)

_SMALLEST_AREA = 40
"""Pixels; the network hardly sees what is smaller, and noise and debris are of this size.

Not where objects are known to be smaller."""

_SMALLEST_SHARE = 1 / 6
"""Of the typical area, where that is known to be small."""

_LARGEST_SHARE = 0.2
"""Of the frame; what is larger is background or a group of objects."""

_MOST_SHARED = 0.1
"""Of the smaller of two masks; neighbours that touch have an edge of pixels in common."""


_SAME = 0.5
"""Of the smaller of two masks; what has more in common is the same object, a part of it, or a group with it."""

_ODD = 2.5
"""Spreads from the median beyond which a mask is no object of the kind: a sixth of the area, or six times."""


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


def single_objects(detections: Sequence[_Found], typical_area: float | None = None) -> list[_Found]:
    """Keep each object once, without groups of objects and fragments of one.

    Of masks that share most of the smaller one, that is kept which is surest and nearest to the typical area: a mask
    around two cells gives way to the two, and the halves of a cell to the whole.

    Parameters
    ----------
    detections
        The best first; those without a mask are passed over.
    typical_area
        Pixels of an object of the kind, such as the median of those that were accepted. None: the median of those that
        are kept, judged by their scores alone.
    """
    least = _SMALLEST_AREA if typical_area is None else min(_SMALLEST_AREA, typical_area * _SMALLEST_SHARE)
    found = [item for item in detections if item.mask is not None and item.mask.area >= least]
    if not found:
        return []
    masks = [item.mask for item in found if item.mask is not None]
    areas = np.array([mask.area for mask in masks], dtype=np.float64)
    scores = np.array([item.score for item in found])
    is_same = pairwise_containment(masks, masks) > _SAME
    if typical_area is None:
        typical_area = float(np.median(areas[_apart(is_same, scores)]))
    odds = TypicalSize(typical_area).deviations(areas)
    kept = _apart(is_same, scores * np.exp(-(odds**2) / 2))
    return [found[place] for place in sorted(kept) if abs(odds[place]) <= _ODD]


def _apart(is_same: NDArray[np.bool_], priorities: NDArray[np.float64]) -> list[int]:
    """Return the places of the best, none of which is the same as another."""
    kept: list[int] = []
    for place in np.argsort(-priorities, kind="stable").tolist():
        if not is_same[place, kept].any():
            kept.append(place)
    return kept
