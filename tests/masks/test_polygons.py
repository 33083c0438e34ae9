from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from src_model.errors import MaskError
from src_model.masks import Polygon, Rle, mask_to_polygons, polygons_to_mask

MASKS = arrays(bool, array_shapes(min_dims=2, max_dims=2, max_side=14))
SQUARE = [(1, 1), (1, 4), (4, 4), (4, 1)]


def signed_area(ring: np.ndarray) -> float:
    """Return the area, positive for a ring that runs clockwise on screen."""
    y, x = ring.T
    return float((x * np.roll(y, -1) - np.roll(x, -1) * y).sum() / 2)


@given(MASKS)
@settings(deadline=None, max_examples=200)
def test_a_mask_comes_back_exactly_from_its_polygons(mask: np.ndarray) -> None:
    polygons = mask_to_polygons(mask)
    assert np.array_equal(polygons_to_mask(polygons, mask.shape), mask)
    assert sum(signed_area(p.exterior) + sum(map(signed_area, p.holes)) for p in polygons) == mask.sum()


@given(MASKS)
@settings(deadline=None, max_examples=200)
def test_rings_never_touch_themselves_and_holes_run_the_other_way(mask: np.ndarray) -> None:
    for polygon in mask_to_polygons(mask):
        assert signed_area(polygon.exterior) > 0
        assert all(signed_area(hole) < 0 for hole in polygon.holes)
        for ring in (polygon.exterior, *polygon.holes):
            assert len(np.unique(ring, axis=0)) == len(ring)


@given(MASKS)
@settings(deadline=None)
def test_run_lengths_give_the_same_polygons(mask: np.ndarray) -> None:
    for a, b in zip(mask_to_polygons(mask), mask_to_polygons(Rle.encode(mask)), strict=True):
        assert np.array_equal(a.exterior, b.exterior)
        assert len(a.holes) == len(b.holes)


def test_a_large_object_with_a_rough_outline_comes_back_exactly() -> None:
    y, x = np.mgrid[:300, :400]
    noise = np.random.default_rng(0).random((300, 400)) < 0.5
    radius = np.hypot(y - 150, x - 200)
    mask = (radius < 120) & (radius > 60) | (radius < 130) & noise
    assert np.array_equal(polygons_to_mask(mask_to_polygons(mask), mask.shape), mask)


def test_a_rectangle_has_its_four_corners() -> None:
    mask = np.zeros((6, 7), bool)
    mask[1:3, 2:6] = True
    (polygon,) = mask_to_polygons(mask)
    assert {(y, x) for y, x in polygon.exterior.tolist()} == {(1, 2), (1, 6), (3, 2), (3, 6)}
    assert polygon.holes == ()


def test_a_hole_belongs_to_its_polygon_and_an_island_in_it_is_another() -> None:
    mask = np.ones((7, 7), bool)
    mask[1:6, 1:6] = False
    mask[3, 3] = True
    frame, island = mask_to_polygons(mask)
    assert len(frame.holes) == 1
    assert signed_area(frame.holes[0]) == -25
    assert signed_area(island.exterior) == 1


def test_pixels_that_touch_at_a_corner_are_two_polygons() -> None:
    assert len(mask_to_polygons(np.eye(2, dtype=bool))) == 2


def test_an_empty_mask_has_no_polygons_and_no_polygons_give_an_empty_mask() -> None:
    assert mask_to_polygons(np.zeros((3, 4), bool)) == []
    assert not polygons_to_mask([], (3, 4)).any()


def test_a_polygon_covers_the_pixels_whose_centres_it_encloses() -> None:
    triangle = Polygon(np.array([(0, 0), (0, 4), (4, 0)]))
    expected = [[y + 0.5 + x + 0.5 < 4 for x in range(5)] for y in range(5)]
    assert polygons_to_mask([triangle], (5, 5)).tolist() == expected


def test_what_lies_outside_of_the_image_is_cut_off() -> None:
    everything = Polygon(np.array([(-1e9, -1e9), (-1e9, 1e9), (1e9, 1e9), (1e9, -1e9)]))
    assert polygons_to_mask([everything], (3, 4)).all()
    elsewhere = Polygon(np.array([(50, 50), (50, 60), (60, 60)]))
    assert not polygons_to_mask([elsewhere], (3, 4)).any()


def test_overlapping_polygons_are_united() -> None:
    one, other = Polygon(np.array(SQUARE)), Polygon(np.array(SQUARE) + 1)
    expected = np.zeros((6, 6), bool)
    expected[1:4, 1:4] = expected[2:5, 2:5] = True
    assert np.array_equal(polygons_to_mask([one, other], (6, 6)), expected)


@given(st.lists(st.tuples(st.floats(-5, 25), st.floats(-5, 25)), min_size=3, max_size=9))
@settings(deadline=None)
def test_any_ring_even_one_that_crosses_itself_is_filled_by_the_even_odd_rule(ring: list[tuple[float, float]]) -> None:
    filled = polygons_to_mask([Polygon(np.array(ring))], (20, 20))
    expected = np.zeros((20, 20), bool)
    for (ay, ax), (by, bx) in zip(ring, ring[1:] + ring[:1], strict=True):
        for row in range(20):
            if (ay <= row + 0.5) != (by <= row + 0.5):
                crossing = ax + (row + 0.5 - ay) * ((bx - ax) / (by - ay))
                expected[row] ^= np.arange(20) + 0.5 >= crossing
    assert np.array_equal(filled, expected)


def test_rings_cannot_be_changed() -> None:
    vertices = np.array(SQUARE, float)
    polygon = Polygon(vertices)
    vertices[0] = 9
    assert polygon.exterior[0].tolist() == [1, 1]
    with pytest.raises(ValueError, match="read-only"):
        polygon.exterior[0] = 9


@pytest.mark.parametrize(
    ("ring", "complaint"),
    [
        ([], "at least 3"),
        ([(0, 0), (1, 1)], "at least 3"),
        ([(0, 0, 0)] * 3, "at least 3"),
        ([(0, 0), (1, np.nan), (2, 0)], "finite"),
        ([(0, 0), (1, np.inf), (2, 0)], "finite"),
        ([(0, 0), (1, 1e300), (2, 0)], "within"),
        ("ring", "numbers"),
        ([(0, 0), (1,), (2, 0)], "numbers"),
    ],
)
def test_a_ring_that_is_none_is_refused_as_outline_and_as_hole(ring: object, complaint: str) -> None:
    with pytest.raises(MaskError, match=complaint):
        Polygon(ring)  # type: ignore[arg-type]
    with pytest.raises(MaskError, match=complaint):
        Polygon(np.array(SQUARE), (ring,))  # type: ignore[arg-type]


def test_a_ring_made_to_exhaust_memory_is_refused() -> None:
    zigzag = np.zeros((20_000, 2))
    zigzag[::2, 0] = 1e6
    zigzag[:, 1] = np.arange(20_000)
    with pytest.raises(MaskError, match="20000 vertices"):
        polygons_to_mask([Polygon(zigzag)], (20_000, 100))
