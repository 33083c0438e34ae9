"""Which frames become keyframes."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cvat_serverless.sdk.keyframes import FrameShape, choose_keyframes

A, B = (0.0, 0.0, 4.0, 0.0, 4.0, 4.0), (1.0, 0.0, 5.0, 0.0, 5.0, 4.0)


def frames(found):
    return [(each.frame, each.outside) for each in found]


def shapes(*points, drawn=()):
    return [FrameShape(frame, each, frame in drawn) for frame, each in enumerate(points)]


def test_a_polygon_that_stands_still_has_two():
    assert frames(choose_keyframes(shapes(A, A, A, A), "polygon")) == [(0, False), (3, False)]


def test_a_polygon_that_changes_has_one_on_every_frame_where_it_does():
    assert frames(choose_keyframes(shapes(A, A, A, B, B, B), "polygon")) == [
        (0, False),
        (2, False),
        (3, False),
        (5, False),
    ]


def test_an_object_that_leaves_has_one_when_it_is_gone_and_one_when_it_is_back():
    found = choose_keyframes(shapes(None, A, A, None, None, B, None), "polygon")
    assert frames(found) == [(1, False), (2, False), (3, True), (5, False), (6, True)]
    assert found[2].points == A


def test_behind_the_last_frame_it_is_outside_if_there_is_a_frame():
    assert frames(choose_keyframes(shapes(A, B), "polygon", end=2)) == [(0, False), (1, False), (2, True)]
    assert frames(choose_keyframes(shapes(A, None), "polygon", end=2)) == [(0, False), (1, True)]


def test_an_object_that_is_never_there_has_none():
    assert choose_keyframes(shapes(None, None), "polygon", end=2) == []


def test_a_rectangle_that_moves_evenly_has_two_and_what_was_drawn_stays_one():
    boxes = [(float(t), 0.0, t + 4.0, 4.0) for t in range(6)]
    assert frames(choose_keyframes(shapes(*boxes), "rectangle")) == [(0, False), (5, False)]
    assert frames(choose_keyframes(shapes(*boxes, drawn={2}), "rectangle")) == [(0, False), (2, False), (5, False)]


@given(st.lists(st.tuples(*[st.floats(0, 100)] * 4), min_size=1, max_size=30))
def test_what_cvat_shows_between_keyframes_of_a_rectangle_is_half_a_pixel_off_at_most(boxes):
    found = choose_keyframes(shapes(*boxes), "rectangle")
    times = [each.frame for each in found]
    for corner in range(4):
        shown = np.interp(range(len(boxes)), times, [each.points[corner] for each in found])
        assert np.abs(shown - [box[corner] for box in boxes]).max() <= 0.5 + 1e-9
