"""A document with one object, and what a host does with it."""

from __future__ import annotations

from src_model.document import (
    AddObject,
    AddPoints,
    AnnotatedObject,
    Annotation,
    AnswerPrompt,
    MovieIdentity,
    SetMask,
)
from src_model.masks import Rle
from src_model.workflow import FrameOutcome, PromptOutcome, snapshot_of
from tests.tracking import tiny


def new_document(object_id=1):
    document = Annotation(MovieIdentity("tiny", (tiny.LENGTH, *tiny.SHAPE), "uint8"))
    document.do(AddObject(AnnotatedObject(object_id)))
    return document


def click(document, frame, *points, labels=None, object_id=1):
    """Add clicks to the prompt of a frame."""
    document.do(AddPoints(object_id, frame, points, tuple(labels or [1] * len(points))))


def take_answer(document, outcome: PromptOutcome, candidate=None):
    entry = outcome.mask if candidate is None else outcome.candidates[candidate]
    document.do(AnswerPrompt(outcome.object_id, outcome.frame, entry.mask, entry.score, entry.object_score))


def take_frame(document, outcome: FrameOutcome):
    with document.propagation(reverse=outcome.reverse) as opened:
        opened.add(outcome.frame, outcome.masks)


def paint(document, frame, mask, object_id=1):
    document.do(SetMask(object_id, frame, Rle.encode(mask)))


def masks(document, object_id=1):
    return {frame: entry.mask for frame, entry in snapshot_of(document, object_id).masks().items()}
