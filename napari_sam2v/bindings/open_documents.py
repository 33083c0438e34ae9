"""The works of one panel: each movie that was opened keeps its document, so that changing one's mind loses nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari.layers import Image

    from napari_sam2v.layers import MovieOptions
    from src_model.document import Annotation
    from src_model.frames import FrameSource


@dataclass(slots=True)
class Work:
    """A document with the movie it was made on.

    Attributes
    ----------
    image
        The layer.
    choice
        How it is read; another channel of the same frames is the same work.
    annotation
        The document.
    """

    image: Image
    choice: MovieOptions
    annotation: Annotation

    def is_of(self, image: Image, choice: MovieOptions) -> bool:
        """Whether masks of this work fit another choice: the same frames, whatever the channel and the contrast."""
        same = (choice.axes, choice.plane) == (self.choice.axes, self.choice.plane)
        return image is self.image and same

    def fits(self, source: FrameSource) -> bool:
        """Whether masks of this work fit frames that the layer has now: as large, and at least as many."""
        length, *frame = self.annotation.movie.shape[:3]
        return tuple(source.shape[1:3]) == tuple(frame) and len(source) >= length


class OpenDocuments:
    """Works by movie, the one used last at the end."""

    def __init__(self) -> None:
        self._works: list[Work] = []

    def find(self, image: Image, choice: MovieOptions) -> Work | None:
        """Return the work on these frames."""
        return next((work for work in self._works if work.is_of(image, choice)), None)

    def latest(self, image: Image) -> Work | None:
        """Return the work on this layer that was used last."""
        return next((work for work in reversed(self._works) if work.image is image), None)

    def holds(self, annotation: Annotation) -> bool:
        """Whether a document is in here."""
        return any(work.annotation is annotation for work in self._works)

    def put(self, work: Work) -> Annotation | None:
        """Put a work in, or on top; returns the other document that it replaces."""
        before = self.find(work.image, work.choice)
        self._works = [*(other for other in self._works if other is not before), work]
        return before.annotation if before is not None and before.annotation is not work.annotation else None

    def take_out(self, image: Image) -> list[Annotation]:
        """Return the documents of a layer that is gone, and forget them."""
        gone = [work.annotation for work in self._works if work.image is image]
        self._works = [work for work in self._works if work.image is not image]
        return gone
