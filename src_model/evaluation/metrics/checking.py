"""What all comparisons of masks demand of their arguments."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from src_model.errors import MaskError

if TYPE_CHECKING:
    from numpy.typing import NDArray


def check_masks(predicted: NDArray[np.bool_], truth: NDArray[np.bool_]) -> None:
    """Refuse anything but two bool arrays of one ``(..., Y, X)`` shape.

    Raises
    ------
    MaskError
        If one of them is not bool, has fewer than two axes or no pixels, or they differ in shape.
    """
    for name, mask in (("predicted", predicted), ("truth", truth)):
        if not isinstance(mask, np.ndarray) or mask.dtype != bool or mask.ndim < 2 or 0 in mask.shape[-2:]:
            kind = f"{mask.dtype} {mask.shape}" if isinstance(mask, np.ndarray) else type(mask).__name__
            raise MaskError(f"{name} must be a bool array (..., Y, X), got {kind}: compare with a threshold or an id")
    if predicted.shape != truth.shape:
        raise MaskError(f"predicted {predicted.shape} and truth {truth.shape} must have one shape")
