"""Frames: painting, clearing, tracked spans, the movie they belong to."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from src_model.document import AddObject, AnnotatedObject, ClearFrames, LockFrames, Origin, SetMask, SetMovie
from src_model.errors import AnnotationError, FrameRangeError, MaskError, UnknownObjectError
from src_model.masks import Rle
from tests.document.sample import LENGTH, MOVIE, NOWHERE, SHAPE, document, square


def test_painting_replaces_what_tracking_made():
    annotation = document()
    annotation.do(SetMask(1, 2, square(9, 9)))
    frame = annotation.frame(1, 2)
    assert (frame.mask, frame.origin, frame.score, frame.object_score) == (square(9, 9), Origin.EDITED, 1.0, 1.0)


def test_an_empty_mask_says_that_the_object_is_not_there():
    annotation = document()
    annotation.do(SetMask(1, 8, NOWHERE, object_score=0.0))
    assert [state.frame for state in annotation.frame_states(1) if state.absent] == [8]


def test_clearing_removes_masks_and_prompts_of_a_span_and_nothing_else():
    annotation = document()
    annotation.do(ClearFrames(1, 0, 2))
    assert annotation.masklet(1).frames == (2, 3, 4, 5)
    assert dict(annotation.prompts(1)) == {}


def test_numbers_of_numpy_are_plain_numbers_in_the_document():
    annotation = document()
    annotation.do(SetMask(1, np.int64(8), square(), np.float32(0.5), np.float32(0.5)))
    annotation.do(LockFrames(1, np.arange(8, 10)))
    assert type(annotation.masklet(1).frames[-1]) is int
    assert type(annotation.frame(1, 8).score) is float
    assert all(type(frame) is int for frame in annotation.locked_frames(1))


@pytest.mark.parametrize(
    ("action", "error", "message"),
    [
        (SetMask(9, 0, square()), UnknownObjectError, "no object 9"),
        (SetMask(1, -1, square()), FrameRangeError, "frame -1"),
        (SetMask(1, LENGTH, square()), FrameRangeError, f"frame {LENGTH}"),
        (SetMask(1, 0, Rle.empty((3, 3))), MaskError, "shape"),
        (SetMask(1, 0, square(), float("nan")), MaskError, "NaN"),
        (ClearFrames(1, 3, 2), FrameRangeError, "no span"),
        (ClearFrames(1, 0, LENGTH + 1), FrameRangeError, "no span"),
        (LockFrames(1, (LENGTH,)), FrameRangeError, "outside the movie"),
        (AddObject(AnnotatedObject(1)), AnnotationError, "id 1 is taken by mother"),
        (SetMovie(replace(MOVIE, shape=(LENGTH, 9, 9))), AnnotationError, "start a new annotation"),
        (SetMovie(replace(MOVIE, shape=(7, *SHAPE))), AnnotationError, "frame 7 is annotated"),
    ],
)
def test_what_does_not_fit_the_movie_is_refused(action, error, message):
    annotation = document()
    before = annotation.contents()
    with pytest.raises(error, match=message):
        annotation.do(action)
    assert annotation.contents() == before


def test_a_movie_that_grew_has_room_for_more():
    annotation = document()
    annotation.do(SetMovie(replace(MOVIE, shape=(100, *SHAPE))))
    annotation.do(SetMask(1, 99, square()))
    annotation.undo()
    annotation.undo()
    assert annotation.movie.length == LENGTH
