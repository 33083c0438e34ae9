from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra.numpy import array_shapes, arrays

from src_model.errors import MaskError
from src_model.masks import fill_holes, remove_specks

MASKS = arrays(bool, array_shapes(min_dims=2, max_dims=2, max_side=12))
Cleaner = Callable[[np.ndarray], np.ndarray]
CLEANERS: list[Cleaner] = [
    fill_holes,
    lambda mask: remove_specks(mask, 3),
]


def drawing(*rows: str) -> np.ndarray:
    """Return a mask from text: ``#`` is foreground."""
    return np.array([[character == "#" for character in row] for row in rows])


def test_a_hole_is_filled() -> None:
    assert np.array_equal(fill_holes(drawing("###.", "#.#.", "###.")), drawing("###.", "###.", "###."))


def test_background_that_reaches_the_border_of_the_image_is_no_hole() -> None:
    bay = drawing("###", "#.#", "#.#")
    assert np.array_equal(fill_holes(bay), bay)
    inner_bay = drawing(".....", ".###.", ".#.#.", ".#.#.", ".....")
    assert np.array_equal(fill_holes(inner_bay), inner_bay)


def test_a_diagonal_outline_encloses_its_hole() -> None:
    assert np.array_equal(fill_holes(drawing(".#.", "#.#", ".#.")), drawing(".#.", "###", ".#."))


def test_only_holes_up_to_the_given_area_are_filled() -> None:
    mask = drawing("#######", "#.#..##", "#######")
    assert np.array_equal(fill_holes(mask, max_area=1), drawing("#######", "###..##", "#######"))
    assert fill_holes(mask, max_area=2).all()
    assert np.array_equal(fill_holes(mask, max_area=0), mask)


def test_an_island_in_a_hole_survives() -> None:
    assert fill_holes(drawing("#####", "#...#", "#.#.#", "#...#", "#####")).all()


def test_specks_below_the_area_go_and_the_others_stay() -> None:
    mask = drawing("##..#", "##...", "....#", ".....")
    assert np.array_equal(remove_specks(mask, 2), drawing("##...", "##...", ".....", "....."))
    assert np.array_equal(remove_specks(mask, 1), mask)
    assert not remove_specks(mask, 5).any()


def test_pixels_that_touch_at_a_corner_are_one_component() -> None:
    mask = drawing("#..", ".#.", "..#")
    assert np.array_equal(remove_specks(mask, 3), mask)


@pytest.mark.parametrize("clean", CLEANERS)
def test_an_empty_mask_stays_empty_and_a_full_one_full(clean: Cleaner) -> None:
    assert not clean(np.zeros((3, 4), bool)).any()
    assert clean(np.ones((3, 4), bool)).all()


@pytest.mark.parametrize("clean", CLEANERS)
def test_the_given_mask_is_left_alone_and_cleaning_twice_changes_nothing_more(clean: Cleaner) -> None:
    @given(MASKS)
    @settings(deadline=None)
    def check(mask: np.ndarray) -> None:
        before = mask.copy()
        once = clean(mask)
        assert not np.shares_memory(once, mask)
        assert np.array_equal(mask, before)
        assert np.array_equal(clean(once), once)

    check()


@given(MASKS)
@settings(deadline=None)
def test_filling_only_adds_and_removing_only_takes_away(mask: np.ndarray) -> None:
    assert (fill_holes(mask) >= mask).all()
    assert (remove_specks(mask, 3) <= mask).all()


@pytest.mark.parametrize("clean", CLEANERS)
def test_arrays_that_are_no_masks_are_refused(clean: Cleaner) -> None:
    with pytest.raises(MaskError, match="bool"):
        clean(np.zeros((3, 4), np.uint8))
