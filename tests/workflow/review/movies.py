"""Documents of disks that move, as tracking would leave them."""

from __future__ import annotations

import numpy as np

from src_model.document import AddObject, AnnotatedObject, Annotation, MovieIdentity
from src_model.masks import MaskletFrame, Rle
from src_model.workflow.review import ReviewQueue

SHAPE = (80, 120)
LENGTH = 12


def disk(y: float, x: float, radius: float = 6, stretch: float = 1.0) -> Rle:
    """Draw a disk, or an ellipse ``stretch`` times as wide and as much less high."""
    rows, columns = np.mgrid[: SHAPE[0], : SHAPE[1]]
    return Rle.encode(((rows - y) * stretch) ** 2 + ((columns - x) / stretch) ** 2 <= radius**2)


NOWHERE = Rle.empty(SHAPE)


def document(*tracks: dict[int, Rle], length: int = LENGTH) -> Annotation:
    """Make a document of tracked objects, numbered from 1, with a mask by frame."""
    annotation = Annotation(MovieIdentity("disks", (length, *SHAPE), "uint8"))
    for number, masks in enumerate(tracks, 1):
        annotation.do(AddObject(AnnotatedObject(number)))
        track(annotation, number, masks)
    return annotation


def track(annotation: Annotation, number: int, masks: dict[int, Rle], score: float = 0.95) -> None:
    """Let tracking find an object on these frames."""
    with annotation.propagation() as opened:
        for frame, mask in masks.items():
            opened.add(frame, {number: MaskletFrame(mask, score, 0.0 if mask.is_empty else 1.0)})


def standing(y: float = 20, x: float = 20, frames=range(LENGTH), **shape: float) -> dict[int, Rle]:
    """Make an object that stays where it is."""
    return {frame: disk(y, x, **shape) for frame in frames}


def events(annotation: Annotation):
    """Tell (kind, object, first frame, last frame) of everything that is doubtful, the worst first."""
    return [(e.kind.value, e.object_id, e.start, e.stop - 1) for e in found(annotation)]


def found(annotation: Annotation):
    return ReviewQueue().update(annotation.snapshot())
