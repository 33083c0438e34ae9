"""One definition of doubt: which frames the table, the strip, the keys and the status line speak of."""

from __future__ import annotations

import numpy as np

ALL = slice(None)


def test_frames_that_somebody_confirmed_are_not_in_doubt(marks_of):
    marks = marks_of(6, [0.1] * 6, tracked=[0, 1, 2], prompted=[1], locked=[2], edited=[3], imported=[4])
    assert np.flatnonzero(marks.in_doubt()).tolist() == [0]
    assert marks.worst_frame() == 0


def test_a_frame_without_the_object_has_no_mask_to_doubt(marks_of):
    marks = marks_of(4, [0.9, 0.02, 0.02, 0.8], tracked=ALL, absent=[1, 2])
    assert not marks.in_doubt().any()
    assert marks.worst_frame() == 3


def test_the_worst_frame_need_not_be_in_doubt_and_there_may_be_none(marks_of):
    assert marks_of(3, [0.95, 0.9, 0.97], tracked=ALL).worst_frame() == 1
    assert marks_of(3, [0.2, 0.2, 0.2], edited=ALL).worst_frame() is None
    assert marks_of(3).worst_frame() is None
    assert np.isnan(marks_of(3, [0.2, 0.2, 0.2], edited=ALL).open_scores()).all()
