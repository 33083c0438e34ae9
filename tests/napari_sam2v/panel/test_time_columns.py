from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from napari_sam2v.panel.time_painting import TimeScale, columns_of, low_points, runs
from napari_sam2v.view_state import TimeMarks
from src_model.workflow.review import LOW_SCORE

lengths = st.integers(1, 3000)
widths = st.integers(1, 400)


@given(lengths, widths, st.data())
def test_a_single_mark_survives_any_squeezing(length, width, data):
    frame = data.draw(st.integers(0, length - 1))
    marks = TimeMarks.blank(length)
    for states in (marks.prompted, marks.edited, marks.locked, marks.absent):
        states[frame] = True
    columns = columns_of(marks, width)
    if length >= width:
        for found in (columns.prompted, columns.edited, columns.locked, columns.absent):
            assert found.sum() == 1


@given(lengths, widths, st.data())
def test_a_single_untracked_frame_leaves_a_gap(length, width, data):
    marks = TimeMarks.blank(length)
    marks.tracked[:] = True
    assert np.all(columns_of(marks, width).tracked == 1)
    marks.tracked[data.draw(st.integers(0, length - 1))] = False
    if length >= width:
        assert (columns_of(marks, width).tracked < 1).sum() == 1


@given(lengths, widths)
def test_columns_bound_the_scores_of_their_frames(length, width):
    marks = TimeMarks.blank(length)
    known = np.arange(length) % 3 == 0
    marks.scores[known] = np.linspace(0, 1, length, dtype=np.float32)[known]
    columns = columns_of(marks, width)
    assert np.array_equal(np.isnan(columns.lowest), np.isnan(columns.highest))
    some = ~np.isnan(columns.lowest)
    assert np.all(columns.lowest[some] <= columns.highest[some])
    if length >= width:
        assert np.nanmin(columns.lowest) == np.nanmin(marks.scores)
        assert np.nanmax(columns.highest) == np.nanmax(marks.scores)


@given(lengths, st.floats(1, 500), st.data())
def test_the_middle_of_a_frame_leads_back_to_it(length, width, data):
    scale = TimeScale(length, width)
    frame = data.draw(st.integers(0, length - 1))
    assert scale.frame_at(scale.middle_of(frame)) == frame


def test_pixels_beside_the_line_belong_to_its_ends():
    scale = TimeScale(10, 100)
    assert scale.frame_at(-5) == 0
    assert scale.frame_at(400) == 9
    assert TimeScale(0, 100).frame_at(50) == 0


def test_runs_are_half_open():
    assert runs(np.array([True, True, False, True])) == [(0, 2), (3, 4)]
    assert runs(np.zeros(3, dtype=bool)) == []


def test_the_worst_frame_is_a_low_point_however_good_it_is():
    scores = np.full(50, 0.95, dtype=np.float32)
    scores[20] = 0.9
    assert low_points(scores) == [20]


def test_a_weak_stretch_counts_once_and_two_of_them_twice():
    scores = np.full(200, 0.95, dtype=np.float32)
    scores[50:54] = (0.6, 0.4, 0.5, 0.6)
    scores[150] = LOW_SCORE - 0.1
    assert low_points(scores) == [51, 150]


def test_low_points_are_few_and_far_apart():
    scores = np.full(1000, 0.1, dtype=np.float32)
    points = low_points(scores, most=4, apart=0.05)
    assert len(points) == 4
    assert np.diff(sorted(points)).min() >= 50


def test_frames_without_a_score_are_no_low_points():
    assert low_points(np.full(5, np.nan, dtype=np.float32)) == []
    assert low_points(np.array([np.nan, 0.3], dtype=np.float32)) == [1]
