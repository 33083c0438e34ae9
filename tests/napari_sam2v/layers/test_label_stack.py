from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_sam2v.layers import label_stack
from napari_sam2v.layers.label_stack import LabelStack
from src_model.errors import MovieError

SHAPE = (5, 6, 7)


class Random:
    """A document of random labels."""

    dtype = np.dtype(np.uint16)

    def __init__(self, frames=5):
        self.images = np.random.default_rng(1).integers(0, 4, (frames, 6, 7)).astype(np.uint16)
        self.decoded = []

    def labels(self, frame):
        self.decoded.append(frame)
        return self.images[frame]


class Axes:
    """As much of a geometry as the stack needs."""

    def __init__(self, lengths=SHAPE, time_axis=0, fixed=None):
        self.lengths, self.time_axis, self.fixed = lengths, time_axis, fixed or {}


def entry(length):
    number = st.integers(-length, length - 1)
    bound = st.none() | st.integers(-length - 1, length + 1)
    return number | st.builds(slice, bound, bound, st.sampled_from([None, 1, 2, -1]))


@given(st.tuples(*(entry(length) for length in SHAPE)))
def test_slices_and_numbers_read_as_an_array_does(key):
    document = Random()
    np.testing.assert_array_equal(LabelStack(Axes(), document)[key], document.images[key])


@given(st.tuples(*(entry(length) for length in SHAPE)), st.integers(1, 9))
def test_slices_and_numbers_write_as_an_array_does(key, value):
    document = Random()
    stack, array = LabelStack(Axes(), document), document.images.copy()
    stack[key] = value
    array[key] = value
    np.testing.assert_array_equal(np.asarray(stack), array)


@pytest.mark.parametrize("key", [2, (2,), ..., (..., 3), (1, ...), (slice(1, 3), ..., 2), (1, ..., 2, 3)])
def test_short_indices_read_as_an_array_does(key):
    document = Random()
    np.testing.assert_array_equal(LabelStack(Axes(), document)[key], document.images[key])


def test_arrays_of_numbers_read_and_write_pixels():
    document = Random()
    stack, array = LabelStack(Axes(), document), document.images.copy()
    key = (np.array([0, 4, 0]), np.array([1, 2, 3]), np.array([5, 6, -1]))
    np.testing.assert_array_equal(stack[key], array[key])
    stack[key] = array[key] = [7, 8, 9]
    np.testing.assert_array_equal(np.asarray(stack), array)


@pytest.mark.parametrize(
    "key", [(0, 1, 2, 3), (slice(None), np.array([1]), 0), (np.zeros(3, bool), 0, 0), (..., ..., 0)]
)
def test_indices_that_napari_does_not_use_are_refused(key):
    with pytest.raises(IndexError):
        LabelStack(Axes(), Random())[key]


def test_what_was_read_is_a_copy():
    document = Random()
    stack = LabelStack(Axes(), document)
    stack[0][:] = 99
    assert (stack[0] == document.images[0]).all()
    assert not stack.strokes


def test_only_frames_that_are_looked_at_are_decoded_and_few_are_kept():
    document = Random(100)
    stack = LabelStack(Axes((100, 6, 7)), document, cache_bytes=3 * 6 * 7 * 2)
    for frame in (0, 1, 2, 0, 1, 2, 3, 0):
        stack[frame]
    assert document.decoded == [0, 1, 2, 3, 0]
    stack.forget([3])
    stack[3], stack[0]
    assert document.decoded == [0, 1, 2, 3, 0, 3]
    stack.forget()
    stack[0]
    assert document.decoded[-1] == 0


def test_strokes_hold_what_was_before_until_they_are_taken():
    document = Random()
    writes = []
    stack = LabelStack(Axes(), document, lambda: writes.append(1))
    stack[3, 1:3, 1:3] = 9
    stack[3, 0, 0] = 8
    stack.forget()
    assert len(writes) == 2
    assert stack[3, 1, 1] == 9
    (stroke,) = stack.take_strokes().values()
    assert (stroke.before == document.images[3]).all()
    assert stroke.after[0, 0] == 8
    assert not stack.strokes
    assert (stack[3] == document.images[3]).all()


def test_all_channels_show_the_same_frame_and_can_be_painted_on():
    document = Random()
    stack = LabelStack(Axes((2, 5, 6, 7), time_axis=1), document)
    np.testing.assert_array_equal(np.asarray(stack), np.stack([document.images] * 2))
    stack[1:2, 3:4, 2:3, 2:3] = np.full((1, 1, 1, 1), 9)
    assert stack[0, 3, 2, 2] == 9
    key = tuple(np.array([n]) for n in (0, 3, 4, 4))
    stack[key] = 7
    assert stack[1, 3, 4, 4] == 7


def test_planes_that_are_not_annotated_are_empty_and_stay_so():
    document = Random()
    stack = LabelStack(Axes((5, 3, 6, 7), fixed={1: 2}), document)
    assert not stack[:, :2].any()
    assert (stack[4, 2] == document.images[4]).all()
    stack[4, 0, 1, 1] = 9
    stack[tuple(np.array([n]) for n in (4, 1, 1, 1))] = 9
    assert not stack.strokes
    stack[4, :, 1, 1] = [7, 8, 9]
    assert stack[4, :, 1, 1].tolist() == [0, 0, 9]


def test_a_single_image_is_a_stack_without_time():
    document = Random(1)
    stack = LabelStack(Axes((6, 7), time_axis=None), document)
    assert (stack.ndim, stack.size, len(stack)) == (2, 42, 6)
    assert (np.asarray(stack) == document.images[0]).all()
    assert stack[2, 3] == document.images[0, 2, 3]


def test_a_whole_long_movie_is_refused_before_memory_is_taken(monkeypatch):
    monkeypatch.setattr(label_stack, "MOST_BYTES", 1000)
    document = Random(100)
    with pytest.raises(MovieError, match="2-D"):
        LabelStack(Axes((100, 6, 7)), document)[:]
    assert not document.decoded
