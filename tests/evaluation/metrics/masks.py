"""Pairs of masks on which measures are compared with slow and plain ones."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.ndimage import gaussian_filter

SHAPE = (23, 31)


def blobs(seed: int, shape: tuple[int, int] = SHAPE) -> np.ndarray:
    """A few smooth shapes, most of which touch the border."""
    rng = np.random.default_rng(seed)
    return gaussian_filter(rng.standard_normal(shape), rng.uniform(0.5, 4)) > rng.uniform(-0.02, 0.05)


def rectangle(y0: int, x0: int, y1: int, x1: int, shape: tuple[int, int] = SHAPE) -> np.ndarray:
    mask = np.zeros(shape, bool)
    mask[y0:y1, x0:x1] = True
    return mask


SPECIAL = {
    "empty": rectangle(0, 0, 0, 0),
    "full": rectangle(0, 0, *SHAPE),
    "one pixel": rectangle(11, 15, 12, 16),
    "first pixel": rectangle(0, 0, 1, 1),
    "last pixel": rectangle(22, 30, 23, 31),
    "left half": rectangle(0, 0, 23, 14),
    "at the bottom": rectangle(15, 5, 23, 20),
    "at the right": rectangle(4, 20, 12, 31),
    "all but a pixel": ~rectangle(11, 15, 12, 16),
    "all but a corner": ~rectangle(22, 30, 23, 31),
}
PAIRS = [(first, second) for first in SPECIAL.values() for second in (*SPECIAL.values(), blobs(0))]
PAIRS += [(blobs(seed), blobs(seed + 1)) for seed in range(40)]
"""Masks of every awkward kind with each other, and random ones."""

MASKS = arrays(bool, (9, 11)) | st.integers(0, 10_000).map(lambda seed: blobs(seed, (9, 11)))
