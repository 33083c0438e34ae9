"""Whether the pixels of an image layer are still those that were seen before."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_sam2v.layers.geometry import finest

if TYPE_CHECKING:
    from napari.layers import Image

_MOST_SAMPLES = 2**16
_LEAST_SAMPLES = 8
"""Along each of the last two axes of an array in memory, as far as `_MOST_SAMPLES` allow."""


class Pixels:
    """What an image layer showed when this was made.

    An array in memory is sampled on all its frames, so that values written into it are noticed too. Of any other array
    nothing is read: only another array in its place is noticed.

    Parameters
    ----------
    image
        The layer.
    """

    def __init__(self, image: Image) -> None:
        self._image = image
        self._array = finest(image)
        self._sum = _sum_of(self._array)

    def are_replaced(self) -> bool:
        """Whether the layer shows other pixels now."""
        array = finest(self._image)
        return array is not self._array or _sum_of(array) != self._sum


def _sum_of(array: Any) -> int | None:
    if type(array) is not np.ndarray or array.ndim < 2 or not array.size:
        return None
    frames = int(np.prod(array.shape[:-2]))
    across = max(_LEAST_SAMPLES, int((_MOST_SAMPLES / frames) ** 0.5))
    steps = [max(1, length // across) for length in array.shape[-2:]]
    thin = array[..., :: steps[0], :: steps[1]]
    while thin.size > 4 * _MOST_SAMPLES and thin.shape[0] > 1:
        thin = thin[::2]
    return zlib.crc32(np.ascontiguousarray(thin))
