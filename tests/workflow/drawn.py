"""Movies that are drawn: a pixel's value says which cell it belongs to; a tracker and a detector go by that alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from src_model.detection import EVERYTHING
from src_model.document import Annotation, MovieIdentity
from src_model.frames import open_movie
from src_model.masks import Detection, Rle
from src_model.tracking import FrameResult, Session
from src_model.workflow import DocumentTracker
from src_model.workflow.two_in_one import Told, TwoInOne
from tests.tracking import tiny

if TYPE_CHECKING:
    import pytest

SHAPE = (48, 64)
NETWORK = tiny.build()


def draw(*frames: dict[int, tuple[float, float, float]]) -> np.ndarray:
    """Draw disks ``{value: (y, x, radius)}`` on each frame: ``(T, 48, 64)`` uint8."""
    rows, columns = np.mgrid[: SHAPE[0], : SHAPE[1]]
    movie = np.zeros((len(frames), *SHAPE), np.uint8)
    for image, disks in zip(movie, frames, strict=True):
        for value, (y, x, radius) in disks.items():
            image[(rows - y) ** 2 + (columns - x) ** 2 <= radius**2] = value
    return movie


class DrawnCells:
    """A detector that finds every value in an image, where it is asked to search."""

    name = "drawn cells"

    def __init__(self) -> None:
        self.looks: list[int] = []
        """How many pixels were searched in each look."""

    def detect(self, image, query=EVERYTHING, normalization=None, *, progress=None, cancelled=None):
        image = _values(image)
        where = np.ones(image.shape, bool) if query.where is None else query.where.decode()
        self.looks.append(int(where.sum()))
        values = np.unique(image[where & (image > 0)]).tolist()
        return [Detection.of_mask(Rle.encode(image == value), 0.9) for value in values]


def follow_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let sessions track by overlap: an object is the value that covers most of its mask on the frame before.

    Every mask holds one cell.
    """

    def propagate(session, start=None, stop=None, *, reverse=False, objects=None):
        end = (-1 if stop is None else stop) if reverse else stop
        for frame in range(start, end, -1 if reverse else 1):
            image, masks = _values(session.movie.read(frame)), {}
            for number in objects:
                item = session.objects[number]
                if not item.is_fixed(frame):
                    item.masklet.set(frame, _overlapping(image, item, frame, reverse), score=0.9, object_score=0.9)
                item.directions[frame] = reverse
                masks[number] = item.masklet.mask_at(frame)
            yield FrameResult(frame, masks, dict.fromkeys(masks, 0.9), dict.fromkeys(masks, 0.9))

    def one_each(self, image, normalization, masks):
        return dict.fromkeys(masks, Told(1.0, None))

    monkeypatch.setattr(Session, "propagate", propagate)
    monkeypatch.setattr(TwoInOne, "look", one_each)


def _values(image):
    return image[..., 0] if image.ndim == 3 else image  # CVAT's images have three equal channels


def _overlapping(image, item, frame, reverse):
    known = [f for f in item.masklet.frames if (f > frame if reverse else f < frame)]
    seen = [f for f in known if not item.masklet.mask_at(f).is_empty]
    if not seen:
        return Rle.empty(SHAPE)
    before = item.masklet.mask_at(min(seen) if reverse else max(seen)).decode()
    counts = np.bincount(image[before], minlength=2)
    value = int(counts[1:].argmax()) + 1
    return Rle.encode(image == value) if counts[value] else Rle.empty(SHAPE)


def begin(movie: np.ndarray) -> tuple[Annotation, DocumentTracker]:
    """Make an empty document of a movie, and its tracker."""
    document = Annotation(MovieIdentity("drawn", movie.shape, "uint8"))
    return document, DocumentTracker(open_movie(movie, axes="TYX"), lambda: tiny.predictor(NETWORK))


def areas(document: Annotation, object_id: int) -> dict[int, int]:
    """Area of an object on each frame on which it is known, in pixels."""
    return {frame: entry.mask.area for frame, entry in document.masklet(object_id).entries().items()}
