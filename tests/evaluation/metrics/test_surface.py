from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from src_model.errors import MaskError
from src_model.evaluation.metrics import SurfaceDistances, surface_distances
from tests.evaluation.metrics.masks import MASKS, PAIRS, SPECIAL, blobs, rectangle


def plain_edge(mask: np.ndarray) -> np.ndarray:
    """Pixels of the mask with a neighbour that is none, or lies outside."""
    inside = {(int(y), int(x)) for y, x in np.argwhere(mask)}
    around = ((-1, 0), (1, 0), (0, -1), (0, 1))
    return np.array([(y, x) for y, x in sorted(inside) if any((y + v, x + u) not in inside for v, u in around)])


def plain_distances(
    first: np.ndarray, second: np.ndarray, spacing: tuple[float, float], tolerance: float
) -> SurfaceDistances:
    """The definition: every edge pixel with every other."""
    a, b = plain_edge(first) * spacing, plain_edge(second) * spacing
    apart = np.sqrt(((a[:, None, :] - b[None, :, :]) ** 2).sum(axis=2))
    there, back = apart.min(axis=1), apart.min(axis=0)
    met = (there <= tolerance).sum() + (back <= tolerance).sum()
    return SurfaceDistances(
        hd95=max(np.quantile(there, 0.95), np.quantile(back, 0.95)),
        assd=(there.sum() + back.sum()) / (len(a) + len(b)),
        nsd=met / (len(a) + len(b)),
    )


def as_numbers(distances: SurfaceDistances) -> tuple[float, float, float]:
    return (distances.hd95, distances.assd, distances.nsd)


@pytest.mark.parametrize(("spacing", "tolerance"), [((1, 1), 2), ((1, 1), 0), ((0.25, 0.7), 1.01), ((3, 0.5), 4.1)])
def test_surface_distances_follow_the_definition(spacing: tuple[float, float], tolerance: float) -> None:
    for first, second in PAIRS:
        if first.any() and second.any():
            found = surface_distances(first, second, spacing=spacing, tolerance=tolerance)
            expected = plain_distances(first, second, spacing, tolerance)
            assert as_numbers(found) == pytest.approx(as_numbers(expected), abs=1e-9)


@given(MASKS, MASKS, st.floats(0.1, 10))
def test_surface_distances_are_symmetric_and_grow_with_the_pixels(
    first: np.ndarray, second: np.ndarray, size: float
) -> None:
    once = surface_distances(first, second)
    assert as_numbers(surface_distances(second, first)) == pytest.approx(as_numbers(once))
    scaled = surface_distances(first, second, spacing=(size, size), tolerance=2 * size)
    assert as_numbers(scaled) == pytest.approx((once.hd95 * size, once.assd * size, once.nsd))
    assert as_numbers(surface_distances(first, first)) == (0, 0, 1)


def test_two_empty_masks_agree_and_one_is_a_diagonal_away_from_anything() -> None:
    empty, some = SPECIAL["empty"], SPECIAL["one pixel"]
    assert surface_distances(empty, empty) == SurfaceDistances(0, 0, 1)
    diagonal = math.hypot(23 * 0.5, 31 * 2)
    for first, second in ((empty, some), (some, empty)):
        found = surface_distances(first, second, spacing=(0.5, 2))
        assert as_numbers(found) == pytest.approx((diagonal, diagonal, 0))


def test_a_shifted_line_is_as_far_away_as_it_was_shifted() -> None:
    first, second = rectangle(5, 0, 6, 31), rectangle(8, 0, 9, 31)
    assert as_numbers(surface_distances(first, second, spacing=(0.65, 1))) == pytest.approx((1.95, 1.95, 1))
    assert surface_distances(first, second, spacing=(0.65, 1), tolerance=1.95).nsd == 1
    assert surface_distances(first, second, spacing=(0.65, 1), tolerance=1.94).nsd == 0


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"spacing": (0, 1)}, "two positive sizes"),
        ({"spacing": (1, math.inf)}, "two positive sizes"),
        ({"spacing": (1, 1, 1)}, "two positive sizes"),
        ({"tolerance": -1}, "tolerance 0 or more"),
        ({"tolerance": math.nan}, "tolerance 0 or more"),
    ],
)
def test_impossible_units_are_refused(options: dict[str, object], complaint: str) -> None:
    with pytest.raises(MaskError, match=complaint):
        surface_distances(blobs(0), blobs(1), **options)


def test_a_stack_is_refused() -> None:
    with pytest.raises(MaskError, match="once a frame"):
        surface_distances(np.ones((2, 3, 4), bool), np.ones((2, 3, 4), bool))
