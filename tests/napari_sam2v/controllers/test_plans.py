"""Which frames a run tracks: every object from the nearest frame on which it is known, so that none is left out."""

from __future__ import annotations

import numpy as np
import pytest

from napari_sam2v.controllers.plans import plan_run
from napari_sam2v.panel.view_state import TrackOptions
from src_model.document import (
    AddObject,
    AnnotatedObject,
    Annotation,
    AnswerPrompt,
    ClearFrames,
    MovieIdentity,
    Origin,
    SetMask,
    SetMaskPrompt,
)
from src_model.errors import FrameRangeError
from src_model.masks import Rle

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


def planned(annotation, request, frame, selected=1):
    plan = plan_run(annotation, request, frame, selected)
    return [(list(each.frames), each.objects) for each in plan.passes]


@pytest.mark.parametrize(
    ("request_", "prompted", "shown", "frames"),
    [
        (TrackOptions("forward"), [0], 6, range(1, 12)),
        (TrackOptions("forward", "count", count=2), [0], 6, range(1, 9)),
        (TrackOptions("forward", "range", first=4, last=6), [2], 0, range(3, 7)),
        (TrackOptions("backward"), [11], 6, range(10, -1, -1)),
        (TrackOptions("backward", "count", count=2), [11], 6, range(10, 3, -1)),
        (TrackOptions("backward", "range", first=4, last=6), [9], 0, range(8, 3, -1)),
        (TrackOptions("forward"), [0, 4, 9], 6, range(5, 12)),
        (TrackOptions("forward"), [3], 1, range(3, 12)),
    ],
)
def test_a_run_begins_beside_the_nearest_known_frame(request_, prompted, shown, frames):
    assert planned(document({1: prompted}), request_, shown) == [(list(frames), (1,))]


@pytest.mark.parametrize(("shown", "first"), [(6, 5), (4, 4), (3, 3)])
def test_a_tracked_frame_is_a_known_one(shown, first):
    annotation = document({1: [0]}, {1: range(1, 5)})
    assert planned(annotation, TrackOptions("forward"), shown) == [(list(range(first, LENGTH)), (1,))]


def test_frames_that_were_cleared_in_between_are_no_known_ones():
    annotation = document({1: [0]}, {1: range(1, LENGTH)})
    annotation.do(ClearFrames(1, 3, 8))
    assert planned(annotation, TrackOptions("forward", "count", count=1), 6) == [([3, 4, 5, 6, 7], (1,))]


def test_each_object_begins_where_it_is_known_and_no_frame_is_looked_at_twice():
    annotation = document({1: [0], 2: [4], 3: [8]}, {2: [5]})
    assert planned(annotation, TrackOptions("forward", objects="all"), 6) == [
        ([1, 2, 3, 4, 5], (1,)),
        ([6, 7], (1, 2)),
        ([8, 9, 10, 11], (1, 2, 3)),
    ]


def test_both_ways_leave_no_frame_out_and_turn_at_the_frame_that_is_shown():
    assert planned(document({1: [2, 9]}), TrackOptions("both"), 5) == [
        (list(range(3, LENGTH)), (1,)),
        ([5, 4, 3, 2, 1, 0], (1,)),
    ]


def test_an_object_that_is_known_only_behind_a_range_is_left_out_of_it():
    annotation = document({1: [0], 2: [9]})
    request = TrackOptions("forward", "range", first=2, last=5, objects="all")
    assert planned(annotation, request, 0) == [([1, 2, 3, 4, 5], (1,))]


def test_no_frame_in_the_chosen_direction_is_an_error():
    with pytest.raises(FrameRangeError, match="no frame to track forward"):
        planned(document({1: [9]}), TrackOptions("forward", "range", first=2, last=5), 0)
