"""Where a simulated annotator clicks, and how long a person would have been busy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from src_model.evaluation.annotator import (
    AnnotationResult,
    SimulatedClick,
    annotate,
    annotation_seconds,
    correcting_click,
    first_click,
)
from src_model.masks import Rle
from tests.evaluation.fakes import Forgetful, square, truth_of

MASKS = arrays(np.bool_, (9, 12), elements=st.booleans())


def test_of_two_parts_the_thicker_one_is_clicked():
    assert first_click(square(0, side=3) | square(30, side=9)) == SimulatedClick(9, 34, positive=True)


def test_an_object_that_is_not_there_is_not_clicked():
    assert first_click(np.zeros((5, 5), bool)) is None


def test_a_correction_goes_to_the_largest_error_not_to_the_nearest():
    truth = square(10, side=9)
    shown = square(10, side=9)
    shown[5:7, 10:12] = False  # a small piece is missed
    shown[5:14, 40:49] = True  # a large one is wrongly covered
    assert correcting_click(shown, truth) == SimulatedClick(9, 44, positive=False)


def test_missed_pixels_are_clicked_as_inside():
    truth = square(10, side=9)
    assert correcting_click(np.zeros_like(truth), truth) == SimulatedClick(9, 14, positive=True)


def test_a_right_mask_needs_no_correction():
    assert correcting_click(square(3), square(3)) is None


@given(MASKS, MASKS)
def test_a_correction_lies_where_the_mask_is_wrong_and_says_what_is_true_there(shown, truth):
    click = correcting_click(shown, truth)
    if click is None:
        assert np.array_equal(shown, truth)
    else:
        assert shown[click.y, click.x] != truth[click.y, click.x]
        assert truth[click.y, click.x] == click.positive


def test_annotating_stops_when_the_mask_is_right():
    tracker = Forgetful(0, clicks=2)
    done = annotate(tracker, 2, 1, truth_of(2), clicks=3)
    assert done.clicks == 2
    assert done.entry.mask == truth_of(2)
    assert [prompt.labels for _, _, prompt in tracker.prompts] == [(1,), (1,)]


def test_annotating_stops_when_the_clicks_are_used_up():
    assert annotate(Forgetful(0, clicks=9), 0, 1, truth_of(0), clicks=3).clicks == 3


def test_a_wrongly_found_object_gets_a_click_outside():
    tracker = Forgetful(0)
    annotate(tracker, 1, 1, Rle.empty(truth_of(1).shape), shown=truth_of(1), clicks=1)
    assert [prompt.labels for _, _, prompt in tracker.prompts] == [(0,)]


def test_a_right_mask_is_left_alone():
    assert annotate(Forgetful(0), 1, 1, truth_of(1), shown=truth_of(1)) == AnnotationResult(0, None)


def test_the_time_model_on_a_case_by_hand():
    # 300 frames watched twice, 2 frames found, 6 clicks: 60 + 2 + 9 seconds
    assert annotation_seconds(frames=300, prompted=2, clicks=6, examinations=2) == pytest.approx(71 / 300)


def test_clicking_every_frame_three_times_takes_as_long_whatever_the_length():
    a_frame = [annotation_seconds(frames=n, prompted=n, clicks=3 * n, examinations=0) for n in (1, 40)]
    assert a_frame == pytest.approx([5.5, 5.5])
