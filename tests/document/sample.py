"""A small document that holds something of everything, and what it is made of."""

from __future__ import annotations

import numpy as np

from src_model.document import (
    AddObject,
    AddPoints,
    AnnotatedObject,
    Annotation,
    AnswerPrompt,
    Division,
    LockFrames,
    MarkDivision,
    ModelIdentity,
    MovieIdentity,
    Project,
    SetBox,
    SetMask,
    SetMaskPrompt,
    Settings,
)
from src_model.frames import Normalization
from src_model.masks import MaskletFrame, Rle

SHAPE = (24, 32)
LENGTH = 12
MOVIE = MovieIdentity("cells", (LENGTH, *SHAPE), "uint16", "/data/cells.tif", 0, (5.0, 0.5, 0.5), ("min", "um", "um"))


def square(y: int = 2, x: int = 3, size: int = 5) -> Rle:
    mask = np.zeros(SHAPE, bool)
    mask[y : y + size, x : x + size] = True
    return Rle.encode(mask)


NOWHERE = Rle.empty(SHAPE)


def entry(y: int = 2, x: int = 3, size: int = 5, score: float = 0.75, object_score: float = 0.875) -> MaskletFrame:
    return MaskletFrame(square(y, x, size), score, object_score)


def empty_document() -> Annotation:
    return Annotation(MOVIE)


def document() -> Annotation:
    """Objects 1 (tracked on 0 to 5, prompted on 0, locked on 4), 2 (painted on 3), 3 and 4 (daughters of 1 on 6)."""
    normalization = Normalization("percentile", (3.0,), (250.5,))
    settings = Settings({"preset": "default", "memory_span": 15, "trust_prompts": True, "max_conditioning": None})
    annotation = Annotation(Project(MOVIE, ModelIdentity("tiny", "ab" * 32), normalization, settings, "score"))
    annotation.do(AddObject(AnnotatedObject(1, "mother", "#FFA500", "cell", "big\nand round")))
    for object_id in (2, 3, 4):
        annotation.do(AddObject(AnnotatedObject(object_id)))
    click = annotation.do(AddPoints(1, 0, ((4.0, 5.5), (20, 20)), (1, 0)))
    annotation.do(AnswerPrompt(1, 0, square(), 0.9, 0.99), join=click.step)
    with annotation.propagation("Track 1") as tracking:
        for frame in range(1, 6):
            tracking.add(frame, {1: entry(2, 3 + frame)})
    annotation.do(SetMask(2, 3, square(10, 10)))
    annotation.do(SetBox(2, 3, (9.5, 9, 16, 16)))
    annotation.do(SetMaskPrompt(3, 6, square(2, 14)))
    annotation.do(AddPoints(3, 6, ((1, 1),), (0,)))
    annotation.do(SetMask(4, 7, NOWHERE))
    annotation.do(MarkDivision(Division(1, 6, (3, 4))))
    annotation.do(LockFrames(1, (4,)))
    return annotation
