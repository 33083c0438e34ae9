"""How large objects of a kind are, and how far a mask is from that: groups are larger, fragments smaller."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import ArrayLike, NDArray

    from src_model.masks.rle import Rle

_FEWEST = 2
"""One object says nothing of how much sizes differ."""

_LEAST_SPREAD = 0.5
"""As a logarithm: few objects that happen to be alike do not promise that the next one is."""

_MAD_TO_SIGMA = 1.4826
"""Standard deviation of a normal distribution, in median absolute deviations."""


@dataclass(frozen=True, slots=True)
class TypicalSize:
    """The size of objects of one kind.

    Attributes
    ----------
    area
        Pixels of a typical object.
    spread
        How far areas of whole objects lie from that, as a logarithm. Left out: one of half or twice the area is less
        likely.
    """

    area: float
    spread: float = math.log(2)

    def deviations(self, areas: ArrayLike) -> NDArray[np.float64]:
        """Return how many spreads areas ``(N,)`` in pixels, over 0, lie above the typical one; negative: below."""
        deviations: NDArray[np.float64] = np.log(np.asarray(areas, dtype=np.float64) / self.area) / self.spread
        return deviations


def typical_size(masks: Iterable[Rle]) -> TypicalSize | None:
    """Find the typical size of objects by medians, which a few odd ones do not move.

    Parameters
    ----------
    masks
        One ``(Y, X)`` mask an object. Empty ones, and those that the field's edge cuts, tell no size and are left out.

    Returns
    -------
    TypicalSize or None
        None where fewer than two masks tell a size. The more the sizes differ, and the fewer objects there are, the
        wider the spread: then size says little of what an object is.
    """
    areas = [mask.area for mask in masks if mask.box is not None and not is_cut(mask.box, mask.shape)]
    if len(areas) < _FEWEST:
        return None
    logs = np.log(areas)
    middle = float(np.median(logs))
    spread = max(_LEAST_SPREAD, _MAD_TO_SIGMA * float(np.median(np.abs(logs - middle))))
    # The middle is known only as well as so many objects tell it.
    return TypicalSize(math.exp(middle), spread * math.sqrt(1 + 1 / len(areas)))


def is_cut(box: Sequence[float], shape: Sequence[int], tolerance: float = 0.0) -> bool:
    """Whether the edge of a field ``(Y, X)`` may cut what is in a box ``(y0, x0, y1, x1)``: it comes so near to it."""
    y0, x0, y1, x1 = box
    return min(y0, x0) <= tolerance or y1 >= shape[0] - tolerance or x1 >= shape[1] - tolerance
