from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from src_model.errors import MaskError
from src_model.masks import (
    Rle,
    box_iou,
    centroid,
    intersection_area,
    mask_box,
    mask_iou,
    moved_iou,
    pairwise_box_iou,
    pairwise_containment,
    pairwise_mask_iou,
)
from src_model.masks.geometry import deepest_point

MASKS = arrays(bool, array_shapes(min_dims=2, max_dims=2, max_side=12))
STACKS = arrays(bool, st.tuples(st.integers(1, 6), st.just(7), st.just(9)))
COORDINATES = st.integers(-20, 20)
BOXES = st.tuples(COORDINATES, COORDINATES, COORDINATES, COORDINATES)


def iou_of_pixels(a: np.ndarray, b: np.ndarray) -> float:
    union = np.count_nonzero(a | b)
    return np.count_nonzero(a & b) / union if union else 1.0


@given(MASKS)
@settings(deadline=None)
def test_the_box_is_the_same_for_arrays_and_run_lengths(mask: np.ndarray) -> None:
    assert mask_box(mask) == mask_box(Rle.encode(mask)) == Rle.encode(mask).box


def test_the_box_of_one_pixel_excludes_its_end() -> None:
    mask = np.zeros((5, 6), bool)
    assert mask_box(mask) is None
    mask[2, 3] = True
    assert mask_box(mask) == (2, 3, 3, 4)


@given(MASKS)
@settings(deadline=None)
def test_the_centroid_is_the_mean_of_the_pixel_indices(mask: np.ndarray) -> None:
    for form in (mask, Rle.encode(mask)):
        found = centroid(form)
        if not mask.any():
            assert found is None
        else:
            assert found == pytest.approx(np.argwhere(mask).mean(axis=0))


@given(STACKS, STACKS)
@settings(deadline=None)
def test_iou_on_run_lengths_is_the_iou_of_the_pixels(a: np.ndarray, b: np.ndarray) -> None:
    expected = np.array([[iou_of_pixels(first, second) for second in b] for first in a])
    encoded = pairwise_mask_iou([Rle.encode(mask) for mask in a], [Rle.encode(mask) for mask in b])
    assert np.array_equal(encoded, expected)
    assert np.array_equal(pairwise_mask_iou(list(a), list(b)), expected)
    assert mask_iou(a[0], Rle.encode(b[0])) == expected[0, 0]
    assert intersection_area(a[0], b[0]) == np.count_nonzero(a[0] & b[0])


@given(STACKS)
@settings(deadline=None)
def test_iou_is_symmetric_and_one_with_itself(stack: np.ndarray) -> None:
    iou = pairwise_mask_iou(list(stack))
    assert np.array_equal(iou, iou.T)
    assert (np.diag(iou) == 1).all()


def test_two_empty_masks_agree_and_an_empty_one_shares_nothing() -> None:
    empty, full = Rle.empty((3, 4)), Rle((3, 4), [0, 12])
    assert mask_iou(empty, empty) == 1
    assert mask_iou(empty, full) == 0
    assert intersection_area(empty, full) == 0


def test_no_masks_give_an_empty_table() -> None:
    assert pairwise_mask_iou([], [Rle.empty((3, 4))]).shape == (0, 1)
    assert pairwise_mask_iou([]).shape == (0, 0)


def test_containment_is_1_for_a_part_and_its_whole_and_0_for_an_empty_mask():
    whole, part, beside = (Rle.from_box(box, (20, 20)) for box in ((0, 0, 10, 10), (2, 2, 4, 4), (8, 8, 12, 12)))
    shares = pairwise_containment([whole, part], [whole, beside, Rle.empty((20, 20))])
    assert shares.tolist() == [[1, 4 / 16, 0], [1, 0, 0]]
    assert pairwise_containment([whole], []).shape == (1, 0)
    with pytest.raises(MaskError, match="different shapes"):
        pairwise_containment([whole], [Rle.empty((3, 4))])


def test_overlap_is_exact_in_the_largest_images() -> None:
    shape = (2**15, 2**15)
    a, b = Rle(shape, [1, 2**30 - 2, 1]), Rle(shape, [0, 2**30 - 1, 1])
    assert intersection_area(a, b) == 2**30 - 2


def test_masks_of_different_shapes_are_not_compared() -> None:
    for compare in (mask_iou, intersection_area):
        with pytest.raises(MaskError, match=r"\(3, 4\) and \(4, 3\)"):
            compare(Rle.empty((4, 3)), Rle.empty((3, 4)))


@given(BOXES, BOXES)
@settings(deadline=None)
def test_box_iou_is_the_iou_of_the_filled_boxes(a: tuple[int, ...], b: tuple[int, ...]) -> None:
    drawn = np.zeros((2, 40, 40), bool)
    for image, (y0, x0, y1, x1) in zip(drawn, (a, b), strict=True):
        image[y0 + 20 : y1 + 20, x0 + 20 : x1 + 20] = True
    expected = iou_of_pixels(*drawn) if drawn.any() else 0.0
    assert box_iou(a, b) == pytest.approx(expected)
    assert box_iou(a, b) == box_iou(b, a)


def test_boxes_may_have_fractions_of_pixels() -> None:
    assert box_iou((0, 0, 1, 1), (0, 0.5, 1, 1.5)) == pytest.approx(1 / 3)


def test_every_box_is_compared_with_every_other() -> None:
    table = pairwise_box_iou([(0, 0, 2, 2), (5, 5, 6, 6)], [(0, 0, 2, 2), (0, 0, 2, 1), (9, 9, 9, 9)])
    assert table.tolist() == [[1, 0.5, 0], [0, 0, 0]]
    assert pairwise_box_iou([], [(0, 0, 1, 1)]).shape == (0, 1)


@pytest.mark.parametrize(
    "boxes", [(0, 0, 1, 1), [(0, 0, 1)], [(0, 0, 1, np.nan)], [(0, 0, 1, np.inf)], "box", [[], [1]]]
)
def test_what_is_no_list_of_boxes_is_refused(boxes: object) -> None:
    with pytest.raises(MaskError, match="boxes must be"):
        pairwise_box_iou(boxes, [(0, 0, 1, 1)])  # type: ignore[arg-type]


def test_two_masks_are_compared_after_one_was_moved() -> None:
    image = np.zeros((12, 20), bool)
    first, second = image.copy(), image.copy()
    first[2:6, 3:8] = True
    second[5:9, 10:14] = True
    assert moved_iou(Rle.encode(first), Rle.encode(second), (3, 7)) == 16 / 20
    assert moved_iou(Rle.encode(first), Rle.encode(second), (0, 0)) == 0
    assert moved_iou(Rle.encode(first), Rle.encode(second), (-6, 0)) == 0  # it leaves the frame


def test_the_deepest_point_is_the_middle_of_a_square():
    mask = np.zeros((20, 30), bool)
    mask[4:11, 10:17] = True
    assert deepest_point(mask) == (7, 13)


def test_the_border_of_the_image_counts_as_an_edge():
    assert deepest_point(np.ones((5, 7), bool)) == (2, 2)
    assert deepest_point(np.ones((5, 5), bool)) == (2, 2)
