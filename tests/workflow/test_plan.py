"""Which frames a run tracks: every object from the nearest frame on which it is known, so that none is left out."""

from __future__ import annotations

import numpy as np
import pytest

from src_model.document import (
    AddObject,
    AnnotatedObject,
    Annotation,
    AnswerPrompt,
    ClearFrames,
    Division,
    LockObject,
    MarkDivision,
    MovieIdentity,
    Origin,
    SetMask,
    SetMaskPrompt,
)
from src_model.errors import FrameRangeError, LockedError, NoPromptError
from src_model.masks import Rle
from src_model.workflow.plan import TrackRequest, plan_tracking

LENGTH, SHAPE = 12, (20, 30)
MASK = Rle.encode(np.pad(np.ones((5, 5), bool), ((3, 12), (4, 21))))


def document(prompted, tracked=None):
    """A document of objects that are prompted on some frames and tracked on others."""
    annotation = Annotation(MovieIdentity("movie", (LENGTH, *SHAPE), "uint8"))
    for number, frames in prompted.items():
        annotation.do(AddObject(AnnotatedObject(number)))
        for frame in frames:
            annotation.do(SetMaskPrompt(number, frame, MASK))
            annotation.do(AnswerPrompt(number, frame, MASK, 1.0, 1.0))
    for number, frames in (tracked or {}).items():
        for frame in frames:
            annotation.do(SetMask(number, frame, MASK, origin=Origin.TRACKED))
    return annotation


def planned(annotation, direction, *, objects=(1,), **where):
    plan = plan_tracking(annotation, TrackRequest(objects, direction, **where))
    return [(list(each.frames), each.objects) for each in plan.passes]


@pytest.mark.parametrize(
    ("direction", "where", "prompted", "frames"),
    [
        ("forward", {"start": 6}, [0], range(1, 12)),
        ("forward", {"start": 6, "count": 2}, [0], range(1, 9)),
        ("forward", {"first": 4, "last": 6}, [2], range(3, 7)),
        ("backward", {"start": 6}, [11], range(10, -1, -1)),
        ("backward", {"start": 6, "count": 2}, [11], range(10, 3, -1)),
        ("backward", {"first": 4, "last": 6}, [9], range(8, 3, -1)),
        ("forward", {"start": 6}, [0, 4, 9], range(5, 12)),
        ("forward", {"start": 1}, [3], range(3, 12)),
        ("forward", {}, [3, 7], range(3, 12)),
        ("backward", {}, [3, 7], range(7, -1, -1)),
    ],
)
def test_a_run_begins_beside_the_nearest_known_frame(direction, where, prompted, frames):
    assert planned(document({1: prompted}), direction, **where) == [(list(frames), (1,))]


@pytest.mark.parametrize(("shown", "first"), [(6, 5), (4, 4), (3, 3)])
def test_a_tracked_frame_is_a_known_one(shown, first):
    annotation = document({1: [0]}, {1: range(1, 5)})
    assert planned(annotation, "forward", start=shown) == [(list(range(first, LENGTH)), (1,))]


def test_frames_that_were_cleared_in_between_are_no_known_ones():
    annotation = document({1: [0]}, {1: range(1, LENGTH)})
    annotation.do(ClearFrames(1, 3, 8))
    assert planned(annotation, "forward", start=6, count=1) == [([3, 4, 5, 6, 7], (1,))]


def test_each_object_begins_where_it_is_known_and_no_frame_is_looked_at_twice():
    annotation = document({1: [0], 2: [4], 3: [8]}, {2: [5]})
    assert planned(annotation, "forward", objects=None, start=6) == [
        ([1, 2, 3, 4, 5], (1,)),
        ([6, 7], (1, 2)),
        ([8, 9, 10, 11], (1, 2, 3)),
    ]


def test_both_ways_leave_no_frame_out_and_turn_at_the_frame_that_is_shown():
    assert planned(document({1: [2, 9]}), "both", start=5) == [
        (list(range(3, LENGTH)), (1,)),
        ([5, 4, 3, 2, 1, 0], (1,)),
    ]


def test_both_ways_without_a_start_go_from_the_first_prompt_of_each_object():
    annotation = document({1: [9], 2: [5], 3: [5, 8], 4: [1], 5: [0]})
    *forward, first, second, third = planned(annotation, "both", objects=None)
    assert forward[0] == ([0], (5,))
    assert forward[-1] == ([9, 10, 11], (1, 2, 3, 4, 5))
    assert first == ([9, 8, 7, 6], (1,))
    assert second == ([5, 4, 3, 2], (1, 2, 3))
    assert third == ([1, 0], (1, 2, 3, 4)), "the fifth was prompted on the first frame: nothing is left before it"


def test_frames_between_the_prompts_of_an_object_are_tracked_once():
    assert planned(document({1: [2, 9]}), "both") == [(list(range(2, LENGTH)), (1,)), ([2, 1, 0], (1,))]


def test_both_ways_within_a_range_each_object_turns_where_it_began():
    assert planned(document({1: [4]}), "both", first=2, last=6) == [([4, 5, 6], (1,)), ([4, 3, 2], (1,))]


def test_an_object_that_is_known_only_behind_a_range_is_left_out_of_it():
    annotation = document({1: [0], 2: [9]})
    assert planned(annotation, "forward", objects=None, first=2, last=5) == [([1, 2, 3, 4, 5], (1,))]


def test_no_frame_in_the_chosen_direction_is_an_error():
    with pytest.raises(FrameRangeError, match="no frame to track forward"):
        planned(document({1: [9]}), "forward", first=2, last=5)


def test_what_was_tracked_before_is_left_out_if_only_the_rest_is_wanted():
    annotation = document({1: [2], 2: [6]}, {1: range(3, 8), 2: [7]})
    plan = plan_tracking(annotation, TrackRequest(only_missing=True))
    assert [(list(each.frames), each.objects) for each in plan.passes] == [
        ([8, 9, 10, 11], (1, 2)),
        ([6, 5, 4, 3], (2,)),
        ([2, 1, 0], (1, 2)),
    ]
    assert (plan.total, plan.tracked_before) == (11, 6)


def test_a_mother_is_tracked_to_her_division_and_a_daughter_from_it():
    annotation = document({1: [0], 2: [6], 3: [8], 4: [2]})
    annotation.do(MarkDivision(Division(1, 6, (2, 3))))
    assert planned(annotation, "both", objects=None) == [
        ([0, 1], (1,)),
        ([2, 3, 4, 5], (1, 4)),
        ([6, 7], (2, 4)),
        ([8, 9, 10, 11], (2, 3, 4)),
        ([8, 7, 6], (3,)),
        ([2, 1, 0], (4,)),
    ]
    assert planned(annotation, "backward", objects=(2, 3), start=10) == [([8, 7], (3,)), ([6], (2, 3))]


def test_nothing_left_is_a_plan_without_passes():
    annotation = document({1: [0]}, {1: range(1, LENGTH)})
    plan = plan_tracking(annotation, TrackRequest(only_missing=True))
    assert (plan.passes, plan.total, plan.tracked_before) == ((), 0, LENGTH)


def test_without_objects_prompts_or_with_all_of_them_locked_there_is_nothing_to_track():
    with pytest.raises(NoPromptError, match="no object yet"):
        planned(document({}), "both", objects=None)
    with pytest.raises(NoPromptError, match="2 objects cannot be tracked without a prompt"):
        planned(document({1: [], 2: []}), "both", objects=None)
    annotation = document({1: [0]})
    annotation.do(LockObject(1))
    with pytest.raises(LockedError, match="object 1 cannot be tracked while locked"):
        planned(annotation, "both")
