"""Masks drawn over a frame."""

from __future__ import annotations

import numpy as np
import pytest

from src_model.cli.overlay import FILL, Click, Style, color_of, draw_overlay
from src_model.masks import Rle

SIZE = (80, 120)


@pytest.fixture
def image():
    return np.full((20, 30, 3), 0.25, np.float32)


def rectangle(y0, x0, y1, x1):
    mask = np.zeros((20, 30), bool)
    mask[y0:y1, x0:x1] = True
    return Rle.encode(mask)


def test_without_masks_the_picture_is_the_enlarged_image(image):
    picture = draw_overlay(image, {}, SIZE)
    assert picture.shape == (*SIZE, 3)
    assert picture.dtype == np.uint8
    assert set(np.unique(picture)) == {64}


def test_a_mask_is_filled_with_its_color_so_that_the_image_shines_through(image):
    picture = draw_overlay(image, {1: rectangle(5, 5, 15, 25)}, SIZE)
    expected = 255 * (0.25 + (np.array(color_of(1)) - 0.25) * FILL)
    np.testing.assert_allclose(picture[40, 60], expected, atol=1)


def test_the_outline_has_the_full_color_and_lies_at_the_edge_of_the_mask(image):
    picture = draw_overlay(image, {1: rectangle(5, 5, 15, 25)}, SIZE, style=Style(line=3))
    # the left edge of the mask is column 5, four pixels of the picture for one of the movie
    full = np.abs(picture[40].astype(int) - 255 * np.array(color_of(1))).max(axis=1) < 3
    columns = np.flatnonzero(full)
    assert set(columns[columns < 60]) == {20, 21, 22}
    assert set(columns[columns > 60]) == {97, 98, 99}


def test_nothing_outside_of_the_mask_is_touched(image):
    picture = draw_overlay(image, {1: rectangle(5, 5, 15, 25)}, SIZE)
    rest = np.ones(SIZE, bool)
    rest[5 * 4 - 2 : 15 * 4 + 2, 5 * 4 - 2 : 25 * 4 + 2] = False
    assert (picture[rest] == 64).all()


@pytest.mark.parametrize("size", [(20, 30), (10, 15), (50, 75), (80, 30)])
def test_the_drawn_area_is_that_of_the_mask_at_any_scale(image, size):
    picture = draw_overlay(image, {1: rectangle(4, 6, 16, 24)}, size, style=Style(line=0))
    covered = (picture != 64).any(axis=2).mean()
    assert covered == pytest.approx(12 * 18 / 600, abs=0.06)


def test_masks_at_the_border_and_empty_masks_are_drawn_without_fuss(image):
    masks = {1: rectangle(0, 0, 20, 30), 2: Rle.empty((20, 30)), 3: rectangle(19, 29, 20, 30)}
    picture = draw_overlay(image, masks, SIZE)
    assert (picture[:3] != 64).any()


def test_clicks_are_dots_at_their_place_white_inside_and_red_outside(image):
    clicks = [Click(10, 8), Click(10, 20, positive=False)]
    picture = draw_overlay(image, {}, SIZE, clicks=clicks, style=Style(mark=4))
    assert tuple(picture[42, 34]) == (255, 255, 255)
    red, green, blue = picture[42, 82]
    assert red > 200
    assert max(green, blue) < 80


def test_a_click_at_the_corner_is_cut_off(image):
    assert draw_overlay(image, {}, SIZE, clicks=[Click(0, 0), Click(19, 29)], style=Style(mark=9)).shape == (*SIZE, 3)


def test_objects_have_different_colors():
    colors = [color_of(number) for number in range(1, 41)]
    assert len(set(colors)) == 40
    assert all(0 <= value <= 1 for color in colors for value in color)
    assert min(max(color) for color in colors) > 0.6
