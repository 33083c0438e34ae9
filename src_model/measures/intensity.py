"""How bright a movie is inside of a mask."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from src_model.masks import Rle


def mean_intensity(image: NDArray[np.generic], mask: Rle) -> NDArray[np.float64]:
    """Return the mean of an image inside of a mask, for each of its channels.

    Parameters
    ----------
    image
        ``(Y, X)`` or ``(Y, X, C)``, of the movie's own type and values.
    mask
        ``(Y, X)``; only its box is decoded.

    Returns
    -------
    numpy.ndarray
        ``(1,)`` or ``(C,)`` float64; NaN where the mask is empty.
    """
    box = mask.box
    if box is None:
        return np.full(1 if image.ndim == 2 else image.shape[2], np.nan)
    inside = image[box[0] : box[2], box[1] : box[3]][mask.crop(box)].astype(np.float64)
    means: NDArray[np.float64] = np.atleast_1d(inside.mean(axis=0))
    return means
