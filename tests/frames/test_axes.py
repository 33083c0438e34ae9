"""Which axis is which, with and without being told."""

from __future__ import annotations

import pytest

from src_model.errors import MovieError
from src_model.frames.axes import name_axes


def named(shape, axes=None, recorded=None, channel=None, plane=None):
    return name_axes(axes, recorded, shape, channel=channel, plane=plane, name="m")


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((64, 64), "YX"),
        ((10, 64, 64), "TYX"),
        ((3, 64, 64), "TYX"),
        ((64, 64, 3), "YXS"),
        ((10, 64, 64, 3), "TYXS"),
        ((10, 64, 64, 4), "TYXS"),
        ((10, 5, 64, 64, 3), "TZYXS"),
        ((10, 1, 64, 64), "TCYX"),
        ((10, 1, 1, 64, 64), "TCZYX"),
    ],
)
def test_usual_shapes_need_no_axes(shape, expected):
    assert named(shape) == expected


@pytest.mark.parametrize("shape", [(10, 4, 3), (2, 2, 4), (4, 3, 3)])
def test_a_tiny_gray_movie_is_not_taken_for_a_picture_in_color(shape):
    assert named(shape) == "TYX"


def test_choosing_a_channel_or_a_plane_tells_what_the_second_axis_is():
    assert named((10, 5, 64, 64), channel=1) == "TCYX"
    assert named((10, 5, 64, 64), plane="max") == "TZYX"


def test_few_entries_are_channels_and_many_are_planes_where_both_were_chosen():
    assert named((10, 2, 30, 64, 64), channel=0, plane=1) == "TCZYX"
    assert named((10, 30, 2, 64, 64), channel=0, plane=1) == "TZCYX"


def test_an_axis_of_length_one_leaves_only_one_reading():
    assert named((10, 1, 30, 64, 64), plane="max") == "TCZYX"
    assert named((10, 30, 1, 64, 64), plane="max") == "TZCYX"


@pytest.mark.parametrize(
    ("shape", "options", "readings"),
    [
        ((10, 5, 64, 64), {}, "'TCYX' or 'TZYX'"),
        ((10, 5, 64, 64), {"channel": 0, "plane": 0}, "'TCYX' or 'TZYX'"),
        ((10, 2, 3, 64, 64), {"channel": 0, "plane": 0}, "'TCZYX' or 'TZCYX'"),
        ((1, 2, 3, 4, 64, 64), {}, "no usual order of axes"),
    ],
)
def test_an_ambiguous_shape_is_an_error_that_names_the_readings(shape, options, readings):
    with pytest.raises(MovieError, match=r"ambiguous") as caught:
        named(shape, **options)
    assert readings in str(caught.value)
    assert "--axes TCYX; in Python axes=" in str(caught.value)


def test_what_the_user_says_wins_over_what_the_file_says():
    assert named((10, 64, 64), axes="tyx", recorded="ZYX") == "TYX"


@pytest.mark.parametrize(
    ("axes", "message"),
    [
        ("TQYX", r"unknown letters \['Q'\]"),
        ("TTYX", "no axis twice"),
        ("TCZX", "must name Y and X"),
        ("TYX", r"names 3 axes, but its shape \(4, 2, 8, 8\) has 4"),
    ],
)
def test_axes_that_do_not_fit_are_an_error(axes, message):
    with pytest.raises(MovieError, match=message):
        named((4, 2, 8, 8), axes=axes)


@pytest.mark.parametrize("recorded", ["IYX", "QYX", "TYX", "ZYX", "CYX"])
def test_the_only_sequence_in_a_file_is_time_whatever_it_is_called(recorded):
    assert named((10, 64, 64), recorded=recorded) == "TYX"


def test_a_volume_stays_a_volume_where_a_plane_is_chosen():
    assert named((10, 64, 64), recorded="ZYX", plane="max") == "ZYX"


def test_a_few_channels_without_time_are_channels():
    assert named((3, 64, 64), recorded="CYX") == "CYX"


def test_last_channels_are_colors():
    assert named((10, 64, 64, 3), axes="TYXC") == "TYXS"
    assert named((10, 64, 64, 2), axes="TYXC") == "TYXC"


@pytest.mark.parametrize(
    ("recorded", "message"),
    [("QIYX", "in several ways"), ("TIYX", "in several ways"), ("YX", "does not fit"), ("TZCQ", "does not fit")],
)
def test_what_a_file_says_may_be_of_no_use(recorded, message):
    with pytest.raises(MovieError, match=rf"axes are '{recorded}', which .*{message}.*--axes T"):
        named((10, 5, 64, 64), recorded=recorded)


@pytest.mark.parametrize("shape", [(0, 64, 64), (10, 0, 64), (0, 64, 64, 3)])
def test_an_empty_movie_is_an_error(shape):
    with pytest.raises(MovieError, match=r"'m' is empty, its shape is \(.*\): expected at least one frame"):
        named(shape)


def test_a_row_of_numbers_is_no_movie():
    with pytest.raises(MovieError, match=r"shape \(7,\): expected at least the axes Y and X"):
        named((7,))


def test_unknown_lengths_are_an_error_that_says_what_to_call():
    with pytest.raises(MovieError, match=r"compute_chunk_sizes"):
        named((float("nan"), 64, 64))
