from __future__ import annotations

import pytest

from src_model.evaluation.effort import annotation_seconds


def test_the_time_model_on_a_case_by_hand():
    # 300 frames watched twice, 2 frames found, 6 clicks: 60 + 2 + 9 seconds
    assert annotation_seconds(frames=300, prompted=2, clicks=6, examinations=2) == pytest.approx(71 / 300)


def test_clicking_every_frame_three_times_takes_as_long_whatever_the_length():
    a_frame = [annotation_seconds(frames=n, prompted=n, clicks=3 * n, examinations=0) for n in (1, 40)]
    assert a_frame == pytest.approx([5.5, 5.5])
