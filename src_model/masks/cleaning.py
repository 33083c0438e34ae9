"""Small repairs of a mask. Every function returns a new array and leaves the given one alone.

Foreground pixels hang together over edges and corners (8 neighbours), background pixels over edges only (4), so
that a diagonal line one pixel wide is whole and encloses what it surrounds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from src_model.masks.geometry import mask_box
from src_model.masks.rle import check_mask

if TYPE_CHECKING:
    from numpy.typing import NDArray

_CROSS = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], bool)
_SQUARE = np.ones((3, 3), bool)


def fill_holes(mask: NDArray[np.bool_], max_area: int | None = None) -> NDArray[np.bool_]:
    """Fill the holes of a mask.

    A hole is background that the mask encloses; background that reaches the border of the image is never one.

    Parameters
    ----------
    mask
        ``(Y, X)`` bool, True inside the object.
    max_area
        Largest hole to fill, in pixels; None fills all.

    Returns
    -------
    numpy.ndarray
        ``(Y, X)`` bool, a new array.

    Raises
    ------
    MaskError
        If ``mask`` is not a 2-D bool array.
    """
    result, crop = _copy_and_crop(mask)
    labels, count = label_components(~crop, corners=False)
    # Background at the border of the object's box goes on outside of it, or lies at the border of the image.
    filled = np.ones(count + 1, bool)
    filled[np.concatenate((labels[0], labels[-1], labels[:, 0], labels[:, -1]))] = False
    filled[0] = False
    if filled.any():  # most masks have no hole
        if max_area is not None:
            filled &= np.bincount(labels.ravel(), minlength=count + 1) <= max_area
        crop |= filled[labels]
    return result


def remove_specks(mask: NDArray[np.bool_], min_area: int) -> NDArray[np.bool_]:
    """Remove the components smaller than ``min_area`` pixels, even if that leaves nothing.

    Parameters
    ----------
    mask
        ``(Y, X)`` bool, True inside the object.
    min_area
        Smallest component to keep, in pixels.

    Returns
    -------
    numpy.ndarray
        ``(Y, X)`` bool, a new array.

    Raises
    ------
    MaskError
        If ``mask`` is not a 2-D bool array.
    """
    result, crop = _copy_and_crop(mask)
    labels, count = label_components(crop)
    if count == 1:  # as most masks are
        crop &= np.count_nonzero(crop) >= min_area
        return result
    kept = np.bincount(labels.ravel(), minlength=count + 1) >= min_area
    kept[0] = False
    crop[...] = kept[labels]
    return result


def label_components(mask: NDArray[np.bool_], *, corners: bool = True) -> tuple[NDArray[np.int32], int]:
    """Label the connected components of a mask with numbers.

    Parameters
    ----------
    mask
        ``(Y, X)`` bool, True inside the object.
    corners
        Whether pixels that touch at a corner hang together.

    Returns
    -------
    labels
        ``(Y, X)`` int32: 0 is background, components count from 1 in the order met from the top left.
    count
        How many components there are; 0 in an empty mask.
    """
    from scipy import ndimage  # when first needed: it takes longer to import than a network to load

    labels, count = ndimage.label(mask, structure=_SQUARE if corners else _CROSS, output=np.int32)
    return labels, int(count)


def _copy_and_crop(mask: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return a copy of the mask and a view of the copy's foreground box: small objects cost little in large images."""
    box = mask_box(check_mask(mask))
    y0, x0, y1, x1 = box if box is not None else (0, 0, 1, 1)
    result = mask.copy()
    return result, result[y0:y1, x0:x1]
