"""Which entries a frame reads: prompted frames and the latest, first in, first out."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from src_model.masks import MaskletFrame, Rle
from src_model.tracking.settings import PRESETS
from tests.memory.banks import bank_with

if TYPE_CHECKING:
    from src_model.memory.policy import MemoryPlan

DEFAULT, OFFICIAL = PRESETS["default"], PRESETS["official"]


def plan(bank, frame, *, reverse=False, available=(), horizon=16, max_pointers=16, **passed_over) -> MemoryPlan:
    return bank.plan(
        frame, reverse=reverse, available=available, horizon=horizon, max_pointers=max_pointers, **passed_over
    )


def test_a_frame_attends_to_its_prompted_frame_and_to_the_six_before_it():
    spatial = plan(bank_with([0], range(1, 30)), 30).spatial
    assert spatial == ((0, 0), (24, 6), (25, 5), (26, 4), (27, 3), (28, 2), (29, 1))


def test_in_reverse_the_frames_before_are_the_later_ones():
    spatial = plan(bank_with([30], range(20, 30)), 19, reverse=True).spatial
    assert spatial == ((30, 0), (25, 6), (24, 5), (23, 4), (22, 3), (21, 2), (20, 1))


def test_pointers_reach_fifteen_frames_back_and_to_prompted_frames_of_the_past():
    pointers = plan(bank_with([0, 40], range(1, 30)), 30).pointers
    assert pointers == ((0, 30), *((30 - age, age) for age in range(1, 16)))


def test_a_prompted_frame_to_come_gives_its_memory_but_no_pointer():
    found = plan(bank_with([0, 12], [9]), 10)
    assert (12, 0) in found.spatial
    assert [frame for frame, _ in found.pointers] == [0, 9]


def test_recent_memory_ends_at_the_nearest_prompted_frame():
    bank = bank_with([0, 27], range(1, 30))
    assert [frame for frame, age in plan(bank, 30).spatial if age] == [28, 29]
    unbounded = bank_with([0, 27], range(1, 30), replace(DEFAULT, prompts_bound_memory=False))
    assert [frame for frame, age in plan(unbounded, 30).spatial if age] == [24, 25, 26, 28, 29]


def test_missing_frames_leave_gaps_instead_of_being_replaced_by_older_ones():
    assert [frame for frame, age in plan(bank_with([0], [5, 8, 9]), 10).spatial if age] == [5, 8, 9]


def test_frames_that_can_be_made_again_count_as_held():
    assert plan(bank_with([0]), 10, available=[9, 8]).spatial == ((0, 0), (8, 2), (9, 1))


def test_of_many_prompted_frames_the_first_and_the_nearest_three_are_seen():
    found = plan(bank_with([0, 10, 20, 30, 40, 50]), 33).spatial
    assert [frame for frame, _ in found] == [0, 20, 30, 40]


def test_the_official_preset_sees_all_prompted_frames_in_the_order_they_came():
    found = plan(bank_with([20, 0, 10, 50, 40, 30], settings=OFFICIAL), 33).spatial
    assert [frame for frame, age in found if not age] == [20, 0, 10, 50, 40, 30]


def test_a_short_horizon_shortens_the_pointers():
    pointers = plan(bank_with([0], range(1, 30)), 30, horizon=8).pointers
    assert [offset for _, offset in pointers] == [30, 1, 2, 3, 4, 5, 6, 7]


def test_objects_of_the_same_history_have_the_same_layout():
    found = plan(bank_with([0], [1, 2]), 3)
    assert found.counts == plan(bank_with([1], [2, 3]), 4).counts == (3, 3)
    assert found.counts != plan(bank_with([1], [2]), 3).counts
    assert (found.ages, found.offsets) == ((0, 2, 1), (3, 1, 2))


@pytest.mark.parametrize("reverse", [False, True])
def test_no_frame_attends_to_itself_as_recent_memory(reverse):
    assert 5 not in [frame for frame, _ in plan(bank_with([0], range(1, 10)), 5, reverse=reverse).spatial]


def test_a_plan_can_be_cut_down_to_prompted_and_some_recent_frames():
    whole = plan(bank_with([0], range(1, 9)), 9)
    few = whole.only({7, 8})
    assert few.spatial == ((0, 0), (7, 2), (8, 1))
    assert few.pointers == whole.pointers


def test_frames_of_which_nothing_is_to_be_had_leave_gaps():
    found = plan(bank_with([0], range(1, 9)), 9, is_unavailable={5, 7}.__contains__)
    assert [frame for frame, age in found.spatial if age] == [3, 4, 6, 8]


def test_frames_said_to_be_without_the_object_are_passed_over_but_in_the_reference():
    absent = {0, 6}.__contains__
    assert [frame for frame, _ in plan(bank_with([0, 3], [5, 6]), 7, is_absent=absent).spatial] == [3, 5]
    reference = plan(bank_with([0, 3], [5, 6], OFFICIAL), 7, is_absent=absent)
    assert [frame for frame, _ in reference.spatial] == [0, 3, 5, 6]


def test_a_prompted_frame_is_read_if_there_is_no_other_whatever_is_said_of_it():
    assert plan(bank_with([0]), 1, is_absent={0}.__contains__, is_unavailable={0}.__contains__).spatial == ((0, 0),)


def test_every_tracked_frame_is_let_in():
    assert DEFAULT.memory_policy.admits(MaskletFrame(Rle.empty((4, 4)), 0.0, 0.0))
