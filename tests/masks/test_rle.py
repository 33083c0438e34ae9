from __future__ import annotations

import copy
import pickle
import time
from dataclasses import FrozenInstanceError

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from src_model.errors import MaskError
from src_model.masks import MAX_PIXELS, Rle, as_array, as_rle

MASKS = arrays(bool, array_shapes(min_dims=2, max_dims=2, max_side=12))


@given(MASKS)
@settings(deadline=None)
def test_decoding_undoes_encoding(mask: np.ndarray) -> None:
    decoded = Rle.encode(mask).decode()
    assert decoded.dtype == np.bool_
    assert np.array_equal(decoded, mask)


@given(MASKS)
@settings(deadline=None)
def test_area_box_and_emptiness_are_those_of_the_pixels(mask: np.ndarray) -> None:
    rle = Rle.encode(mask)
    assert rle.area == mask.sum()
    assert rle.is_empty == (not mask.any())
    if rle.is_empty:
        assert rle.box is None
    else:
        rows, columns = np.nonzero(mask)
        assert rle.box == (rows.min(), columns.min(), rows.max() + 1, columns.max() + 1)


@given(MASKS)
@settings(deadline=None)
def test_runs_go_along_rows_and_only_the_first_may_have_no_length(mask: np.ndarray) -> None:
    rle = Rle.encode(mask)
    values = np.arange(rle.counts.size) % 2 == 1
    assert np.array_equal(np.repeat(values, rle.counts), mask.ravel())
    assert (rle.counts[1:] > 0).all()


@given(MASKS)
@settings(deadline=None)
def test_transposing_exchanges_rows_and_columns(mask: np.ndarray) -> None:
    assert np.array_equal(Rle.encode(mask).transpose().decode(), mask.T)


@given(MASKS)
@settings(deadline=None)
def test_runs_build_the_mask_again(mask: np.ndarray) -> None:
    rle = Rle.encode(mask)
    assert Rle.from_runs(mask.shape, *rle.runs()) == rle


@given(MASKS, st.data())
@settings(deadline=None)
def test_a_filled_box_is_the_mask_of_its_pixels(mask: np.ndarray, data: st.DataObject) -> None:
    y0, x0 = (data.draw(st.integers(0, side - 1)) for side in mask.shape)
    y1, x1 = (data.draw(st.integers(low + 1, side)) for low, side in zip((y0, x0), mask.shape, strict=True))
    filled = np.zeros_like(mask)
    filled[y0:y1, x0:x1] = True
    assert Rle.from_box((y0, x0, y1, x1), mask.shape) == Rle.encode(filled)


@given(MASKS, st.data())
@settings(deadline=None)
def test_a_crop_is_that_part_of_the_mask_and_can_be_put_back(mask: np.ndarray, data: st.DataObject) -> None:
    y0 = data.draw(st.integers(0, mask.shape[0] - 1))
    x0 = data.draw(st.integers(0, mask.shape[1] - 1))
    y1 = data.draw(st.integers(y0 + 1, mask.shape[0]))
    x1 = data.draw(st.integers(x0 + 1, mask.shape[1]))
    crop = Rle.encode(mask).crop((y0, x0, y1, x1))
    assert np.array_equal(crop, mask[y0:y1, x0:x1])
    alone = np.zeros_like(mask)
    alone[y0:y1, x0:x1] = crop
    assert Rle.from_crop(crop, (y0, x0), mask.shape) == Rle.encode(alone)


@pytest.mark.parametrize("order", ["F", "strided"])
def test_the_memory_layout_of_the_array_does_not_matter(order: str) -> None:
    mask = np.random.default_rng(0).random((20, 30)) < 0.5
    given_array = np.asfortranarray(mask) if order == "F" else np.repeat(mask, 2, axis=1)[:, ::2]
    assert Rle.encode(given_array) == Rle.encode(mask)


@given(MASKS, st.data())
@settings(deadline=None)
def test_masks_are_equal_by_value_however_their_runs_were_written(mask: np.ndarray, data: st.DataObject) -> None:
    rle = Rle.encode(mask)
    split: list[int] = []
    for count in rle.counts.tolist():
        part = data.draw(st.integers(0, count))
        split += [part, 0, count - part]
    other = Rle(mask.shape, split)
    assert other == rle
    assert hash(other) == hash(rle)
    assert np.array_equal(other.counts, rle.counts)


def test_masks_of_other_pixels_shape_or_kind_are_not_equal() -> None:
    rle = Rle((2, 3), [1, 2, 3])
    assert rle != Rle((2, 3), [2, 2, 2])
    assert rle != Rle((3, 2), [1, 2, 3])
    assert rle != "mask"


