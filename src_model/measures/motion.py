"""How far objects move from frame to frame."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def steps(frames: NDArray[np.int64], places: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how far an object moved since the frame before.

    Parameters
    ----------
    frames
        (K,) int64, ascending: those on which it is in view.
    places
        (K, 2) float64, (y, x), in whatever unit.

    Returns
    -------
    numpy.ndarray
        (K,) float64 in that unit; NaN where the object was not in view on the frame before. A way over several frames
        is no step: nobody knows how it was gone.
    """
    found = np.full(len(frames), np.nan)
    moved = np.linalg.norm(np.diff(places, axis=0), axis=1)
    found[1:] = np.where(np.diff(frames) == 1, moved, np.nan)
    return found
