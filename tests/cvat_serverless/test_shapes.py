"""CVAT's shapes: what they cover, what masks become, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cvat_serverless.shapes import Shape, make_shape, shape_of
from src_model.errors import RequestError
from src_model.masks import Rle, mask_iou

IMAGE = (40, 52)


def disk(radius: float, centre: tuple[int, int] = (20, 25), shape: tuple[int, int] = IMAGE) -> np.ndarray:
    y, x = np.mgrid[: shape[0], : shape[1]]
    return np.hypot(y - centre[0], x - centre[1]) <= radius


def test_a_rectangle_covers_its_pixels():
    shape = make_shape("rectangle", [5, 10, 25, 30], IMAGE)
    assert shape.box == (10, 5, 30, 25)
    assert shape.mask(IMAGE).area == 400


@pytest.mark.parametrize(
    ("points", "expected"),
    [
        ([-0.4, 3, 20, 40.3], (0, 3, 20, 40)),
        ([25, 30, 5, 10], (5, 10, 25, 30)),
        ([51.9, 39.9, 60, 60], (51, 39, 52, 40)),
        ([10.2, 10.2, 10.4, 20], (9.8, 10.2, 10.8, 20)),
        ([0, 0, 0.2, 0.2], (0, 0, 1, 1)),
    ],
)
def test_rectangles_are_clamped_and_at_least_one_pixel_large(points, expected):
    assert make_shape("rectangle", points, IMAGE).points == pytest.approx(expected)


@given(st.lists(st.floats(-100, 100), min_size=4, max_size=4))
def test_a_rectangle_lies_in_the_image_or_is_refused(points):
    try:
        x0, y0, x1, y1 = make_shape("rectangle", points, IMAGE).points
    except RequestError:
        return
    assert 0 <= x0 <= x1 - 0.999 <= 52
    assert 0 <= y0 <= y1 - 0.999 <= 40
    assert x1 <= 52
    assert y1 <= 40


@pytest.mark.parametrize(
    ("kind", "points", "words"),
    [
        ("rectangle", [1, 2, 3], "4 points"),
        ("rectangle", [5, 5, 5, 9], "no area"),
        ("rectangle", [60, 5, 70, 9], "outside"),
        ("rectangle", [float("nan"), 5, 70, 9], "finite"),
        ("rectangle", [5, 5, float("inf"), 9], "finite"),
        ("rectangle", [5, 5, 1e9, 9], "finite"),
        ("polygon", [1, 1, 5, 5], "3 pairs"),
        ("polygon", [1, 1, 5, 5, 9], "3 pairs"),
        ("polygon", [1, 1, 5, 5, 9, 9], "no pixel"),
        ("polygon", [60, 1, 70, 5, 70, 9], "no pixel"),
        ("mask", [1, 2, 3], "run lengths"),
        ("mask", [0.5, 3.5, 0, 0, 1, 1], "whole numbers"),
        ("mask", [0, 5, 0, 0, 1, 1], "sum to 5"),
        ("mask", [0, 4, 51, 0, 52, 1], "does not lie in the image"),
        ("mask", [0, 4, 3, 0, 1, 1], "does not lie in the image"),
        ("cuboid", [1, 2, 3, 4], "cannot be tracked"),
        ("x" * 1000, [1, 2, 3, 4], "cannot be tracked"),
    ],
)
def test_shapes_that_cannot_be_meant_are_refused(kind, points, words):
    with pytest.raises(RequestError, match=words) as caught:
        make_shape(kind, points, IMAGE)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(
    ("kind", "points", "box"),
    [
        ("rectangle", [5, 5, 5, 9], (5, 4, 9, 5)),
        ("rectangle", [60, 60, 70, 70], (39, 51, 40, 52)),
        ("rectangle", [-9, -9, -3, -3], (0, 0, 1, 1)),
        ("polygon", [1, 1, 5, 5, 9, 9], (1, 1, 9, 9)),
        ("polygon", [60, 1, 70, 5, 70, 9], (1, 51, 9, 52)),
        ("polygon", [5, 5, 5, 5, 5, 5], (5, 5, 6, 6)),
        ("mask", [4, 3, 3, 4, 4], (3, 3, 5, 5)),
    ],
)
def test_where_it_may_a_shape_that_covers_nothing_stands_for_the_pixels_where_it_lies(kind, points, box):
    shape = make_shape(kind, points, IMAGE, may_cover_nothing=True)
    assert shape.place(IMAGE) == Rle.from_box(box, IMAGE)


def test_otherwise_a_shape_stands_for_what_it_covers():
    shape = make_shape("polygon", [5, 10, 25, 10, 25, 30, 5, 30], IMAGE, may_cover_nothing=True)
    assert shape.place(IMAGE) == shape.mask(IMAGE) == Rle.from_box((10, 5, 30, 25), IMAGE)


@given(arrays(bool, (6, 8), elements=st.booleans()).filter(lambda mask: mask.any()))
def test_a_mask_is_the_same_after_its_way_through_cvat(mask):
    shape = shape_of(Rle.encode(mask), "mask")
    assert (make_shape("mask", shape.points, mask.shape).mask(mask.shape).decode() == mask).all()


@given(arrays(bool, (7, 9), elements=st.booleans()).filter(lambda mask: mask.any()))
def test_masks_are_written_as_the_sdk_of_cvat_writes_them(mask):
    masks = pytest.importorskip("cvat_sdk.masks")
    points = shape_of(Rle.encode(mask), "mask").points
    assert list(points) == masks.encode_mask(mask)
    assert (masks.decode_mask(points, image_width=9, image_height=7) == mask).all()


def test_a_mask_becomes_the_rectangle_around_it():
    assert shape_of(Rle.encode(disk(5)), "rectangle").points == (20, 15, 31, 26)


def test_a_mask_becomes_an_outline_close_to_it_with_few_vertices():
    mask = Rle.encode(disk(14))
    shape = shape_of(mask, "polygon")
    assert mask_iou(shape.mask(IMAGE), mask) > 0.95
    assert len(shape.points) < 2 * 30


def test_of_several_parts_the_largest_becomes_the_outline_without_its_hole():
    ring = disk(10) & ~disk(4)
    shape = shape_of(Rle.encode(ring | disk(3, (4, 45))), "polygon")
    assert mask_iou(shape.mask(IMAGE), Rle.encode(disk(10))) > 0.95


@pytest.mark.parametrize("kind", ["rectangle", "polygon", "mask"])
def test_an_empty_mask_has_no_shape(kind):
    assert shape_of(Rle.empty(IMAGE), kind) is None


@pytest.mark.parametrize("kind", ["rectangle", "polygon", "mask"])
def test_a_single_pixel_has_every_shape(kind):
    mask = np.zeros(IMAGE, bool)
    mask[39, 51] = True
    shape = shape_of(Rle.encode(mask), kind)
    assert shape.box == (39, 51, 40, 52)
    assert make_shape(kind, shape.points, IMAGE).mask(IMAGE) == Rle.encode(mask)


def test_a_shape_is_recognised_although_cvat_rounded_it_a_little():
    assert Shape("rectangle", (1.0, 2.0, 3.04, 4.0)).fingerprint == Shape("rectangle", (1.0, 2.0, 3.0, 4.0)).fingerprint
    assert Shape("rectangle", (1.0, 2.0, 3.2, 4.0)).fingerprint != Shape("rectangle", (1.0, 2.0, 3.0, 4.0)).fingerprint
