"""An object differs from what surrounds it; a patch of background does not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import ks_2samp

from src_model.detection.contrast import largest_difference, stands_out
from src_model.masks import Rle

SHAPE = (120, 160)
ROWS, COLUMNS = np.mgrid[: SHAPE[0], : SHAPE[1]]
DISK = (ROWS - 60) ** 2 + (COLUMNS - 80) ** 2 <= 24**2
CORNER = (ROWS > 80) & (COLUMNS > 120)
NOTHING = np.zeros(SHAPE, bool)


def noisy(image, seed=0):
    return image + np.random.default_rng(seed).normal(0, 5, image.shape)


@pytest.mark.parametrize("value", [40.0, 70.0, 130.0], ids=["dark", "faint", "bright"])
def test_a_cell_stands_out_and_an_empty_corner_does_not(value):
    image = noisy(np.where(DISK, value, 60.0))
    assert stands_out(image, Rle.encode(DISK), DISK)
    assert not stands_out(image, Rle.encode(CORNER), DISK | CORNER)


def test_a_cell_as_bright_as_its_surroundings_stands_out_by_its_texture():
    waves = 60 + 25 * np.sin(ROWS * 1.3) * np.sin(COLUMNS * 1.1)
    assert stands_out(noisy(np.where(DISK, waves, 60.0)), Rle.encode(DISK), DISK)


def test_a_neighbour_is_no_surroundings_for_a_patch_of_background():
    neighbour = (ROWS > 40) & (ROWS <= 80) & (COLUMNS > 120)
    image = noisy(np.where(neighbour, 200.0, 60.0))
    assert stands_out(image, Rle.encode(CORNER), NOTHING)  # so it looks if nobody knows of the neighbour
    assert not stands_out(image, Rle.encode(CORNER), neighbour)


def test_a_cell_among_others_without_any_background_is_kept():
    assert stands_out(noisy(np.full(SHAPE, 60.0)), Rle.encode(DISK), ~DISK)


def test_colours_are_averaged_and_whole_numbers_do_not_overflow():
    image = np.full((*SHAPE, 3), 200, np.uint8)
    image[DISK, 1] = 20
    assert stands_out(image, Rle.encode(DISK), DISK)


@given(*[st.lists(st.integers(0, 255), min_size=2, max_size=40)] * 2)
def test_the_difference_is_that_of_kolmogorov_and_smirnov(first, second):
    expected = ks_2samp(first, second, method="asymp").statistic
    assert largest_difference(np.array(first), np.array(second)) == pytest.approx(expected)
