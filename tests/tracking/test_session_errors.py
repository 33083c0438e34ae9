"""Wrong use is refused with an error that names the value and the valid range."""

from __future__ import annotations

import numpy as np
import pytest

from src_model.errors import (
    FrameRangeError,
    MovieError,
    NoPromptError,
    PromptError,
    Sam2vError,
    UnknownObjectError,
)
from tests.tracking import tiny

CLICK = {"points": [tiny.CLICK]}


@pytest.mark.parametrize("frame", [-1, 10, 1000, 1.5])
def test_a_frame_outside_the_movie_cannot_be_prompted(session, frame):
    with pytest.raises(FrameRangeError, match=rf"frame {frame} is outside the movie: it must be in 0\.\.9"):
        session.prompt(frame, 1, **CLICK)


def test_a_frame_number_may_come_from_an_array(session):
    assert type(session.prompt(np.int64(3), np.int64(1), **CLICK).frame) is int


@pytest.mark.parametrize(
    ("prompt", "message"),
    [
        ({"points": [(40, 0)]}, r"point \(y=40, x=0\) lies outside the image; y must be in 0..39 and x in 0..51"),
        ({"box": (5, 5, 5, 20)}, r"box \(5.0, 5.0, 5.0, 20.0\) has no area"),
        ({"mask": np.zeros((3, 3), bool)}, r"mask has shape \(3, 3\); the frames of this movie are \(40, 52\)"),
        ({}, "a prompt needs points, a box or a mask; none was given"),
        ({"points": [(1, 1)], "labels": [7]}, r"label 7 is neither 1 \(inside the object\) nor 0 \(outside\)"),
    ],
)
def test_a_prompt_that_cannot_be_meant_is_refused(session, prompt, message):
    with pytest.raises(PromptError, match=message):
        session.prompt(0, 1, **prompt)


@pytest.mark.parametrize("object_id", [None, 0, -1, "cell"])
def test_a_prompt_needs_an_object(session, object_id):
    with pytest.raises(PromptError, match="every prompt belongs to an object"):
        session.prompt(0, object_id, **CLICK)


def test_nothing_can_be_tracked_before_something_is_prompted(session):
    with pytest.raises(NoPromptError, match="no object has a prompt yet; give a point, a box or a mask"):
        session.propagate()


def test_an_object_whose_prompts_were_all_cleared_cannot_be_tracked(clicked):
    clicked.clear_prompt(0, 1)
    with pytest.raises(NoPromptError, match="object 1 has no prompt yet"):
        clicked.propagate(objects=[1])


@pytest.mark.parametrize(
    "use",
    [
        lambda session: session.propagate(objects=[1, 9]),
        lambda session: session.remove_object(9),
        lambda session: session.clear_prompt(0, 9),
        lambda session: session.choose(0, 9, 0),
        lambda session: session.lock(0, 9),
        lambda session: session.repair(0, 9),
    ],
)
def test_an_unknown_object_is_named_with_those_that_exist(clicked, use):
    clicked.prompt(0, 4, **CLICK)
    with pytest.raises(UnknownObjectError, match="there is no object 9; the objects are 1, 4"):
        use(clicked)


@pytest.mark.parametrize(
    ("range_", "message"),
    [
        ({"start": -1}, r"start=-1 is outside the movie: it must be in 0\.\.9"),
        ({"start": 10}, r"start=10 is outside the movie: it must be in 0\.\.9"),
        ({"stop": 11}, r"stop=11 is outside the movie: it must be in 0\.\.10"),
        ({"stop": -1, "reverse": True}, r"stop=-1 is outside the movie: it must be in 0\.\.10"),
    ],
)
def test_a_range_outside_the_movie_is_refused_before_anything_is_computed(clicked, range_, message):
    with pytest.raises(FrameRangeError, match=message):
        clicked.propagate(**range_)


def test_a_frame_without_a_prompt_cannot_be_cleared(clicked):
    with pytest.raises(PromptError, match="object 1 has no prompt on frame 3; it is prompted on 0"):
        clicked.clear_prompt(3, 1)


def test_a_frame_without_a_prompt_cannot_be_repaired_from(tracked):
    with pytest.raises(NoPromptError, match=r"no prompt on frame 3 to repair from; .*it is prompted on 0"):
        tracked.repair(3, 1)


def test_a_frame_without_a_mask_cannot_be_locked(clicked):
    with pytest.raises(FrameRangeError, match="object 1 has no mask on frame 3 that could be locked"):
        clicked.lock(3, 1)


@pytest.mark.parametrize("candidate", [-1, 3])
def test_a_reading_that_does_not_exist_cannot_be_chosen(clicked, candidate):
    with pytest.raises(PromptError, match=rf"candidate {candidate} does not exist; .* candidates 0\.\.2"):
        clicked.choose(0, 1, candidate)


def test_only_the_last_prompt_has_readings_to_choose_from(clicked, square):
    clicked.prompt(3, 1, **CLICK)
    with pytest.raises(PromptError, match="object 1 was last prompted on frame 3, not on frame 0"):
        clicked.choose(0, 1, 0)
    clicked.prompt(4, 1, mask=square)
    with pytest.raises(PromptError, match="object 1 was last prompted nowhere, not on frame 4"):
        clicked.choose(4, 1, 0)


def test_a_movie_that_cannot_be_opened_is_refused(predictor, tmp_path):
    with pytest.raises(MovieError, match="there is no file or folder"):
        predictor.start(tmp_path / "missing.tif")


def test_every_error_can_be_caught_as_one_kind_and_as_what_python_would_raise(session):
    with pytest.raises(Sam2vError):
        session.propagate()
    with pytest.raises(ValueError, match="outside the image"):
        session.prompt(0, 1, points=[(99, 99)])
    with pytest.raises(IndexError):
        session.prompt(99, 1, **CLICK)
    with pytest.raises(LookupError):
        session.remove_object(3)
