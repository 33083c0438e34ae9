"""Tiles of large images, and masks put together across their edges."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from src_model.detection.tiles import Piece, crop_boxes, cut_sides, stitch, tile_boxes
from src_model.masks import Rle

SHAPE = (60, 100)
LEFT, RIGHT = (0, 0, 60, 60), (0, 40, 60, 100)


def mask(y0: int, x0: int, y1: int, x1: int) -> np.ndarray:
    shown = np.zeros(SHAPE, bool)
    shown[y0:y1, x0:x1] = True
    return shown


def pieces(shown: np.ndarray, *tiles) -> list[Piece]:
    found = []
    for y0, x0, y1, x1 in tiles:
        inside = np.zeros(SHAPE, bool)
        inside[y0:y1, x0:x1] = shown[y0:y1, x0:x1]
        found.append(Piece(Rle.encode(inside), (y0, x0, y1, x1)))
    return found


@given(st.integers(1, 400), st.integers(1, 400), st.integers(32, 128), st.floats(0, 0.9))
def test_tiles_cover_the_image_and_are_no_larger_than_asked_for(height, width, side, overlap):
    covered = np.zeros((height, width), bool)
    for y0, x0, y1, x1 in tile_boxes((height, width), side, overlap):
        assert 0 < y1 - y0 <= side
        assert 0 < x1 - x0 <= side
        covered[y0:y1, x0:x1] = True
    assert covered.all()


def test_neighbours_share_at_least_what_was_asked_for():
    columns = sorted({box[1::2] for box in tile_boxes((64, 500), 64, 0.25)})
    assert all(before[1] - after[0] >= 16 for before, after in pairwise(columns))


def test_a_small_image_is_one_tile():
    assert tile_boxes((50, 60), 64, 0.25) == [(0, 0, 50, 60)]


def test_crops_cover_the_image_and_overlap():
    crops = crop_boxes((90, 120), 2, 0.3)
    assert crops[0] == (0, (0, 0, 90, 120))
    assert [layer for layer, _ in crops] == [0] + [1] * 4 + [2] * 16
    for layer in (1, 2):
        covered = np.zeros((90, 120), int)
        for number, (y0, x0, y1, x1) in crops:
            assert 0 <= y0 < y1 <= 90
            assert 0 <= x0 < x1 <= 120
            covered[y0:y1, x0:x1] += number == layer
        assert covered.min() == 1
        assert covered.max() >= 4


def test_tiny_images_still_have_crops_with_pixels():
    assert all(y0 < y1 and x0 < x1 for _, (y0, x0, y1, x1) in crop_boxes((3, 5), 3, 0.3))


def test_only_edges_inside_the_image_cut():
    assert cut_sides((0, 10, 20, 59), LEFT, SHAPE, (2, 2)) == (3,)
    assert cut_sides((0, 0, 60, 30), LEFT, SHAPE, (2, 2)) == ()
    assert cut_sides((10, 40, 20, 99), RIGHT, SHAPE, (2, 2)) == (1,)


def test_pieces_that_agree_where_tiles_overlap_become_one_mask():
    shown = mask(10, 20, 30, 90)
    ((whole, members),) = stitch(pieces(shown, LEFT, RIGHT), (1, 1))
    assert np.array_equal(whole.decode(), shown)
    assert members == (0, 1)


def test_an_object_over_four_tiles_is_put_together():
    shown = mask(10, 20, 55, 90)
    tiles = [(0, 0, 40, 60), (0, 40, 40, 100), (20, 0, 60, 60), (20, 40, 60, 100)]
    ((whole, members),) = stitch(pieces(shown, *tiles), (1, 1))
    assert np.array_equal(whole.decode(), shown)
    assert len(members) == 4


def test_what_goes_on_beyond_an_edge_without_a_piece_there_is_dropped():
    assert stitch(pieces(mask(10, 20, 30, 90), LEFT), (1, 1)) == []
    tiles = [(0, 0, 60, 40), (0, 30, 60, 70)]
    assert stitch(pieces(mask(10, 20, 30, 90), *tiles), (1, 1)) == []


def test_pieces_of_different_objects_stay_apart():
    above, below = mask(5, 20, 20, 90), mask(25, 20, 50, 90)
    found = stitch([*pieces(above, LEFT, RIGHT), *pieces(below, LEFT, RIGHT)], (1, 1))
    assert [members for _, members in found] == [(0, 1), (2, 3)]
    assert [whole == Rle.encode(shown) for (whole, _), shown in zip(found, (above, below), strict=True)] == [True, True]


def test_pieces_that_do_not_agree_are_not_put_together():
    assert stitch([*pieces(mask(10, 20, 30, 60), LEFT), *pieces(mask(40, 40, 55, 90), RIGHT)], (1, 1)) == []
