from __future__ import annotations

import numpy as np
import pytest

from src_model.masks import Rle
from src_model.masks.window import (
    Window,
    cut_image,
    cut_mask,
    placed,
    square,
    whole_frame,
)

FRAME = (60, 80)
WINDOW = Window((10, 20, 30, 50), 64)


def test_a_window_knows_its_shape_and_how_much_it_enlarges():
    assert (WINDOW.shape, WINDOW.origin) == ((20, 30), (10, 20))
    assert Window((0, 0, 32, 32), 64).zoom == 2
    assert whole_frame(FRAME, 64) == Window((0, 0, 60, 80), 64)


@pytest.mark.parametrize(
    ("centre", "box"),
    [((30, 40), (20, 30, 40, 50)), ((0, 0), (0, 0, 20, 20)), ((59, 79), (40, 60, 60, 80)), ((30, -9), (20, 0, 40, 20))],
)
def test_a_square_lies_around_its_centre_as_far_as_the_frame_allows(centre, box):
    assert square(centre, 20, FRAME, 64).box == box


def test_a_square_larger_than_a_side_of_the_frame_takes_all_of_that_side():
    assert square((30, 40), 70, FRAME, 64).box == (0, 5, 60, 75)


def test_a_moved_window_keeps_its_shape():
    assert WINDOW.moved_to((55, 40), FRAME) == Window((40, 25, 60, 55), 64)


@pytest.mark.parametrize(
    ("box", "margin", "expected"),
    [
        ((10, 20, 30, 50), 0.0, True),
        ((9, 20, 30, 50), 0.0, False),
        ((12, 23, 28, 47), 0.1, True),
        ((11, 23, 28, 47), 0.1, False),
        ((12, 23, 28, 48), 0.1, False),
    ],
)
def test_a_window_holds_boxes_that_keep_their_distance_from_its_edges(box, margin, expected):
    assert WINDOW.holds(box, FRAME, margin) is expected


def test_no_distance_is_needed_from_an_edge_of_the_frame():
    assert Window((0, 0, 20, 20), 64).holds((0, 0, 17, 17), FRAME, 0.1)
    assert Window((40, 60, 60, 80), 64).holds((43, 63, 60, 80), FRAME, 0.1)


def test_a_mask_cut_out_and_placed_again_is_the_mask():
    mask = np.zeros(FRAME, bool)
    mask[12:28, 22:45] = np.random.default_rng(0).random((16, 23)) > 0.5
    whole = Rle.encode(mask)
    inside = cut_mask(whole, WINDOW)
    assert inside.shape == WINDOW.shape
    assert placed(inside, WINDOW, FRAME) == whole


def test_an_empty_mask_stays_empty():
    assert placed(Rle.empty(WINDOW.shape), WINDOW, FRAME) == Rle.empty(FRAME)


def test_without_a_window_masks_stay_what_they_are():
    mask = Rle.empty(FRAME)
    assert cut_mask(mask, None) is mask
    assert placed(mask, None, FRAME) is mask


@pytest.mark.parametrize("channels", [(), (3,)])
def test_images_are_cut_where_the_window_is(channels):
    image = np.arange(60 * 80 * (3 if channels else 1)).reshape(*FRAME, *channels)
    piece = cut_image(image, WINDOW)
    assert piece.shape == (20, 30, *channels)
    assert np.array_equal(piece[0, 0], image[10, 20])
