"""Packed masks: many of them in three flat arrays, and back."""

from __future__ import annotations

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra.numpy import arrays

from src_model.errors import MaskError
from src_model.masks import Rle
from src_model.masks.packing import PackedMasks, join_packed, pack_masks, unpack_masks

SHAPE = (4, 5)
masks = st.lists(st.one_of(arrays(bool, SHAPE), st.just(np.ones(SHAPE, bool)), st.just(np.zeros(SHAPE, bool))))


def pack(runs, first, middle):
    return PackedMasks(np.array(runs, np.uint32), np.array(first, np.uint32), np.array(middle, np.uint16))


@given(masks, masks)
def test_masks_come_back_as_they_were(first, second):
    encoded = [[Rle.encode(mask) for mask in part] for part in (first, second)]
    packed = join_packed([pack_masks(part) for part in encoded])
    unpacked = unpack_masks(packed, SHAPE)
    assert unpacked == encoded[0] + encoded[1]
    assert all(mask.counts.dtype == np.uint32 for mask in unpacked)


def test_unpacked_masks_cannot_be_changed():
    (mask,) = unpack_masks(pack_masks([Rle.encode(np.eye(3, dtype=bool))]), (3, 3))
    with pytest.raises(ValueError, match="read-only"):
        mask.counts[0] = 1


def test_long_runs_are_kept_whole():
    large = np.zeros((400, 400), bool)
    large[200:, 200:] = True
    wide = np.zeros((400, 400), bool)
    wide[0, 0] = wide[399, 0] = True
    encoded = [Rle.encode(large), Rle.encode(wide)]
    assert pack_masks(encoded[:1]).middle.dtype == np.uint16
    joined = join_packed([pack_masks([mask]) for mask in encoded])
    assert joined.middle.dtype == np.uint32
    assert unpack_masks(joined, (400, 400)) == encoded


def test_no_masks_pack_to_nothing():
    assert unpack_masks(pack_masks([]), SHAPE) == []
    assert unpack_masks(join_packed([]), SHAPE) == []


def test_masks_of_several_shapes_are_refused():
    with pytest.raises(MaskError, match="several shapes"):
        pack_masks([Rle.empty((2, 2)), Rle.empty((3, 3))])


@pytest.mark.parametrize(
    "packed",
    [
        pack([1], [19], []),
        pack([1], [21], []),
        pack([0], [20], []),
        pack([2], [20], []),
        pack([3], [5], []),
        pack([3], [5], [15]),
        pack([3], [5], [0]),
        pack([3], [5], [60_000]),
        pack([3, 1], [5], [3]),
        pack([2**32 - 1], [0], [1]),
        pack([4], [2**32 - 1], [1, 1]),
        PackedMasks(np.array([1.0]), np.array([20], np.uint32), np.array([], np.uint16)),
        PackedMasks(np.array([[1]], np.uint32), np.array([20], np.uint32), np.array([], np.uint16)),
    ],
)
def test_arrays_that_describe_no_masks_are_refused(packed):
    with pytest.raises(MaskError, match="packed masks"):
        unpack_masks(packed, SHAPE)
