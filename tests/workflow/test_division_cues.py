"""Several cues together say whether a cell divided; hand-made masks stand for cells."""

from __future__ import annotations

import numpy as np
import pytest

from src_model.masks import Rle
from src_model.workflow.division_cues import best_cues, cues_of, divided_parts, two_parts

SHAPE = (80, 120)
SURE, UNSURE = 0.6, 0.35


def disk(y, x, radius):
    rows, columns = np.mgrid[: SHAPE[0], : SHAPE[1]]
    return Rle.encode((rows - y) ** 2 + (columns - x) ** 2 <= radius**2)


MOTHER = disk(40, 60, 14)


def test_two_halves_where_the_mother_was_are_a_division():
    cues = cues_of(MOTHER, disk(40, 50, 9.5), disk(40, 70, 9.5))
    assert cues.area_left == pytest.approx(0.46, abs=0.03)
    assert cues.area_sum == pytest.approx(0.92, abs=0.05)
    assert cues.likeness > 0.95
    assert cues.overlap_gain > 0.15
    assert cues.score > SURE


def test_daughters_that_stand_far_apart_in_a_fast_movie_need_the_look_back():
    kept, new = disk(40, 42, 9.5), disk(40, 79, 9.5)
    assert cues_of(MOTHER, kept, new, meets=True).score > SURE
    scores = [cues_of(MOTHER, kept, new, meets=meets).score for meets in (False, None, True)]
    assert scores == sorted(set(scores))


@pytest.mark.parametrize(
    ("kept", "new"),
    [
        (disk(40, 60, 14), disk(40, 88, 13)),  # a neighbour comes near
        (disk(40, 60, 14), disk(40, 80, 5)),  # debris
        (disk(40, 50, 9.5), disk(75, 110, 9.5)),  # far away
    ],
    ids=["neighbour", "debris", "far"],
)
def test_what_is_no_division_is_not_even_suggested(kept, new):
    assert cues_of(MOTHER, kept, new).score < UNSURE


def test_the_mother_may_have_lost_her_area_before_the_other_daughter_is_seen():
    kept, new = disk(40, 50, 9.5), disk(40, 70, 9.5)
    earlier = [kept, disk(40, 57, 12), MOTHER]
    assert best_cues(earlier, kept, new) == cues_of(MOTHER, kept, new)
    assert best_cues([], kept, new) is None
    assert best_cues(earlier, Rle.empty(SHAPE), new) is None


def test_a_mother_that_condensed_is_smaller_than_daughters_that_are_still_one_mask():
    condensed, halves = disk(40, 60, 11), (disk(40, 50, 9.5), disk(40, 70, 9.5))
    assert cues_of(condensed, *halves, meets=True).score < UNSURE
    assert cues_of(condensed, *halves, meets=True, as_one=True).score > SURE


def test_daughters_of_unlike_brightness_are_none():
    cues = cues_of(MOTHER, disk(40, 50, 9.5), disk(40, 70, 9.5))
    assert cues.with_brightness(1.0).score == cues.score
    assert cues.with_brightness(0.0).score == 0.0


def test_a_mask_of_two_parts_is_told_from_one_with_a_speck():
    left, right = disk(40, 50, 9), disk(40, 72, 8)
    both = Rle.encode(left.decode() | right.decode())
    assert two_parts(both) == (left, right)
    assert two_parts(Rle.encode(left.decode() | disk(40, 72, 1).decode())) is None
    assert two_parts(left) is None
    assert two_parts(Rle.empty(SHAPE)) is None


def test_daughters_side_by_side_in_one_mask_have_a_neck_between_them():
    both = Rle.encode(disk(40, 50, 9.5).decode() | disk(40, 68, 9.5).decode())
    first, second = two_parts(both)
    assert first.area + second.area == both.area
    assert second.area / first.area > 0.9
    assert two_parts(MOTHER) is None
    waist = disk(40, 50, 9.5).decode() | disk(40, 62, 9.5).decode()
    assert two_parts(Rle.encode(waist)) is None  # as of a nucleus that stretches


def test_one_mask_of_two_daughters_is_a_division_if_it_was_one_cell_before():
    both = Rle.encode(disk(40, 46, 9.5).decode() | disk(40, 64, 9.5).decode())
    first, second = divided_parts(both, [MOTHER, MOTHER])
    cues = best_cues([MOTHER, MOTHER], first, second, meets=True, as_one=True)
    assert {first.area, second.area} < set(range(270, 310))
    assert cues.score > SURE
    assert divided_parts(both, [both, both]) is None  # it always had two lobes
    assert divided_parts(MOTHER, [disk(40, 75, 14)]) is None  # it moved
    assert divided_parts(both, []) is None
