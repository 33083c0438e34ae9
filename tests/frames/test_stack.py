"""Frames cut out of stacks: the right values, each block once a pass, memory flat."""

from __future__ import annotations

import threading
import tracemalloc

import dask.array as da
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from src_model.errors import FrameRangeError, MovieError
from src_model.frames import open_movie, stack


def frames_of(movie):
    return np.stack([movie.read(frame) for frame in range(len(movie))])


class CountedBlocks:
    """A dask movie that notes each block it computes."""

    def __init__(self, shape, chunks, dtype=np.uint16):
        self.computed = []
        self._lock = threading.Lock()

        def compute(block_info=None):
            location = block_info[None]["array-location"]
            with self._lock:
                self.computed.append(tuple(start for start, _ in location))
            sizes = [stop - start for start, stop in location]
            numbers = np.arange(*location[0]).reshape([-1] + [1] * (len(sizes) - 1))
            return np.broadcast_to(numbers, sizes).astype(dtype)

        self.array = da.map_blocks(
            compute,
            chunks=da.core.normalize_chunks(chunks, shape),
            dtype=dtype,
            meta=np.empty((0,) * len(shape), dtype),
        )
        self.computed.clear()


def test_gray_frames_are_the_arrays_own_values(gray):
    movie = open_movie(gray)
    assert movie.shape == (5, 6, 7)
    assert movie.dtype == np.uint16
    assert len(movie) == 5
    np.testing.assert_array_equal(frames_of(movie), gray)


def test_an_alpha_channel_is_dropped(color):
    with_alpha = np.concatenate([color, np.full_like(color[..., :1], 255)], axis=-1)
    np.testing.assert_array_equal(frames_of(open_movie(with_alpha)), color)


def test_one_color_can_be_chosen_or_colors_swapped(color):
    np.testing.assert_array_equal(frames_of(open_movie(color, channel=1)), color[..., 1])
    np.testing.assert_array_equal(frames_of(open_movie(color, channel=(2, 1, 0))), color[..., ::-1])


def test_a_frame_is_the_callers_own(gray):
    movie = open_movie(gray)
    image = movie.read(2)
    assert image.flags.writeable
    assert image.flags.c_contiguous
    image[:] = 0
    assert gray[2].any()
    assert movie.read(2).any()


def test_one_frame_is_a_movie():
    movie = open_movie(np.eye(8))
    assert movie.shape == (1, 8, 8)
    np.testing.assert_array_equal(movie.read(0), np.eye(8))


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int16", ">u2", "int32", "float16", ">f4", "float64"])
def test_values_keep_their_type_in_native_byte_order(dtype):
    values = np.arange(60).reshape(3, 4, 5).astype(dtype)
    movie = open_movie(values)
    assert movie.dtype == np.dtype(dtype).newbyteorder("=")
    assert movie.read(1).dtype.isnative
    np.testing.assert_array_equal(movie.read(1), values[1])


@pytest.mark.parametrize("dtype", ["complex64", "datetime64[s]", "U3"])
def test_other_types_are_an_error(dtype):
    with pytest.raises(MovieError, match=r"has values of type .*: expected bool, integers or floats"):
        open_movie(np.zeros((3, 4, 5), dtype))


def test_frames_of_changing_size_in_an_array_are_an_error():
    ragged = np.empty((2, 2, 2), dtype=object)
    with pytest.raises(MovieError, match=r"array of Python objects.*frames of changing size"):
        open_movie(ragged)


@pytest.mark.parametrize("frame", [-1, 5, 1000])
def test_a_frame_outside_the_movie_is_an_error_with_the_valid_range(gray, frame):
    with pytest.raises(FrameRangeError, match=rf"frame {frame} is outside the movie 'cells': frames are 0 to 4"):
        open_movie(gray, name="cells").read(frame)


@given(st.permutations("TCZYX"), st.integers(0, 1), st.sampled_from([0, 1, 2, "max", "mean"]))
def test_channel_and_plane_are_found_whatever_the_order_of_axes(order, channel, plane):
    values = np.arange(4 * 2 * 3 * 6 * 7).reshape(4, 2, 3, 6, 7).astype(np.int32)
    shuffled = values.transpose(["TCZYX".index(letter) for letter in order])
    movie = open_movie(shuffled, axes="".join(order), channel=channel, plane=plane)
    chosen = values[:, channel]
    expected = getattr(chosen, plane)(axis=1) if isinstance(plane, str) else chosen[:, plane]
    np.testing.assert_array_equal(frames_of(movie), expected)


