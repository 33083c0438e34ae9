"""Movies: anything that can be read frame by frame, and how its values become what the model sees."""

from src_model.frames.axes import Channel, Plane
from src_model.frames.live import LiveSource
from src_model.frames.normalization import Normalization, decide_normalization
from src_model.frames.opening import MovieLike, open_movie
from src_model.frames.source import FrameSource

__all__ = [
    "Channel",
    "FrameSource",
    "LiveSource",
    "MovieLike",
    "Normalization",
    "Plane",
    "decide_normalization",
    "open_movie",
]
