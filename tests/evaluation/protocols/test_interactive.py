"""Protocols that watch and correct."""

from __future__ import annotations

import pytest

from src_model.evaluation.protocols import make_protocols
from src_model.evaluation.protocols.interactive import Offline, Online, worst_frame
from src_model.masks import MaskletFrame, Rle
from tests.evaluation.fakes import SHAPE, Forgetful, square, target, truth_of


def test_every_budget_is_used_where_the_mask_first_fails():
    attempts = Online(budgets=(1, 2, 3)).run(Forgetful(memory=2), [target(length=10)])[1]
    assert [attempt.prompted for attempt in attempts] == [(0,), (0, 3), (0, 3, 6)]
    right = [sum(entry.mask == truth_of(t) for t, entry in attempt.masks.items()) for attempt in attempts]
    assert right == [3, 6, 9]


def test_the_movie_is_played_once():
    tracker = Forgetful(memory=2)
    attempts = Online(budgets=(1, 4)).run(tracker, [target(length=10)])[1]
    assert tracker.passes == [(range(10), (1, 2))]
    assert {attempt.examinations for attempt in attempts} == {1}


def test_a_correction_replaces_the_mask_that_made_the_person_stop():
    attempts = Online(budgets=(2,)).run(Forgetful(memory=2), [target(length=5)])[1]
    assert attempts[0].masks[3].mask == truth_of(3)


@pytest.mark.parametrize(("good_enough", "prompted"), [(0.4, (0,)), (0.75, (0, 1))])
def test_frames_that_are_good_enough_are_passed_over(good_enough, prompted):
    # with too few clicks its masks have an IoU of 0.5
    tracker = Forgetful(memory=20, clicks=9)
    attempts = Online(budgets=(2,), good_enough=good_enough).run(tracker, [target()])[1]
    assert attempts[0].prompted == prompted


def test_objects_are_kept_apart():
    attempts = Online(budgets=(1, 2)).run(
        Forgetful(memory=2), [target(object_id=5, length=10), target(object_id=8, first=4, length=10)]
    )
    assert [attempt.prompted for attempt in attempts[5]] == [(0,), (0, 3)]
    assert [attempt.prompted for attempt in attempts[8]] == [(4,), (4, 7)]
    assert list(attempts[8][0].masks) == list(range(4, 10))


@pytest.mark.parametrize(("rounds", "budgets"), [(1, (1,)), (3, (1, 2, 3)), (8, (1, 2, 3, 5, 8))])
def test_budgets_go_up_to_the_rounds_asked_for(rounds, budgets):
    [protocol] = make_protocols(["online"], rounds=rounds)
    assert protocol.budgets == budgets


def test_each_round_corrects_the_first_of_the_worst_frames_and_tracks_again():
    tracker = Forgetful(memory=2)
    attempts = Offline(rounds=3).run(tracker, [target(length=10)])[1]
    assert [attempt.prompted for attempt in attempts] == [(0,), (0, 3), (0, 3, 6)]
    assert [attempt.clicks for attempt in attempts] == [1, 2, 3]
    assert [attempt.examinations for attempt in attempts] == [1, 2, 3]
    assert tracker.passes == [(range(10), (1,))] * 3
    right = [sum(entry.mask == truth_of(t) for t, entry in attempt.masks.items()) for attempt in attempts]
    assert right == [3, 6, 9]


def test_it_ends_when_everything_is_right():
    attempts = Offline(rounds=8).run(Forgetful(memory=4), [target(length=10)])[1]
    assert attempts[-1].prompted == (0, 5)


def test_up_to_three_clicks_go_to_a_frame():
    attempts = Offline(rounds=2, clicks=3).run(Forgetful(memory=5, clicks=9), [target()])[1]
    assert [attempt.clicks for attempt in attempts] == [3, 6]


def test_finished_objects_are_left_alone_while_others_go_on():
    tracker = Forgetful(memory=4)
    attempts = Offline(rounds=8).run(tracker, [target(object_id=1, length=5), target(object_id=2, length=10)])
    assert [len(attempts[number]) for number in (1, 2)] == [1, 2]
    assert tracker.passes == [(range(10), (1, 2)), (range(10), (2,))]


def test_the_worst_frame_is_one_that_was_not_annotated_yet():
    masks = {t: MaskletFrame(Rle.empty(SHAPE), 0.0, 0.0) for t in range(4)}
    masks[2] = MaskletFrame(Rle.encode(square(7)), 0.0, 0.0)
    assert worst_frame(masks, target(length=4), prompted=(0,)) == 1
    assert worst_frame(masks, target(length=4), prompted=(0, 1, 3)) == 2


def test_a_right_movie_has_no_worst_frame():
    masks = {t: MaskletFrame(truth_of(t), 0.0, 0.0) for t in range(4)}
    assert worst_frame(masks, target(length=4), prompted=(0,)) is None
