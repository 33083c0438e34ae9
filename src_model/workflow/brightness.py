"""Are two daughters equally bright? What divides shares its signal; what lies on another cell does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from src_model.masks import Rle

_SPREADS = (0.8, 1.6)
"""Steps between two means, in spreads of the pixels inside: alike up to the first, unlike from the second on."""

_CONTRASTS = (0.35, 0.65)
"""The same in contrasts of the brighter one to its surroundings: halves of flat cells have next to no spread."""


def brightness_likeness(image: NDArray[np.generic], first: Rle, second: Rle) -> float:
    """Say how alike two masks are in brightness, 0 to 1.

    They are alike where the step between their means is small beside the spread of their pixels, or beside the contrast
    to what surrounds them: textured chromosomes vary a lot, evenly stained nuclei do not.

    Parameters
    ----------
    image
        ``(Y, X)`` or ``(Y, X, 3)``, of which colours are averaged.
    first, second
        ``(Y, X)``, not empty.
    """
    boxes = [mask.box for mask in (first, second)]
    (y0, x0, y1, x1), other = (box for box in boxes if box is not None)
    y0, x0, y1, x1 = min(y0, other[0]), min(x0, other[1]), max(y1, other[2]), max(x1, other[3])
    reach = max(y1 - y0, x1 - x0) // 4
    box = max(0, y0 - reach), max(0, x0 - reach), min(first.shape[0], y1 + reach), min(first.shape[1], x1 + reach)
    crop = np.asarray(image)[box[0] : box[2], box[1] : box[3]].astype(np.float64)
    values = crop if crop.ndim == 2 else crop.mean(axis=2)
    inside = [mask.crop(box) for mask in (first, second)]
    means = [float(values[part].mean()) for part in inside]
    around = values[~(inside[0] | inside[1])]
    step = abs(means[0] - means[1])
    spread = np.sqrt(np.mean([values[part].var() for part in inside]))
    contrast = max(abs(mean - float(np.median(around))) for mean in means) if around.size else 0.0
    return max(_fits(step, float(spread), _SPREADS), _fits(step, contrast, _CONTRASTS))


def _fits(step: float, scale: float, limits: tuple[float, float]) -> float:
    low, high = limits[0] * scale, limits[1] * scale
    if step <= low:
        return 1.0
    return max(0.0, (high - step) / (high - low)) if high > low else 0.0
