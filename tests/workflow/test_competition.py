"""No two objects hold the same pixels or the same cell."""

from __future__ import annotations

import pytest

from src_model.masks import Rle, intersection_area
from src_model.workflow.competition import Claim, claim_strength, settle, without

SHAPE = (40, 60)


def box(y0, x0, y1, x1):
    return Rle.from_box((y0, x0, y1, x1), SHAPE)


def test_of_two_on_one_cell_the_stronger_holds_it():
    claims = {1: Claim(box(0, 0, 10, 10), 0.5), 2: Claim(box(1, 0, 10, 10), 0.8), 3: Claim(box(20, 20, 30, 30), 0.1)}
    settled = settle(claims)
    assert settled.lost == {1: 2}
    assert settled.masks == {1: Rle.empty(SHAPE), 2: claims[2].mask, 3: claims[3].mask}


def test_a_mask_that_swallows_a_neighbour_gives_way_to_it():
    claims = {1: Claim(box(0, 0, 10, 30), 0.4), 2: Claim(box(0, 0, 10, 10), 0.9)}
    assert settle(claims).lost == {1: 2}


def test_where_they_only_touch_the_weaker_cedes_the_pixels_in_common():
    left, right = box(0, 0, 10, 12), box(0, 10, 10, 22)
    settled = settle({1: Claim(left, 0.5), 2: Claim(right, 0.6)})
    assert not settled.lost
    assert settled.masks == {1: box(0, 0, 10, 10), 2: right}
    assert not intersection_area(settled.masks[1], settled.masks[2])


def test_what_a_person_said_wins_and_stays_even_where_two_lie_on_each_other():
    claims = {
        1: Claim(box(0, 0, 10, 10), 0.9),
        2: Claim(box(0, 0, 10, 10), 0.1, fixed=True),
        3: Claim(box(0, 0, 10, 8), 0.1, fixed=True),
    }
    settled = settle(claims)
    assert settled.lost == {1: 2}
    assert (settled.masks[2], settled.masks[3]) == (claims[2].mask, claims[3].mask)


def test_who_lost_holds_nothing_against_others():
    claims = {1: Claim(box(0, 0, 10, 10), 0.9), 2: Claim(box(0, 0, 10, 12), 0.5), 3: Claim(box(0, 10, 10, 20), 0.3)}
    settled = settle(claims)
    assert settled.lost == {2: 1}
    assert settled.masks[3] == claims[3].mask


def test_a_claim_is_stronger_the_more_it_is_like_the_mask_before():
    before, same, other = box(0, 0, 10, 10), box(0, 1, 10, 11), box(0, 5, 10, 25)
    assert claim_strength(before, 0.8, 0.5, None) == pytest.approx(0.4)
    assert claim_strength(before, 0.8, 0.5, before) == pytest.approx(0.4)
    assert claim_strength(same, 0.8, 1.0, before) > claim_strength(other, 0.9, 1.0, before)


def test_nothing_is_taken_from_what_is_apart():
    assert without(box(0, 0, 5, 5), [box(10, 10, 20, 20)]) == box(0, 0, 5, 5)
    assert without(box(0, 0, 5, 5), [box(0, 0, 20, 20)]).is_empty
