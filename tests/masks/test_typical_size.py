from __future__ import annotations

import math

import pytest

from src_model.masks import Rle, TypicalSize, typical_size
from src_model.masks.typical_size import is_cut

SHAPE = (100, 120)


def square(side, y=10, x=10):
    return Rle.from_box((y, x, y + side, x + side), SHAPE)


def test_half_and_twice_the_area_deviate_as_much():
    assert TypicalSize(100).deviations([50, 100, 200]) == pytest.approx([-1, 0, 1])


def test_one_object_tells_no_size():
    assert typical_size([]) is None
    assert typical_size([square(10)]) is None


def test_the_typical_area_is_the_median_on_a_scale_of_ratios():
    assert typical_size([square(10), square(40)]).area == pytest.approx(400)
    assert typical_size([square(10), square(10), square(60)]).area == pytest.approx(100)


def test_empty_masks_and_those_at_the_edge_tell_no_size():
    assert typical_size([square(10), Rle.empty(SHAPE), square(10, y=0), square(10, x=110)]) is None


def test_the_more_objects_there_are_the_narrower_the_spread():
    spreads = [typical_size([square(10)] * count).spread for count in (2, 3, 30)]
    assert spreads == sorted(spreads, reverse=True)
    assert spreads[-1] == pytest.approx(0.5, rel=0.02)


def test_the_more_their_sizes_differ_the_wider_the_spread():
    alike = typical_size([square(side) for side in (18, 19, 20, 21, 22)])
    unlike = typical_size([square(side) for side in (4, 9, 20, 40, 80)])
    assert unlike.spread > 3 * alike.spread


def test_one_odd_object_among_many_changes_nothing():
    typical = typical_size([*[square(10)] * 9, square(80)])
    assert typical.area == pytest.approx(100)
    assert typical.spread == pytest.approx(0.5 * math.sqrt(1.1))


@pytest.mark.parametrize("box", [(0, 5, 9, 9), (5, 0, 9, 9), (5, 5, 100, 9), (5, 5, 9, 120)])
def test_what_reaches_an_edge_of_the_field_may_be_cut(box):
    assert is_cut(box, SHAPE)


def test_what_lies_inside_is_whole():
    assert not is_cut((1, 1, 99, 119), SHAPE)
    assert is_cut((1, 1, 99, 119), SHAPE, tolerance=1)
