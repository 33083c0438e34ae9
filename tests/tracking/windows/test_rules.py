from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from src_model.tracking.windows.rules import WINDOW_SIZES, Extent, WindowRules, window_rules

FIELD = (2048, 1600)
RULES = WindowRules(FIELD, 448, WINDOW_SIZES)
ZOOM = 448 / math.sqrt(FIELD[0] * FIELD[1])


def around(y: float, x: float, side: float, motion: tuple[float, float] = (0.0, 0.0)) -> Extent:
    return Extent((y - side / 2, x - side / 2, y + side / 2, x + side / 2), motion)


def test_a_small_object_gets_a_square_window_around_it_and_the_smallest_input():
    window = RULES.fresh(around(500, 700, 30))
    assert window.size == 224
    assert window.shape == (98, 98)
    assert window.holds((485, 685, 515, 715), FIELD, 0.3)


def test_the_side_is_a_whole_number_of_pixels_for_each_token():
    for side in (15, 22, 31, 47, 90):
        window = RULES.fresh(around(900, 900, side))
        assert window.shape[0] % (window.size // 16) == 0


def test_the_input_grows_with_the_window_so_that_no_resolution_is_lost():
    sizes = [RULES.fresh(around(900, 900, side)).size for side in (20, 70, 80, 130, 160)]
    assert sizes == [224, 224, 256, 448, 512]


def test_an_object_of_four_tokens_or_more_keeps_the_whole_frame():
    assert RULES.fresh(around(900, 900, 64 / ZOOM - 2)) is not None
    assert RULES.fresh(around(900, 900, 64 / ZOOM + 2)) is None


def test_where_the_whole_frame_shows_every_pixel_fewer_objects_are_small():
    rules = WindowRules((300, 300), 448, WINDOW_SIZES)
    assert rules.fresh(around(150, 150, 36 / 448 * 300 - 1)) is not None
    assert rules.fresh(around(150, 150, 36 / 448 * 300 + 1)) is None


def test_thin_objects_are_small_for_their_length():
    assert RULES.fresh(Extent((900, 900, 1160, 940))) is not None
    assert RULES.fresh(Extent((900, 900, 1160, 1160))) is None


def test_an_object_in_a_window_may_grow_somewhat_before_it_loses_it():
    extent = around(900, 900, 64 / ZOOM * 1.3)
    assert RULES.fresh(extent) is None
    assert RULES.fresh(extent, had_window=True) is not None


def test_no_window_where_it_would_hardly_enlarge():
    assert WindowRules((448, 448), 448, (128,)).fresh(around(200, 200, 27)) is None
    assert WindowRules((448, 448), 448, (224,)).fresh(around(200, 200, 27)) is not None


def test_windows_show_more_of_what_is_around_where_the_frame_hides_no_details():
    extent = around(150, 150, 20)
    assert WindowRules((300, 300), 448, WINDOW_SIZES).fresh(extent).shape[0] >= 80
    assert RULES.fresh(extent).shape[0] < 80


def test_fast_objects_get_larger_windows_ahead_of_them():
    still, fast = RULES.fresh(around(900, 900, 30)), RULES.fresh(around(900, 900, 30, (15, 0)))
    assert fast.shape[0] > still.shape[0]
    assert sum(fast.box[::2]) / 2 == pytest.approx(915, abs=1)


def test_a_window_stays_while_its_object_stays_well_inside():
    window = RULES.fresh(around(900, 900, 30))
    assert RULES.follow(window, around(915, 890, 30)) == window
    assert RULES.follow(window, around(900, 900, 38)) == window


@pytest.mark.parametrize(
    "extent",
    [around(930, 900, 30), around(910, 900, 30, (15, 0)), around(900, 900, 60), around(900, 900, 12)],
    ids=["at the border", "heading for it", "grown", "shrunk"],
)
def test_a_window_is_placed_again_when_its_object_is(extent):
    window = RULES.fresh(around(900, 900, 30))
    placed = RULES.follow(window, extent)
    assert placed != window
    assert placed == RULES.fresh(extent)


def test_a_given_number_of_pixels_is_the_side_for_every_object_that_fits():
    rules = WindowRules(FIELD, 448, WINDOW_SIZES, 200)
    assert rules.fresh(around(900, 900, 10)).shape == (200, 200)
    assert rules.fresh(around(900, 900, 130)).shape == (200, 200)
    assert rules.fresh(around(900, 900, 300)).shape == (450, 450)
    assert WindowRules(FIELD, 448, WINDOW_SIZES, 5000).fresh(around(900, 900, 10)) is None


def test_a_narrow_frame_gives_narrow_windows():
    assert WindowRules((90, 4000), 448, WINDOW_SIZES, 300).fresh(around(40, 2000, 20)).shape == (90, 300)


def test_sizes_that_the_network_cannot_take_are_left_out():
    assert window_rules("auto", FIELD, 1024, 32, (512, 224, 240)).sizes == (224, 512)
    assert window_rules("auto", FIELD, 448, 16, (100,)) is None
    assert window_rules("off", FIELD, 448, 16, WINDOW_SIZES) is None
    assert window_rules(64, FIELD, 448, 16, WINDOW_SIZES).pixels == 64


@given(
    y=st.floats(0, FIELD[0]),
    x=st.floats(0, FIELD[1]),
    side=st.floats(1, 220),
    motion=st.tuples(st.floats(-40, 40), st.floats(-40, 40)),
)
def test_wherever_an_object_is_its_window_lies_in_the_frame_and_holds_it(y, x, side, motion):
    extent = around(y, x, side, motion)
    window = RULES.fresh(extent)
    if window is None:
        return
    y0, x0, y1, x1 = window.box
    assert 0 <= y0 < y1 <= FIELD[0]
    assert 0 <= x0 < x1 <= FIELD[1]
    seen = extent.expected
    clipped = (max(seen[0], 0), max(seen[1], 0), min(seen[2], FIELD[0]), min(seen[3], FIELD[1]))
    if clipped[0] < clipped[2] and clipped[1] < clipped[3]:
        assert window.holds(clipped, FIELD)
    assert RULES.follow(window, extent) == window
