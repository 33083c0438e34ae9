"""Masks of one frame compete: no two objects hold the same pixels or the same cell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from src_model.masks import Rle, intersection_area, mask_iou, pairwise_containment

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_SAME_CELL = 0.5
"""Of the smaller of two masks; what has more in common lies on the same cell."""

UNCLAIMED = 0.3
"""Of the smaller of two masks; what is found and has no more in common with a tracked one is another cell."""

_FROM_HISTORY = 0.75
"""How much of a claim rests on the mask before, and not on what the network says of this one alone."""


@dataclass(frozen=True, slots=True)
class Claim:
    """What an object claims of a frame.

    Attributes
    ----------
    mask
        ``(Y, X)``.
    strength
        0 to 1; the stronger of two claims on the same cell is right.
    fixed
        Whether a person said so, or locked it: such a mask stays as it is.
    """

    mask: Rle
    strength: float
    fixed: bool = False


@dataclass(frozen=True, slots=True)
class Settlement:
    """Who holds what.

    Attributes
    ----------
    masks
        By object id; empty for those that lost.
    lost
        By the id of an object that lost, who holds the cell.
    """

    masks: dict[int, Rle]
    lost: dict[int, int]


def claim_strength(mask: Rle, score: float, object_score: float, before: Rle | None) -> float:
    """Say how far a tracked mask is to be believed: by the network's scores, and by its likeness to the mask before.

    Parameters
    ----------
    mask
        ``(Y, X)`` of this frame.
    score, object_score
        Predicted IoU, and probability that the object is there, 0 to 1.
    before
        The object's last mask that was not empty; None where it has none.
    """
    sure = score * object_score
    if before is None or before.is_empty or mask.is_empty:
        return sure
    sizes = sorted((before.area, mask.area))
    likeness = (mask_iou(before, mask) + sizes[0] / sizes[1]) / 2
    return sure * (1 - _FROM_HISTORY + _FROM_HISTORY * likeness)


def settle(claims: Mapping[int, Claim]) -> Settlement:
    """Give every pixel to one object, and every cell.

    A mask that mostly lies on that of a stronger claim, or holds most of it, is dropped; of others the weaker cedes the
    pixels in common. Fixed masks stay as they are, even on each other.
    """
    order = sorted(claims, key=lambda number: (not claims[number].fixed, -claims[number].strength, number))
    shared = pairwise_containment([claims[n].mask for n in order], [claims[n].mask for n in order])
    masks: dict[int, Rle] = {}
    lost: dict[int, int] = {}
    for place, number in enumerate(order):
        mask = claims[number].mask
        rivals = [order[other] for other in shared[place, :place].nonzero()[0].tolist() if order[other] not in lost]
        if not claims[number].fixed and rivals:
            holder = max(rivals, key=lambda other: float(shared[place, order.index(other)]))
            if shared[place, order.index(holder)] > _SAME_CELL:
                lost[number] = holder
                mask = Rle.empty(mask.shape)
            else:
                mask = without(mask, [masks[other] for other in rivals])
        masks[number] = mask
    return Settlement(masks, lost)


def without(mask: Rle, others: Sequence[Rle]) -> Rle:
    """Return a mask without the pixels of others, ``(Y, X)``."""
    overlapping = [other for other in others if intersection_area(mask, other)]
    box = mask.box
    if not overlapping or box is None:
        return mask
    left = mask.crop(box)
    for other in overlapping:
        left &= ~other.crop(box)
    return Rle.from_crop(left, (box[0], box[1]), mask.shape)


def unclaimed(mask: Rle, claimed: Sequence[Rle]) -> Rle | None:
    """Return what is found without claimed pixels, ``(Y, X)``; None where it is a claimed object."""
    if claimed and pairwise_containment([mask], claimed).max() > UNCLAIMED:
        return None
    free = without(mask, claimed)
    return None if free.is_empty else free
