"""What is in the awkward files from the field: a bright disk that moves."""

from __future__ import annotations

import numpy as np


def check_disk(movie, frames):
    """Check that in these frames a disk of radius 9 lies where it should: 2 px down and 8 px right a frame."""
    for frame in frames:
        image = movie.read(frame).astype(float)
        gray = image.mean(axis=2) if image.ndim == 3 else image
        assert gray.shape == (96, 128)
        rows, columns = np.nonzero(gray > (gray.min() + gray.max()) / 2)
        np.testing.assert_allclose([rows.mean(), columns.mean()], [40 + 2 * frame, 30 + 8 * frame], atol=0.6)
