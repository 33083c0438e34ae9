"""sam2v: promptable segmentation and tracking in movies.

Names are imported when first used, so that ``import src_model`` costs nothing and parts without torch stay without it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from src_model.frames import Normalization, open_movie
    from src_model.tracking import FrameResult, PromptAnswer, Session, StreamingPredictor

__version__ = "0.1.0"

_HOMES = {
    "FrameResult": "src_model.tracking",
    "Normalization": "src_model.frames",
    "PromptAnswer": "src_model.tracking",
    "Session": "src_model.tracking",
    "StreamingPredictor": "src_model.tracking",
    "open_movie": "src_model.frames",
}

__all__ = ["FrameResult", "Normalization", "PromptAnswer", "Session", "StreamingPredictor", "open_movie"]


def __getattr__(name: str) -> object:
    """Import a public name from where it lives."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
