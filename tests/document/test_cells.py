"""What masks look like in a document's database."""

from __future__ import annotations

import hypothesis.extra.numpy as arrays
import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from src_model.document.cells import EMPTY_MASK_BYTES, packed_mask, unpacked_mask
from src_model.errors import Sam2vError
from src_model.masks import Rle
from tests.document.sample import NOWHERE, SHAPE

shapes = st.tuples(st.integers(1, 40), st.integers(1, 300))


@given(shapes.flatmap(lambda shape: arrays.arrays(bool, shape)))
def test_any_mask_comes_back(mask):
    rle = Rle.encode(mask)
    assert unpacked_mask(packed_mask(rle), rle.shape) == rle


@given(st.integers(0, 60), st.integers(0, 60), st.floats(0.5, 30))
def test_a_round_mask_comes_back_and_takes_two_bytes_a_row(y, x, radius):
    rows, columns = np.ogrid[:64, :1000]
    rle = Rle.encode((rows - y) ** 2 + (columns - x) ** 2 < radius**2)
    packed = packed_mask(rle)
    assert unpacked_mask(packed, rle.shape) == rle
    assert len(packed) <= 9 + 2 * 64


def test_an_empty_mask_is_one_byte():
    assert len(packed_mask(NOWHERE)) == EMPTY_MASK_BYTES
    assert unpacked_mask(packed_mask(NOWHERE), SHAPE) == NOWHERE


@given(st.binary(max_size=60))
def test_bytes_that_are_no_mask_are_refused(packed):
    try:
        mask = unpacked_mask(packed, SHAPE)
    except Sam2vError:
        return
    assert mask.shape == SHAPE


@pytest.mark.parametrize("packed", [b"", b"\x00\x00", b"\x01", b"\x01" + bytes(9), b"\x03\x00", b"\x04\x00", b"\x09"])
def test_damaged_masks_are_refused(packed):
    with pytest.raises(Sam2vError):
        unpacked_mask(packed, SHAPE)
