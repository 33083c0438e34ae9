"""Choosing a few objects to track among everything that was found in an image."""

from __future__ import annotations

from collections.abc import Sequence

from src_model.masks import Rle, intersection_area

_SMALLEST_AREA = 40
_LARGEST_SHARE = 0.2
_ALLOWED_OVERLAP = 0.1
"""Of the smaller mask."""


def pick_objects(masks: Sequence[Rle], count: int) -> list[Rle]:
    """Choose masks that are neither specks nor background and do not lie on each other.

    Parameters
    ----------
    masks
        ``(Y, X)`` each, the best first.
    count
        How many, at most.
    """
    picked: list[Rle] = []
    for mask in masks:
        if len(picked) == count:
            break
        usable = _SMALLEST_AREA <= mask.area <= _LARGEST_SHARE * mask.shape[0] * mask.shape[1]
        if usable and all(
            intersection_area(mask, other) <= _ALLOWED_OVERLAP * min(mask.area, other.area) for other in picked
        ):
            picked.append(mask)
    return picked
