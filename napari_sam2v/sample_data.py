"""Sample data: File > Open Sample > sam2v."""

from __future__ import annotations

from typing import Any

import numpy as np
import tifffile

from src_model.data import EPITHELIUM_FRAME_INTERVAL, EPITHELIUM_PIXEL_SIZE, epithelium_path

LayerData = tuple[np.ndarray, dict[str, Any], str]


def epithelium() -> list[LayerData]:
    """Make the epithelium movie that ships with the package into an image layer.

    Returns
    -------
    list of (data, options, layer type)
        One image: (11, 160, 257) uint16, axes t, y, x. The time axis counts frames, because prompts name frames; the
        interval in seconds is in the layer's metadata.
    """
    movie = tifffile.imread(epithelium_path())
    low, high = np.percentile(movie, (0.5, 99.5))
    options = {
        "name": "epithelium",
        "axis_labels": ("t", "y", "x"),
        "scale": (1.0, EPITHELIUM_PIXEL_SIZE, EPITHELIUM_PIXEL_SIZE),
        "units": ("pixel", "micrometer", "micrometer"),
        "contrast_limits": (float(low), float(high)),
        "metadata": {"frame_interval_s": EPITHELIUM_FRAME_INTERVAL},
    }
    return [(movie, options, "image")]
