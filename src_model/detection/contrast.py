"""Does anything in the image tell an object from what surrounds it? Empty background looks the same around itself."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from src_model.masks import Rle

_LEAST = 0.1
"""The least that an object had on a first frame of simulated movies of all kinds, of stills and of a tissue is 0.16."""

_RING = 0.25
"""Diameters; how far the surroundings reach."""

_NARROWEST, _FEWEST = 3, 15
"""Pixels of width, and of area, of surroundings that can be compared with."""


def stands_out(image: ArrayLike, mask: Rle, occupied: NDArray[np.bool_]) -> bool:
    """Whether the pixels of an object differ from those around it.

    Compared are the distributions of brightness: cells that are as bright as their surroundings on average, as in phase
    contrast, have a halo or a texture. Where nearly everything around is other objects, it is taken to stand out.

    Parameters
    ----------
    image
        ``(Y, X)`` or ``(Y, X, 3)``, of which colours are averaged.
    mask
        ``(Y, X)``, not empty.
    occupied
        ``(Y, X)``, True where it or another object is, which do not count as surroundings.
    """
    assert mask.box is not None, "not empty"
    reach = max(_NARROWEST, round(_RING * 2 * math.sqrt(mask.area / math.pi)))
    y0, x0, y1, x1 = mask.box
    box = max(0, y0 - reach), max(0, x0 - reach), min(mask.shape[0], y1 + reach), min(mask.shape[1], x1 + reach)
    crop = np.asarray(image)[box[0] : box[2], box[1] : box[3]]
    values, inside = crop if crop.ndim == 2 else crop.mean(axis=2), mask.crop(box)
    from scipy import ndimage  # when first needed: it takes longer to import than a network to load

    around = ndimage.distance_transform_edt(~inside) <= reach
    around &= ~(inside | occupied[box[0] : box[2], box[1] : box[3]])
    return int(around.sum()) < _FEWEST or largest_difference(values[inside], values[around]) >= _LEAST


def largest_difference(first: NDArray[np.generic], second: NDArray[np.generic]) -> float:
    """Return how far two distributions lie apart at most, 0 to 1 (Kolmogorov and Smirnov), of values ``(N,)``."""
    every = np.concatenate([first, second])
    shares = [np.searchsorted(np.sort(each), every, side="right") / each.size for each in (first, second)]
    return float(np.abs(shares[0] - shares[1]).max())
