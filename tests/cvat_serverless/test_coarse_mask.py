"""Coarse masks: masks of a few bytes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cvat_serverless.coarse_mask import CoarseMask, aligned_iou
from src_model.errors import RequestError
from src_model.masks import Rle, mask_iou
from tests.cvat_serverless.asking import through_json

IMAGE = (120, 160)
Y, X = np.mgrid[:120, :160]


def disk(radius: float, y: float = 60, x: float = 80) -> Rle:
    return Rle.encode(np.hypot(Y - y, X - x) < radius)


@given(arrays(bool, (20, 24), elements=st.booleans()).filter(lambda mask: mask.any()))
def test_a_small_mask_is_kept_to_the_pixel(mask):
    rle = Rle.encode(mask)
    assert CoarseMask.of(rle).mask(rle.shape) == rle


@pytest.mark.parametrize("mask", [disk(55), disk(30), Rle.encode(np.abs(Y - X) < 12)], ids=["large", "medium", "band"])
def test_a_large_mask_is_kept_closely_in_72_bytes(mask):
    coarse = CoarseMask.of(mask)
    assert len(coarse.bits) <= 72
    assert mask_iou(coarse.mask(IMAGE), mask) > 0.88


def test_a_line_that_fills_no_cell_is_kept_all_the_same():
    line = Rle.encode(Y == X)
    assert not CoarseMask.of(line).mask(IMAGE).is_empty
    assert CoarseMask.of(line).mask(IMAGE).box == line.box


def test_an_empty_mask_has_none():
    assert CoarseMask.of(Rle.empty(IMAGE)) is None


def test_it_tells_how_much_the_mask_had_changed():
    first = CoarseMask.of(disk(10))
    assert first.stability is None
    assert CoarseMask.of(disk(10), first).stability == 1
    grown = CoarseMask.of(disk(14, x=20), first).stability
    assert grown == pytest.approx(mask_iou(disk(10), disk(14)), abs=0.01)


def test_masks_are_alike_where_they_are_or_with_their_centroids_together():
    assert aligned_iou(disk(10), disk(10, x=20)) == 1
    lopsided = Rle.encode(disk(20).decode() | disk(5, x=150).decode())
    assert aligned_iou(lopsided, disk(20)) == mask_iou(lopsided, disk(20))
    assert aligned_iou(disk(10), Rle.empty(IMAGE)) == 0
    assert aligned_iou(disk(10, x=2), disk(3, y=118)) > 0


@pytest.mark.parametrize("before", [None, disk(28)])
def test_it_is_read_as_it_was_written(before):
    written = CoarseMask.of(disk(30), before and CoarseMask.of(before))
    assert CoarseMask.from_json(*through_json(written.to_json()), IMAGE) == written


@pytest.mark.parametrize(
    ("numbers", "text"),
    [
        ([0, 0, 9, 9, 9, 9], "AAAA"),
        ([0, 0, 9, 9, 25, 25, -1], "A" * 104),
        ([0, 0, 9, 9, 0, 9, -1], ""),
        ([0, 0, 9, 9, 4, 4, -1], "AAAA"),
        ([0, 0, 9, 9, 4, 4, 101], "AAA="),
        ([0, 0, 121, 9, 4, 4, 50], "AAA="),
        ([9, 0, 9, 9, 4, 4, 50], "AAA="),
        ([-1, 0, 9, 9, 4, 4, 50], "AAA="),
        ([0, 0, 9, 9, 4, 4, 50], "%%%%"),
    ],
)
def test_what_does_not_fit_is_refused(numbers, text):
    with pytest.raises(RequestError, match="coarse mask"):
        CoarseMask.from_json(numbers, text, IMAGE)
