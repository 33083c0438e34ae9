from __future__ import annotations

import contextlib
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from src_model.errors import MaskError
from src_model.masks import Rle
from src_model.masks.coco import counts_from_string, counts_to_string

MASKS = arrays(bool, array_shapes(min_dims=2, max_dims=2, max_side=40))
RUNS = st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=30)


@given(RUNS)
@settings(deadline=None)
def test_any_32_bit_runs_come_back_from_their_text(runs: list[int]) -> None:
    assert counts_from_string(counts_to_string(np.array(runs))).tolist() == runs


def test_the_text_of_a_known_mask_is_the_known_text() -> None:
    mask = np.zeros((3, 3), bool)
    mask[1, 1] = True
    assert Rle.encode(mask).to_coco() == {"size": [3, 3], "counts": "414"}


@given(MASKS)
@settings(deadline=None)
def test_masks_come_back_from_coco_by_way_of_json(mask: np.ndarray) -> None:
    rle = Rle.encode(mask)
    assert Rle.from_coco(json.loads(json.dumps(rle.to_coco()))) == rle


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # pycocotools under NumPy 2
@given(MASKS)
@settings(deadline=None)
def test_pycocotools_writes_the_same_text_and_reads_ours(mask: np.ndarray) -> None:
    reference = pytest.importorskip("pycocotools.mask", reason="pycocotools is not installed")
    theirs = reference.encode(np.asfortranarray(mask.astype(np.uint8)))
    ours = Rle.encode(mask).to_coco()
    assert ours["counts"] == theirs["counts"].decode()
    assert np.array_equal(reference.decode(ours), mask)
    assert np.array_equal(Rle.from_coco(theirs).decode(), mask)


def test_pycocotools_agrees_on_an_image_of_real_size() -> None:
    reference = pytest.importorskip("pycocotools.mask", reason="pycocotools is not installed")
    mask = np.random.default_rng(0).random((480, 854)) < 0.3
    mask[100:300, 200:500] = True
    assert (
        Rle.encode(mask).to_coco()["counts"]
        == reference.encode(np.asfortranarray(mask.astype(np.uint8)))["counts"].decode()
    )


def test_uncompressed_coco_counts_run_down_the_columns() -> None:
    rle = Rle.from_coco({"size": [2, 3], "counts": [1, 2, 3]})
    assert rle.decode().tolist() == [[False, True, False], [True, False, False]]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "empty"),
        ("4 4", "' ' at 1"),
        ("4\u00fc4", "at 1"),
        (b"4\xff", "at 1"),
        ("P", "cut off"),
        ("P" * 7 + "0", "8 characters"),
        ("P" * 100_000, "cut off"),
    ],
)
def test_damaged_text_is_refused_with_the_reason(text: str | bytes, complaint: str) -> None:
    with pytest.raises(MaskError, match=complaint):
        counts_from_string(text)


@pytest.mark.parametrize(
    "coco",
    [
        {},
        {"size": [3, 3]},
        {"counts": "414"},
        {"size": [3, 4], "counts": "414"},
        {"size": None, "counts": "414"},
        {"size": [3, 3], "counts": None},
        {"size": [3, 3], "counts": [4, -1, 6]},
        {"size": [3, 3], "counts": "O9"},
        {"size": [2**40, 2**40], "counts": "414"},
    ],
)
def test_a_coco_entry_that_describes_no_mask_is_refused(coco: dict[str, object]) -> None:
    with pytest.raises(MaskError):
        Rle.from_coco(coco)


@given(st.text(max_size=30) | st.binary(max_size=30))
@settings(deadline=None)
def test_arbitrary_text_gives_numbers_or_a_mask_error(text: str | bytes) -> None:
    with contextlib.suppress(MaskError):
        assert counts_from_string(text).dtype == np.int64
