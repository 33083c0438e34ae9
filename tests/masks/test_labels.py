from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from src_model.errors import MaskError
from src_model.masks import Masklet, Overlap, Rle, labels_at, labels_from_masks, masks_from_labels

LABELS = arrays(
    np.uint16, array_shapes(min_dims=2, max_dims=2, max_side=12), elements=st.sampled_from([0, 1, 2, 7, 300])
)


def row(*pixels: int) -> Rle:
    mask = np.zeros((1, 4), bool)
    mask[0, list(pixels)] = True
    return Rle.encode(mask)


@given(LABELS)
@settings(deadline=None)
def test_a_label_image_comes_back_from_its_masks(labels: np.ndarray) -> None:
    masks = masks_from_labels(labels)
    assert list(masks) == [n for n in np.unique(labels) if n]
    assert all(np.array_equal(mask.decode(), labels == n) for n, mask in masks.items())
    again = labels_from_masks(masks, labels.shape)
    assert again.dtype == np.uint16
    assert np.array_equal(again, labels)


@pytest.mark.parametrize(
    ("overlap", "expected"), [("first", [5, 5, 2, 9]), ("last", [5, 9, 9, 9]), ("score", [5, 2, 2, 9])]
)
def test_the_policy_says_who_gets_a_pixel_that_several_claim(overlap: Overlap, expected: list[int]) -> None:
    masks = {5: row(0, 1), 2: row(1, 2), 9: row(1, 2, 3)}
    scores = {5: 0.2, 2: 0.9, 9: 0.5}
    assert labels_from_masks(masks, (1, 4), overlap=overlap, scores=scores).tolist() == [expected]


def test_of_equal_scores_the_first_mask_wins() -> None:
    labels = labels_from_masks({5: row(0), 2: row(0)}, (1, 4), overlap="score", scores={2: 0.5, 5: 0.5})
    assert labels[0, 0] == 5


def test_bool_arrays_and_run_lengths_are_painted_alike() -> None:
    masks = {1: row(0).decode(), 2: row(3)}
    assert labels_from_masks(masks, (1, 4)).tolist() == [[1, 0, 0, 2]]


def test_without_masks_the_image_is_background() -> None:
    labels = labels_from_masks({}, (2, 3), np.int32)
    assert labels.dtype == np.int32
    assert not labels.any()
    assert labels_from_masks({1: Rle.empty((2, 3))}, (2, 3)).sum() == 0
    assert masks_from_labels(labels) == {}


def test_masklets_are_painted_on_the_frames_they_hold() -> None:
    first, second = Masklet(1, (1, 4)), Masklet(2, (1, 4))
    first.set(0, row(0, 1), score=0.9)
    second.set(0, row(1, 2), score=0.3)
    second.set(1, row(3), score=0.3)
    assert labels_at([first, second], 0, (1, 4)).tolist() == [[1, 2, 2, 0]]
    assert labels_at([first, second], 0, (1, 4), overlap="score").tolist() == [[1, 1, 2, 0]]
    assert labels_at([first, second], 1, (1, 4)).tolist() == [[0, 0, 0, 2]]
    assert not labels_at([first, second], 2, (1, 4)).any()


@pytest.mark.parametrize("object_id", [0, -1, 256])
def test_an_id_that_does_not_fit_the_image_is_refused(object_id: int) -> None:
    with pytest.raises(MaskError, match=f"{object_id} does not fit a uint8 .* 1 to 255"):
        labels_from_masks({object_id: row(0)}, (1, 4), np.uint8)


def test_a_mask_of_another_shape_is_refused() -> None:
    with pytest.raises(MaskError, match="object 3 has shape"):
        labels_from_masks({3: row(0)}, (4, 1))


def test_scores_a_known_policy_and_an_integer_type_are_needed() -> None:
    with pytest.raises(MaskError, match=r"missing for \[3\]"):
        labels_from_masks({1: row(0), 3: row(0)}, (1, 4), overlap="score", scores={1: 0.5})
    with pytest.raises(MaskError, match="'middle'"):
        labels_from_masks({1: row(0)}, (1, 4), overlap="middle")  # type: ignore[arg-type]
    with pytest.raises(MaskError, match="float64"):
        labels_from_masks({1: row(0)}, (1, 4), np.float64)


@pytest.mark.parametrize(
    "labels",
    [
        np.zeros((2, 3)),
        np.zeros((2, 3), bool),
        np.zeros((2, 2, 2), int),
        np.zeros((0, 3), int),
        [[1]],
        np.array([[-1, 0]]),
    ],
)
def test_what_is_no_label_image_is_refused(labels: np.ndarray) -> None:
    with pytest.raises(MaskError):
        masks_from_labels(labels)
