"""sam2v: promptable segmentation and tracking in movies.

Names are imported when first used, so that ``import src_model`` costs nothing and parts without torch stay without it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from src_model.lazy import importer

if TYPE_CHECKING:
    from src_model.frames import Normalization, open_movie
    from src_model.tracking import FrameResult, PromptAnswer, Session, StreamingPredictor
    from src_model.workflow import WholeMovieOptions, find_objects, track_movie

__version__ = "0.1.0"

_HOMES = {
    "src_model.frames": ("Normalization", "open_movie"),
    "src_model.tracking": ("FrameResult", "PromptAnswer", "Session", "StreamingPredictor"),
    "src_model.workflow": ("WholeMovieOptions", "find_objects", "track_movie"),
}

__all__ = [
    "FrameResult",
    "Normalization",
    "PromptAnswer",
    "Session",
    "StreamingPredictor",
    "WholeMovieOptions",
    "find_objects",
    "open_movie",
    "track_movie",
]

__getattr__ = importer(__name__, _HOMES)
