"""Did a cell divide? Several cues, none of which is enough: daughters are half as large, alike, near, and one mother.

Measured on linked real movies: the areas of the daughters sum to .87 to .99 of the mother's, her IoU with the larger
one is .32 to .48 where it is .45 to .78 otherwise, and in fast movies they stand 1.3 of her diameters apart.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from src_model.masks import Rle, centroid, intersection_area, mask_iou
from src_model.masks.cleaning import label_components

if TYPE_CHECKING:
    from collections.abc import Sequence

_LEAST_PART = 0.2
"""Of a mask; smaller parts are specks."""

_NECK = 0.7
"""Of the width of the parts; what is no narrower between them is no neck: a nucleus that stretches has a waist, too."""

_LEVELS = 9
"""How many widths of a neck are tried, from a gap on."""

_CHANGED = 0.6
"""IoU with the masks shortly before below which a mask that nearly falls into two has changed."""

_SHORTLY = 3
"""Frames."""


@dataclass(frozen=True, slots=True)
class DivisionCues:
    """What speaks for a division of one mask into two.

    Attributes
    ----------
    area_left
        Area of the daughter that the mother's track went on with, in areas of the mother.
    area_sum
        Area of both daughters, in areas of the mother.
    likeness
        Area of the smaller daughter, in areas of the larger one, 0 to 1.
    distance
        Between the daughters' centroids, in diameters of the mother.
    overlap_gain
        IoU of the mother with both daughters, less that with the one that overlaps more.
    meets
        Whether the new daughter, tracked backwards, meets the mother; None: not known.
    brightness
        How alike the daughters are in brightness, 0 to 1; None: nobody looked.
    as_one
        Whether both are tracked as one mask, with a neck between them.
    """

    area_left: float
    area_sum: float
    likeness: float
    distance: float
    overlap_gain: float
    meets: bool | None = None
    brightness: float | None = None
    as_one: bool = False

    def with_brightness(self, brightness: float) -> DivisionCues:
        """Return the cues with how alike the daughters are in brightness, 0 to 1."""
        return replace(self, brightness=brightness)

    @property
    def score(self) -> float:
        """How likely it is a division, 0 to 1."""
        # Areas or brightness that do not fit rule a division out, whatever else speaks for it: a neighbour that comes
        # near, a cell that was missed, or one on top of another meets most of the other cues.
        # Where a neck is seen, areas say less: a mother that condensed was smaller than her daughters together are.
        halved = _trapezoid(self.area_left, 0.15, 0.3, *((0.9, 1.1) if self.as_one else (0.68, 0.88)))
        whole = _trapezoid(self.area_sum, 0.4, 0.6, *((1.6, 1.9) if self.as_one else (1.3, 1.7)))
        alike = _ramp(self.likeness, 0.3, 0.65)
        gain = _ramp(self.overlap_gain, 0.0, 0.15)
        meets = 0.5 if self.meets is None else float(self.meets)
        alike_inside = 1.0 if self.brightness is None else self.brightness
        possible = min(1 - _ramp(self.distance, 1.6, 2.4), whole, max(halved, 0.2), alike_inside)
        return possible * (0.3 * halved + 0.3 * alike + 0.2 * gain + 0.2 * meets)


def cues_of(mother: Rle, kept: Rle, new: Rle, *, meets: bool | None = None, as_one: bool = False) -> DivisionCues:
    """Measure the cues.

    Parameters
    ----------
    mother
        ``(Y, X)``, her last mask before.
    kept, new
        ``(Y, X)`` of the daughters: the one that her track went on with, and the other; not empty, and apart.
    meets
        Whether the other one, tracked backwards, meets the mother; None: not known.
    as_one
        Whether both are parts of one mask.
    """
    areas, large = (kept.area, new.area), mother.area
    shared = intersection_area(mother, kept), intersection_area(mother, new)
    ious = [common / (large + area - common) for common, area in zip(shared, areas, strict=True)]
    union = sum(shared) / (large + sum(areas) - sum(shared))
    return DivisionCues(
        area_left=areas[0] / large,
        area_sum=sum(areas) / large,
        likeness=min(areas) / max(areas),
        distance=distance_between(kept, new) / diameter_of(large),
        overlap_gain=union - max(ious),
        meets=meets,
        as_one=as_one,
    )


def best_cues(
    mothers: Sequence[Rle], kept: Rle, new: Rle, *, meets: bool | None = None, as_one: bool = False
) -> DivisionCues | None:
    """Measure with each of several earlier masks of the mother, as her area falls before a daughter is seen.

    Returns
    -------
    DivisionCues or None
        Those of the highest score; None if no mask holds pixels.
    """
    if kept.is_empty or new.is_empty:
        return None
    cues = [cues_of(mother, kept, new, meets=meets, as_one=as_one) for mother in mothers if not mother.is_empty]
    return max(cues, key=lambda each: each.score, default=None)


def divided_parts(mask: Rle, earlier: Sequence[Rle]) -> tuple[Rle, Rle] | None:
    """Return two daughters that are tracked as one mask, by its outline; None where it is one cell.

    Parameters
    ----------
    mask
        ``(Y, X)``.
    earlier
        The object's masks on the frames before, the latest first, not empty.
    """
    # A cell that always has two lobes is whole, and one that divides changes its outline at once.
    shortly = earlier[:_SHORTLY]
    if not shortly or mask_iou(shortly[-1], mask) >= _CHANGED or two_parts(shortly[-1]) is not None:
        return None
    return two_parts(mask)


def two_parts(mask: Rle) -> tuple[Rle, Rle] | None:
    """Return the two parts of a mask that falls into two, or nearly so, the larger first; None if it does not.

    Two daughters side by side are often tracked as one mask, which has a neck between them: narrower than seven tenths
    of the parts.
    """
    box = mask.box
    if box is None:
        return None
    from scipy import ndimage  # when first needed: it takes longer to import than a network to load

    crop = np.pad(mask.crop(box), 1)
    depth = ndimage.distance_transform_edt(crop)
    for level in np.linspace(0, _NECK, _LEVELS) * depth.max():
        cores, count = label_components(depth > level)
        areas = np.bincount(cores.ravel(), minlength=count + 1)[1:]
        large = np.flatnonzero(areas >= _LEAST_PART * areas.sum()) + 1
        if len(large) == 2:
            nearest = ndimage.distance_transform_edt(~np.isin(cores, large), return_indices=True)[1]
            owners = cores[tuple(nearest)] * crop
            parts = [Rle.from_crop((owners == n)[1:-1, 1:-1], (box[0], box[1]), mask.shape) for n in large.tolist()]
            first, second = sorted(parts, key=lambda part: -part.area)
            return first, second
    return None


def diameter_of(area: float) -> float:
    """Return the diameter of a round object of an area, both in pixels."""
    return 2 * math.sqrt(area / math.pi)


def distance_between(first: Rle, second: Rle) -> float:
    """Return the distance of the centroids of two masks, in pixels; infinite if one is empty."""
    places = centroid(first), centroid(second)
    return math.inf if places[0] is None or places[1] is None else math.dist(places[0], places[1])


def _ramp(value: float, low: float, high: float) -> float:
    return min(max((value - low) / (high - low), 0.0), 1.0)


def _trapezoid(value: float, low: float, rises: float, falls: float, high: float) -> float:
    return min(_ramp(value, low, rises), 1 - _ramp(value, falls, high))
