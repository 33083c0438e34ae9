"""Prompting and tracking in the image of a request: the only frame of its movie that is at hand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from src_model.errors import MovieError
from src_model.memory.reading import MemoryReader
from src_model.tracking.prompting import Prompting
from src_model.tracking.propagation import Propagation
from src_model.tracking.windows.following import window_follower

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cvat_serverless.shared_model import RequestImage, SharedModel
    from src_model.masks.window import Window
    from src_model.nn import ImageFeatures


@dataclass(frozen=True, slots=True)
class ImageViews:
    """Gives features of an image, and of windows in it, as a movie gives those of its frames.

    Attributes
    ----------
    model
        Encodes; the caller has its turn.
    image
        The image of the request.
    frame
        The number under which tracking knows the image, from 0.
    """

    model: SharedModel
    image: RequestImage
    frame: int = 0

    def __call__(self, frame: int, window: Window | None = None) -> ImageFeatures:
        """Return the features of the image, or of a window in it.

        Raises
        ------
        MovieError
            If another frame is asked for: earlier ones were images of requests long answered.
        """
        if frame != self.frame:
            raise MovieError(f"frame {frame} is not at hand; the request is about frame {self.frame}")
        return self.model.features(self.image, window)

    def prepare(self, frame: int, windows: Iterable[Window | None]) -> None:
        """Encode windows of the image as batches."""
        assert frame == self.frame, "windows are placed on the frame of the request"
        self.model.encode_windows(self.image, windows)


@dataclass(frozen=True, slots=True)
class ImageTracking:
    """Prompts and tracks objects in the image of a request, as a session does in its movie.

    Attributes
    ----------
    prompting
        Answers prompts.
    propagation
        Tracks objects to the image.
    shape
        ``(Y, X)`` of the image, in pixels.
    """

    prompting: Prompting
    propagation: Propagation
    shape: tuple[int, int]

    @classmethod
    def of(cls, model: SharedModel, image: RequestImage, frame: int = 0) -> ImageTracking:
        """Set it up for an image that tracking knows as ``frame``."""
        steps, views = model.steps, ImageViews(model, image, frame)
        horizon = steps.network.config.max_pointers
        reader = MemoryReader(steps, views, horizon, is_gone=lambda number: number != frame)
        windows = window_follower(steps, image.shape, views)
        return cls(Prompting(reader, image.shape, windows), Propagation(reader, image.shape, windows), image.shape)
