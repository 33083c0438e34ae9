from __future__ import annotations

from types import SimpleNamespace

import pytest

from src_model.errors import FrameRangeError
from src_model.tracking.frame_numbers import checked_frame, frame_range

ITEMS = [SimpleNamespace(prompted_frames=(4, 7)), SimpleNamespace(prompted_frames=(2,))]


def test_a_frame_that_is_there_is_returned_as_a_plain_number():
    assert checked_frame(9, 10) == 9
    assert type(checked_frame(3.0, 10)) is int


@pytest.mark.parametrize(("frame", "length"), [(-1, 10), (10, 10), (2.5, 10), (0, 0)])
def test_a_frame_that_is_not_there_is_refused(frame, length):
    with pytest.raises(FrameRangeError):
        checked_frame(frame, length)


@pytest.mark.parametrize(
    ("start", "stop", "reverse", "expected"),
    [
        (None, None, False, range(2, 10)),
        (3, 6, False, range(3, 6)),
        (None, None, True, range(9, -1, -1)),
        (5, 1, True, range(5, 1, -1)),
    ],
)
def test_frames_count_as_in_range_and_begin_at_the_first_prompt(start, stop, reverse, expected):
    assert frame_range(ITEMS, 10, start, stop, reverse=reverse) == expected


@pytest.mark.parametrize(("start", "stop"), [(10, None), (-1, None), (None, 11), (None, -1)])
def test_a_range_outside_the_movie_is_refused(start, stop):
    with pytest.raises(FrameRangeError, match="outside the movie"):
        frame_range(ITEMS, 10, start, stop, reverse=False)
