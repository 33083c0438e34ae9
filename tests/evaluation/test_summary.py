from __future__ import annotations

import pytest

from src_model.evaluation.records import CellScores, UnitKey, UnitRecord
from src_model.evaluation.scoring import ObjectScores, RoundScores
from src_model.evaluation.summary import estimate, summarize


def scores(j, *, f=None, present=None, object_score=None, predicted=None, rounds=None, first_frame=0) -> ObjectScores:
    count = len(j)
    rounds = rounds or [RoundScores(1, 1, sum(j) / count if count else None, None, 0.2)]
    return ObjectScores(
        object_id=1,
        first=0,
        last=first_frame + count - 1,
        frames=tuple(range(first_frame, first_frame + count)),
        j=tuple(j),
        f=tuple(f or j),
        nsd=tuple(j),
        hd95=(None,) * count,
        assd=(2.0,) * count,
        predicted_iou=tuple(predicted or j),
        object_score=tuple(object_score or [0.9] * count),
        present=tuple(present or [True] * count),
        rounds=tuple(rounds),
        strip={},
    )


def record(*objects, movie="a", protocol="click", method="tracking", cells=None) -> UnitRecord:
    return UnitRecord(UnitKey("s", movie, protocol, method), 10, 5.0, "", objects, cells)


def test_objects_count_alike_whatever_their_length():
    [row] = summarize([record(scores([1.0] * 9), scores([0.0]))])
    assert (row.j.mean, row.objects, row.movies) == (0.5, 2, 1)


def test_the_mean_of_j_and_f():
    [row] = summarize([record(scores([0.6, 0.8], f=[0.4, 0.6]))])
    assert (row.j.mean, row.f.mean, row.jf.mean) == pytest.approx((0.7, 0.5, 0.6))


def test_davis_leaves_out_the_first_and_the_last_frame():
    [row] = summarize([record(scores([0.1, 0.6, 0.8, 0.2]))])
    assert row.davis_j.mean == pytest.approx(0.7)
    [given] = summarize([record(scores([0.6, 0.8, 0.2], first_frame=1))])
    assert given.davis_j.mean == pytest.approx(0.7)


def test_where_no_frame_is_left_there_is_no_number():
    [row] = summarize([record(scores([]))])
    assert row.j is row.davis_j is row.calibration is row.occlusions is None


def test_an_interval_needs_more_than_one_movie():
    assert estimate([[0.2, 0.4]]).low is None


def test_the_interval_is_over_movies_not_over_objects():
    found = estimate([[0.2] * 5, [0.8] * 5])
    assert (found.mean, found.low, found.high) == pytest.approx((0.5, 0.2, 0.8))


def test_equal_movies_leave_no_doubt():
    found = estimate([[0.7, 0.7], [None], [0.7]])
    assert (found.mean, found.low, found.high) == pytest.approx((0.7, 0.7, 0.7))


def test_the_interval_is_the_same_each_time():
    values = [[0.1], [0.5], [0.9], [0.3]]
    assert estimate(values) == estimate(values)


def test_each_set_protocol_and_method_is_a_row_with_methods_under_one_another():
    records = [
        record(scores([1.0]), method=method, protocol=protocol)
        for method in ("tracking", "copy")
        for protocol in ("mask", "click")
    ]
    assert [(row.protocol, row.method) for row in summarize(records)] == [
        ("mask", "tracking"), ("mask", "copy"), ("click", "tracking"), ("click", "copy"),
    ]  # fmt: skip


def test_disappearances_are_counted_object_by_object():
    there = [True, True, False, False, False]
    noticed = scores([1.0] * 5, present=there, object_score=[0.9, 0.9, 0.8, 0.1, 0.1])
    missed = scores([1.0] * 5, present=there, object_score=[0.9] * 5)
    [row] = summarize([record(noticed, missed)])
    assert (row.occlusions.disappearances, row.occlusions.found_within) == (2, 0.5)
    assert row.occlusions.accuracy == pytest.approx(6 / 10)
    assert row.occlusions.balanced == pytest.approx((1 + 2 / 6) / 2)


def test_calibration_takes_all_frames_together():
    [row] = summarize([record(scores([0.5, 0.5], predicted=[0.95, 0.95]))])
    assert row.calibration.ece == pytest.approx(0.45)


def test_cell_scores_are_averaged_over_the_movies_that_have_some():
    records = [
        record(scores([1.0]), cells=CellScores(0.5, 0.7, None)),
        record(scores([1.0]), movie="b", cells=CellScores(0.7, 0.9, None)),
        record(scores([1.0]), movie="c"),
    ]
    [row] = summarize(records)
    assert (row.seg.mean, row.det.mean, row.tra) == pytest.approx((0.6, 0.8, None))


def test_the_curve_follows_the_same_objects_to_its_end():
    quick = [RoundScores(1, 3, 0.9, 0.9, 1.0)]
    slow = [RoundScores(1, 3, 0.3, 0.5, 1.0), RoundScores(2, 6, 0.7, 0.7, 2.0)]
    [row] = summarize([record(scores([0.9], rounds=quick), scores([0.7], rounds=slow))])
    assert [point.prompted for point in row.curve] == [1, 1.5]
    assert [point.j for point in row.curve] == pytest.approx([0.6, 0.8])
    assert [point.quality for point in row.curve] == pytest.approx([0.65, 0.8])
    assert row.person_seconds == 1.5


def test_a_single_round_is_no_curve():
    [row] = summarize([record(scores([1.0]))])
    assert row.curve == ()


def test_the_effort_to_reach_the_goal_is_that_of_those_who_reach_it():
    there = [RoundScores(1, 3, 0.5, 0.5, 1), RoundScores(2, 6, 0.85, 0.5, 2), RoundScores(3, 9, 0.9, 0.5, 3)]
    never = [RoundScores(1, 3, 0.5, 0.5, 1), RoundScores(2, 6, 0.84, 0.5, 2)]
    [row] = summarize([record(scores([1.0], rounds=there), scores([1.0], rounds=never))])
    assert (row.goal.reached, row.goal.prompted, row.goal.clicks) == (0.5, 2, 6)


def test_drift_is_quality_along_the_way():
    [row] = summarize([record(scores([1.0] * 10 + [0.0] * 11))])
    assert row.drift == (1.0,) * 5 + (0.0,) * 5


def test_computing_time_is_per_frame():
    [row] = summarize([record(scores([1.0])), record(scores([1.0]), movie="b")])
    assert row.seconds == 0.5