def test_a_mask_cannot_be_changed() -> None:
    counts = np.array([1, 2, 3], np.uint32)
    rle = Rle((2, 3), counts)
    counts[0] = 2
    assert rle == Rle((2, 3), [1, 2, 3])
    with pytest.raises(ValueError, match="read-only"):
        rle.counts[0] = 2
    with pytest.raises(FrozenInstanceError):
        rle.shape = (3, 2)  # type: ignore[misc]


def test_copies_and_pickles_are_equal_and_read_only_too() -> None:
    rle = Rle((2, 3), [1, 2, 3])
    for other in (pickle.loads(pickle.dumps(rle)), copy.deepcopy(rle), copy.copy(rle)):
        assert other == rle
        assert not other.counts.flags.writeable


def test_a_mask_says_what_it_is_in_one_line() -> None:
    assert repr(Rle((2, 3), [1, 2, 3])) == "Rle(shape=(2, 3), area=2, box=(0, 1, 1, 3))"


@pytest.mark.parametrize(
    ("counts", "complaint"),
    [
        ([1, 2, 4], "sum to 7"),
        ([1, 2], "sum to 3"),
        ([], "non-empty"),
        ([7, -1], "got -1"),
        ([2**63, 6], "whole numbers"),
        ([2**64 - 3, 2**64 - 3], "between 0 and 6"),
        ([2**70, 1], "whole numbers"),
        ([1.0, 5.0], "whole numbers"),
        ([True, False], "whole numbers"),
        ([[1, 2, 3]], "1-D"),
        ([[1], [2, 3]], "whole numbers"),
        ("123", "whole numbers"),
        (None, "whole numbers"),
        ({"a": 1}, "whole numbers"),
        ([np.nan, 6], "whole numbers"),
    ],
)
def test_counts_that_describe_no_mask_are_refused_with_the_reason(counts: object, complaint: str) -> None:
    with pytest.raises(MaskError, match=complaint):
        Rle((2, 3), counts)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "shape",
    [(0, 3), (-2, -3), (2,), (2, 3, 1), (2.0, 3.0), "23", None, 6, (2**31, 2**31), (MAX_PIXELS, 2), (10**30, 1)],
)
def test_a_shape_that_no_image_has_is_refused_before_memory_is_taken(shape: object) -> None:
    for build in (Rle.empty, lambda s: Rle(s, [6]), lambda s: Rle.from_crop(np.ones((1, 1), bool), (0, 0), s)):
        with pytest.raises(MaskError, match="shape"):
            build(shape)  # type: ignore[arg-type]


def test_overlapping_unordered_or_unpaired_runs_are_refused() -> None:
    for starts, stops in ([0, 1], [2, 3]), ([3, 0], [4, 1]), ([4], [7]), ([-1], [2]), ([0, 3], [1]):
        with pytest.raises(MaskError):
            Rle.from_runs((2, 3), np.array(starts), np.array(stops))


@pytest.mark.parametrize("box", [(0, 0, 3, 3), (-1, 0, 1, 1), (0, 2, 1, 4), (1, 1, 1, 2), (2, 0, 1, 3)])
def test_a_box_outside_the_image_or_of_no_pixel_is_refused(box: tuple[int, int, int, int]) -> None:
    with pytest.raises(MaskError, match="box"):
        Rle.empty((2, 3)).crop(box)
    with pytest.raises(MaskError, match="box"):
        Rle.from_box(box, (2, 3))


@pytest.mark.parametrize(
    "array", [np.zeros((2, 3), np.uint8), np.zeros((2, 3)), np.zeros((1, 2, 3), bool), [[True]], np.zeros((0, 3), bool)]
)
def test_only_two_dimensional_bool_arrays_with_pixels_are_encoded(array: np.ndarray) -> None:
    with pytest.raises(MaskError):
        Rle.encode(array)


def test_either_form_of_a_mask_can_be_asked_for() -> None:
    mask = np.eye(3, dtype=bool)
    rle = Rle.encode(mask)
    assert as_rle(rle) is rle
    assert as_rle(mask) == rle
    assert as_array(mask) is mask
    assert np.array_equal(as_array(rle), mask)


def test_a_large_mask_is_encoded_and_decoded_in_milliseconds() -> None:
    y, x = np.mgrid[:2048, :2048]
    mask = (y - 1000) ** 2 + (x - 1000) ** 2 < 800**2
    rle = Rle.encode(mask)

    def fastest(action: object) -> float:
        times = []
        for _ in range(5):
            start = time.perf_counter()
            action()  # type: ignore[operator]
            times.append(time.perf_counter() - start)
        return min(times)

    # Ten times what it takes, for slow and busy machines; a loop over runs in Python would need far longer.
    assert fastest(lambda: Rle.encode(mask)) < 0.02
    assert fastest(rle.decode) < 0.02
