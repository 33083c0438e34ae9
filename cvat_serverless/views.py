"""The image of a request as the one frame of a movie that is at hand."""

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

    from cvat_serverless.engine import SeenImage, SharedModel
    from src_model.masks.window import Window
    from src_model.nn import ImageFeatures
    from src_model.tracking.network_steps import NetworkSteps
    from src_model.tracking.windows.following import WindowFollower


@dataclass(frozen=True, slots=True)
class ImageViews:
    """Gives features of an image, and of windows in it, as a movie gives those of its frames.

    Attributes
    ----------
    engine
        Encodes; its turn has to be held.
    image
        The image.
    frame
        The number under which tracking knows it.
    """

    engine: SharedModel
    image: SeenImage
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
        return self.engine.features(self.image, window)

    def prepare(self, frame: int, windows: Iterable[Window | None]) -> None:
        """Encode windows of the image as batches."""
        assert frame == self.frame, "windows are placed on the frame of the request"
        self.engine.prepare(self.image, windows)


@dataclass(frozen=True, slots=True)
class ImageTracking:
    """What prompts and tracks objects in the image of a request.

    Attributes
    ----------
    reader
        Reads memories.
    windows
        Places windows; None if the settings want whole images.
    shape
        ``(Y, X)`` of the image.
    """

    reader: MemoryReader[NetworkSteps]
    windows: WindowFollower | None
    shape: tuple[int, int]

    @classmethod
    def of(cls, engine: SharedModel, image: SeenImage, frame: int = 0) -> ImageTracking:
        """Set it up for an image that tracking knows as ``frame``."""
        steps, views = engine.steps, ImageViews(engine, image, frame)
        horizon = steps.network.config.max_pointers
        reader = MemoryReader(steps, views, horizon, is_gone=lambda number: number != frame)
        return cls(reader, window_follower(steps, image.shape, views), image.shape)

    @property
    def prompting(self) -> Prompting:
        """What answers prompts."""
        return Prompting(self.reader, self.shape, self.windows)

    @property
    def propagation(self) -> Propagation:
        """What follows objects."""
        return Propagation(self.reader, self.shape, self.windows)
