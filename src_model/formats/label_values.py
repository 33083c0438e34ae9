"""Whether an array read from a file holds labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from src_model.document import MAX_OBJECT_ID
from src_model.errors import FormatError

if TYPE_CHECKING:
    from numpy.typing import NDArray


def as_labels(values: NDArray[np.generic], origin: object) -> NDArray[np.int32]:
    """Check that an array holds labels and return it as int32.

    Parameters
    ----------
    values
        ``(Y, X)`` bool, integers, or floats that are whole numbers, as some programs write them.
    origin
        File and frame, for messages.

    Raises
    ------
    FormatError
        If it is something else, or a value is negative or too large.
    """
    if values.ndim != 2 or values.dtype.kind not in "biuf" or not values.size:
        raise FormatError(f"'{origin}' holds {values.dtype} of shape {values.shape}: expected labels, (Y, X) integers")
    low, high = values.min(), values.max()
    if not (low >= 0 and high <= MAX_OBJECT_ID):  # nor for what is no number
        raise FormatError(f"'{origin}' holds values from {low} to {high}: expected labels from 0 to {MAX_OBJECT_ID}")
    labels = values.astype(np.int32)
    if values.dtype.kind == "f" and not np.array_equal(labels, values):
        raise FormatError(f"'{origin}' holds fractions: expected labels, whole numbers; is it an image?")
    return labels
