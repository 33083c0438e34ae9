"""Region similarity: how much of two masks is shared."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from src_model.evaluation.metrics.checking import check_masks

if TYPE_CHECKING:
    from numpy.typing import NDArray


def region_similarity(predicted: NDArray[np.bool_], truth: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return J of DAVIS, the intersection over union of each mask.

    Parameters
    ----------
    predicted, truth
        ``(..., Y, X)`` bool, of one shape.

    Returns
    -------
    numpy.ndarray
        ``(...,)`` float64 in 0..1, without axes for two single masks; 1 where both masks are empty.

    Raises
    ------
    MaskError
        If the arguments are not bool arrays of one shape.

    Notes
    -----
    Perazzi et al., "A benchmark dataset and evaluation methodology for video object segmentation", CVPR 2016.
    """
    check_masks(predicted, truth)
    shared = np.asarray(np.count_nonzero(predicted & truth, axis=(-2, -1)), np.float64)
    union = np.asarray(np.count_nonzero(predicted | truth, axis=(-2, -1)), np.float64)
    return np.asarray(np.divide(shared, union, out=np.ones_like(union), where=union > 0))