def test_channels_become_red_green_and_blue_and_the_missing_one_is_black(hyperstack):
    movie = open_movie(hyperstack, axes="TCZYX", channel=(1, None, 0), plane=2)
    assert movie.composite
    frame = movie.read(3)
    np.testing.assert_array_equal(frame[..., 0], hyperstack[3, 1, 2])
    assert not frame[..., 1].any()
    np.testing.assert_array_equal(frame[..., 2], hyperstack[3, 0, 2])


def test_two_channels_leave_blue_black_and_one_may_be_used_twice(hyperstack):
    frame = open_movie(hyperstack, axes="TCZYX", channel=(1, 1), plane="max").read(0)
    np.testing.assert_array_equal(frame[..., 0], frame[..., 1])
    assert not frame[..., 2].any()


def test_planes_of_color_images_are_projected_color_by_color():
    values = np.random.default_rng(0).integers(0, 255, (2, 3, 6, 7, 3), dtype=np.uint8)
    np.testing.assert_array_equal(frames_of(open_movie(values, plane="max")), values.max(axis=1))


def test_projections_leave_nan_out():
    values = np.ones((1, 2, 3, 3), np.float32)
    values[0, 0] = np.nan
    values[0, :, 1, 1] = np.nan
    for plane in ("max", "mean"):
        image = open_movie(values, plane=plane).read(0)
        assert np.isnan(image[1, 1])
        assert np.nansum(image) == 8


def test_projections_of_masks():
    values = np.zeros((1, 2, 3, 3), bool)
    values[0, 1, 0] = True
    assert open_movie(values, plane="max").read(0).sum() == 3
    assert open_movie(values, plane="mean").read(0)[0, 0] == 0.5


@pytest.mark.parametrize("backwards", [False, True])
def test_a_pass_over_a_dask_movie_computes_each_block_once(backwards):
    counted = CountedBlocks((40, 8, 9), (7, 8, 5))
    movie = open_movie(counted.array)
    assert counted.computed == []
    for frame in reversed(range(40)) if backwards else range(40):
        assert (movie.read(frame) == frame).all()
    assert len(counted.computed) == len(set(counted.computed)) == 6 * 2


def test_projecting_a_dask_movie_computes_each_block_once():
    counted = CountedBlocks((6, 5, 8, 9), (2, 2, 8, 9))
    movie = open_movie(counted.array, plane="max")
    assert [int(movie.read(frame).max()) for frame in range(6)] == list(range(6))
    assert len(counted.computed) == len(set(counted.computed)) == 9


def test_only_the_chosen_plane_and_channel_are_computed():
    counted = CountedBlocks((2, 4, 5, 8, 9), (1, 1, 1, 8, 9))
    open_movie(counted.array, axes="TCZYX", channel=3, plane=1).read(1)
    assert counted.computed == [(1, 3, 1, 0, 0)]


def test_a_block_too_large_to_keep_is_read_in_parts(monkeypatch):
    monkeypatch.setattr(stack, "SLAB_BYTES", 3 * 8 * 9 * 2)
    counted = CountedBlocks((20, 8, 9), (10, 8, 9))
    movie = open_movie(counted.array)
    assert [int(movie.read(frame).max()) for frame in range(20)] == list(range(20))
    assert len(counted.computed) == 8


def test_ten_thousand_frames_take_no_more_memory_than_a_few():
    counted = CountedBlocks((10_000, 64, 64), (50, 64, 64))
    movie = open_movie(counted.array)
    movie.read(0)
    tracemalloc.start()
    for frame in range(10_000):
        movie.read(frame)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(counted.computed) == 200
    assert peak < 4 * 50 * 64 * 64 * 2 + 2**21


def test_data_that_changes_its_shape_after_opening_is_an_error(gray):
    class Shrinking:
        shape, dtype = gray.shape, gray.dtype

        def __getitem__(self, index):
            return gray[index][..., :-1]

    with pytest.raises(MovieError, match=r"has the data changed|cannot be read"):
        open_movie(Shrinking()).read(0)


def test_an_error_from_the_storage_names_the_frame_and_the_movie(gray):
    class Broken:
        shape, dtype = gray.shape, gray.dtype

        def __getitem__(self, index):
            raise OSError("disk on fire")

    with pytest.raises(MovieError, match=r"frame 3 of movie 'cells' cannot be read \(OSError: disk on fire\)"):
        open_movie(Broken(), name="cells").read(3)
