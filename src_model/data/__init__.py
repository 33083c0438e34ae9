"""The movie that ships with the package: what the demo tracks and what napari offers as sample data."""

from __future__ import annotations

from importlib.resources import as_file, files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

EPITHELIUM_PIXEL_SIZE = 0.2
"""Side of a pixel of the epithelium movie, in micrometres."""

EPITHELIUM_FRAME_INTERVAL = 300.0
"""Time between two frames of the epithelium movie, in seconds."""


def epithelium_path() -> Path:
    """Where the epithelium movie lies.

    A real time-lapse of an epithelial sheet with labelled cell outlines: 11 frames of 160 x 257 pixels, uint16, axes
    TYX, as an ImageJ TIFF that carries the pixel size and the frame interval. ``NOTICE`` names its origin.

    Returns
    -------
    Path
        A TIFF file that exists; it belongs to the installed package and is not to be written to.
    """
    with as_file(files(__name__) / "epithelium.tif") as path:
        return path
