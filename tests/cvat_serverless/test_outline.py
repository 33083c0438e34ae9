"""Outlines of few vertices."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cvat_serverless.outline import largest_outline, simplified
from src_model.masks import Polygon, Rle, mask_iou, polygons_to_mask


def filled(ring: np.ndarray, shape: tuple[int, int]) -> Rle:
    return Rle.encode(polygons_to_mask([Polygon(ring)], shape))


def test_a_rectangle_has_four_vertices():
    mask = np.zeros((20, 30), bool)
    mask[3:9, 4:20] = True
    assert sorted(map(tuple, largest_outline(Rle.encode(mask)).tolist())) == [(3, 4), (3, 20), (9, 4), (9, 20)]


def test_stairs_become_a_straight_line():
    mask = np.tri(30, 30, dtype=bool)
    outline = largest_outline(Rle.encode(mask))
    assert len(outline) <= 6
    assert mask_iou(filled(outline, (30, 30)), Rle.encode(mask)) > 0.95


@pytest.mark.parametrize("vertices", [8, 16, 40])
def test_as_few_vertices_as_asked_for(vertices):
    y, x = np.mgrid[:80, :80]
    flower = np.hypot(y - 40, x - 40) < 25 + 8 * np.sin(7 * np.arctan2(y - 40, x - 40))
    assert 4 <= len(largest_outline(Rle.encode(flower), vertices=vertices)) <= vertices


@given(arrays(bool, (12, 14), elements=st.booleans()).filter(lambda mask: mask.any()), st.sampled_from([None, 6]))
def test_every_mask_has_an_outline_that_covers_pixels(mask, vertices):
    outline = largest_outline(Rle.encode(mask), vertices=vertices)
    assert 4 <= len(outline) <= (vertices or 1000)
    assert not filled(outline, mask.shape).is_empty


@pytest.mark.parametrize("vertices", [None, 16])
def test_a_thin_line_that_goes_down_in_stairs_keeps_pixels(vertices):
    mask = np.eye(60, dtype=bool) | np.eye(60, k=1, dtype=bool)
    assert filled(largest_outline(Rle.encode(mask), vertices=vertices), mask.shape).area > 0


def test_no_vertex_that_is_left_out_was_far_from_the_line():
    angles = np.linspace(0, 2 * np.pi, 400, endpoint=False)
    circle = np.stack([np.sin(angles), np.cos(angles)], axis=1) * 50
    left = simplified(circle, 1.0)
    assert len(left) < 40
    assert np.abs(np.linalg.norm((left + np.roll(left, -1, axis=0)) / 2, axis=1) - 50).max() < 1.01
