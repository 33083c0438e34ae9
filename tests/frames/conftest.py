"""Movies to test with: every frame tells its own number, so that a mix-up cannot go unseen."""

from __future__ import annotations

import numpy as np
import pytest


@pytest.fixture
def gray() -> np.ndarray:
    """(5, 6, 7) uint16; frame t holds 1000 t + the pixel's number."""
    return (1000 * np.arange(5)[:, None, None] + np.arange(42).reshape(6, 7)).astype(np.uint16)


@pytest.fixture
def color() -> np.ndarray:
    """(5, 6, 7, 3) uint8 of colors that all differ."""
    return np.arange(5 * 6 * 7 * 3).reshape(5, 6, 7, 3).astype(np.uint8)


@pytest.fixture
def hyperstack() -> np.ndarray:
    """(4, 2, 3, 6, 7) uint16, axes TCZYX; the thousands tell frame, channel and plane."""
    t, c, z = np.ogrid[:4, :2, :3]
    numbers = 10_000 * (t + 1) + 1000 * (c + 1) + 100 * (z + 1)
    return (numbers[..., None, None] + np.arange(42).reshape(6, 7)).astype(np.uint16)
