"""Daughters are equally bright, as far as the spread of their pixels and their contrast can tell."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from src_model.masks import Rle
from src_model.workflow.brightness import brightness_likeness

SHAPE = (40, 80)
BACKGROUND = 20.0


def square(left):
    mask = np.zeros(SHAPE, bool)
    mask[12:28, left : left + 16] = True
    return mask


LEFT, RIGHT = square(20), square(40)


def likeness(left, right, *, noise=0.0, background=BACKGROUND):
    image = np.full(SHAPE, float(background))
    image[LEFT], image[RIGHT] = left, right
    image += np.random.default_rng(1).normal(0, 1, SHAPE) * noise
    return brightness_likeness(image, Rle.encode(LEFT), Rle.encode(RIGHT))


@pytest.mark.parametrize(("left", "right"), [(100, 100), (100, 80), (20, 20)], ids=["equal", "nearly", "invisible"])
def test_daughters_that_are_about_as_bright_are_alike(left, right):
    assert likeness(left, right) == 1.0


def test_a_bright_body_on_a_dim_nucleus_is_none_of_its_halves():
    assert likeness(200, 60) == 0.0


def test_dark_cells_on_a_bright_ground_are_compared_the_same_way():
    assert likeness(20, 30, background=200) == 1.0
    assert likeness(20, 150, background=200) == 0.0


def test_texture_forgives_a_step_that_flat_cells_would_not_have():
    assert likeness(120, 70, noise=80.0) > likeness(120, 70) + 0.3


def test_colours_are_averaged():
    image = np.full((*SHAPE, 3), BACKGROUND)
    image[LEFT, 0], image[RIGHT, 2] = 200, 200
    assert brightness_likeness(image, Rle.encode(LEFT), Rle.encode(RIGHT)) == 1.0


@given(st.floats(0, 255), st.floats(0, 255), st.sampled_from([np.uint8, np.uint16, np.float32]))
def test_it_is_the_same_from_both_sides_and_between_0_and_1(left, right, dtype):
    image = np.full(SHAPE, BACKGROUND)
    image[LEFT], image[RIGHT] = left, right
    image = image.astype(dtype)
    masks = Rle.encode(LEFT), Rle.encode(RIGHT)
    value = brightness_likeness(image, *masks)
    assert 0.0 <= value <= 1.0
    assert value == pytest.approx(brightness_likeness(image, *masks[::-1]))
