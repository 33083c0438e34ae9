"""Which channels and planes make a frame."""

from __future__ import annotations

import numpy as np
import pytest

from src_model.errors import MovieError
from src_model.frames.plan import plan_frames


def planned(axes, shape, channel=None, plane=None, dtype=np.uint8):
    return plan_frames(axes, shape, np.dtype(dtype), channel=channel, plane=plane, name="m")


def test_gray_color_and_mapped_frames_have_their_shapes():
    assert planned("TYX", (5, 6, 7)).shape == (5, 6, 7)
    assert planned("YX", (6, 7)).shape == (1, 6, 7)
    assert planned("TYXS", (5, 6, 7, 4)).shape == (5, 6, 7, 3)
    assert planned("TCYX", (5, 2, 6, 7), channel=1).shape == (5, 6, 7)
    assert planned("TCYX", (5, 2, 6, 7), channel=(0, 1)).shape == (5, 6, 7, 3)
    assert planned("TZYXS", (5, 2, 6, 7, 3), plane="max").shape == (5, 6, 7, 3)


def test_only_mapped_channels_are_a_composite():
    assert planned("TYX", (5, 6, 7)).color == "gray"
    assert planned("TYXS", (5, 6, 7, 3)).color == "rgb"
    assert planned("TCYX", (5, 2, 6, 7), channel=(None, 1)).color == "composite"


def test_a_mean_over_planes_has_fractions():
    assert planned("TZYX", (5, 3, 6, 7), plane="mean").dtype == np.float32
    assert planned("TZYX", (5, 3, 6, 7), plane="max").dtype == np.uint8


def test_channels_have_to_be_chosen():
    with pytest.raises(MovieError, match=r"has 2 channels along C: choose one of 0 to 1 \(--channel 0; .* axes='...'"):
        planned("TCYX", (5, 2, 6, 7))


def test_planes_have_to_be_chosen():
    with pytest.raises(MovieError, match=r"has 3 planes along Z: choose one of 0 to 2, or 'max' or 'mean'"):
        planned("TZYX", (5, 3, 6, 7))


@pytest.mark.parametrize("channel", [2, -1, (0, 2), (0, -1, None), np.int64(2)])
def test_a_channel_that_does_not_exist_is_an_error_with_the_valid_range(channel):
    with pytest.raises(MovieError, match=r"channel (2|-1).* does not exist in movie 'm' .*: it has 2 channels, 0 to 1"):
        planned("TCYX", (5, 2, 6, 7), channel=channel)


def test_a_gray_movie_has_channel_0_alone():
    assert planned("TYX", (5, 6, 7), channel=0).color == "gray"
    with pytest.raises(MovieError, match=r"channel 1 does not exist in movie 'm' .*: it has one channel, 0"):
        planned("TYX", (5, 6, 7), channel=1)


@pytest.mark.parametrize("channel", [True, "red", 0.5, (), (None, None), (0, 0, 0, 1), (0, "x")])
def test_a_channel_that_is_no_choice_is_an_error(channel):
    with pytest.raises(MovieError, match=r"is not understood: pass a number, or up to three"):
        planned("TCYX", (5, 2, 6, 7), channel=channel)


@pytest.mark.parametrize("plane", [3, -1, "sum", True, 0.5])
def test_a_plane_that_does_not_exist_is_an_error_with_the_choices(plane):
    with pytest.raises(MovieError, match=rf"plane {plane!r} does not exist in movie 'm' .*: choose one of 0 to 2"):
        planned("TZYX", (5, 3, 6, 7), plane=plane)


def test_two_samples_a_pixel_have_to_be_chosen_from():
    with pytest.raises(MovieError, match=r"has 2 samples a pixel: choose one of 0 to 1"):
        planned("TYXS", (5, 6, 7, 2))
    assert planned("TYXS", (5, 6, 7, 2), channel=0).shape == (5, 6, 7)


def test_channels_that_are_colors_cannot_be_mapped_to_colors():
    assert planned("TCYXS", (5, 2, 6, 7, 3), channel=1).shape == (5, 6, 7, 3)
    with pytest.raises(MovieError, match=r"channel \(0, 1\) cannot map colors in .*, which has RGB channels: pass one"):
        planned("TCYXS", (5, 2, 6, 7, 3), channel=(0, 1))


def test_absurd_frames_are_refused_before_memory_is_taken():
    with pytest.raises(MovieError, match=r"frames of more than 268435456 pixels"):
        planned("TYX", (1, 2**20, 2**20))
