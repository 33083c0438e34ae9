from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from src_model.errors import MaskError
from src_model.evaluation.metrics import contour_accuracy
from tests.evaluation.metrics.masks import MASKS, PAIRS, SPECIAL, blobs, rectangle

AFTER = ((0, 1), (1, 0), (1, 1))


def plain_outline(mask: np.ndarray) -> list[tuple[int, int]]:
    """The definition, pixel by pixel: neighbours to the right and below that exist, and differ."""
    height, width = mask.shape
    outline = []
    for y in range(height):
        for x in range(width):
            after = [(y + dy, x + dx) for dy, dx in AFTER if y + dy < height and x + dx < width]
            if any(mask[p] != mask[y, x] for p in after):
                outline.append((y, x))
    return outline


def plain_accuracies(predicted: np.ndarray, truth: np.ndarray, tolerances: tuple[float, ...]) -> list[float]:
    """The definition: every pixel of one outline with every pixel of the other."""
    a, b = np.array(plain_outline(predicted)), np.array(plain_outline(truth))
    if not a.size or not b.size:
        return [1.0 if a.size == b.size else 0.0] * len(tolerances)
    apart = ((a[:, None, :] - b[None, :, :]) ** 2).sum(axis=2)
    accuracies = []
    for tolerance in tolerances:
        near = apart <= math.ceil(tolerance * math.sqrt(predicted.shape[0] ** 2 + predicted.shape[1] ** 2)) ** 2
        precision, recall = near.any(axis=1).mean(), near.any(axis=0).mean()
        accuracies.append(2 * precision * recall / (precision + recall) if precision + recall > 0 else 0.0)
    return accuracies


def test_contour_accuracy_follows_the_definition() -> None:
    tolerances = (0, 0.008, 0.05, 0.3)
    for predicted, truth in PAIRS:
        found = [contour_accuracy(predicted, truth, tolerance=tolerance) for tolerance in tolerances]
        assert found == pytest.approx(plain_accuracies(predicted, truth, tolerances), abs=1e-12)


@given(MASKS, MASKS, st.floats(0, 0.5))
def test_contour_accuracy_is_symmetric_a_share_and_one_for_equal_masks(
    first: np.ndarray, second: np.ndarray, tolerance: float
) -> None:
    value = contour_accuracy(first, second, tolerance=tolerance)
    assert 0 <= value <= 1
    assert value == pytest.approx(contour_accuracy(second, first, tolerance=tolerance), abs=1e-12)
    assert contour_accuracy(first, first, tolerance=tolerance) == 1


@given(MASKS, MASKS, st.integers(2, 20), st.integers(2, 20))
def test_moving_both_masks_away_from_the_border_changes_nothing(
    first: np.ndarray, second: np.ndarray, down: int, right: int
) -> None:
    place = ((down, 24 - down), (right, 24 - right))
    here, there = (np.pad(mask, ((2, 22), (2, 22))) for mask in (first, second))
    moved = contour_accuracy(np.pad(first, place), np.pad(second, place))
    assert moved == contour_accuracy(here, there)


@pytest.mark.parametrize(
    ("shape", "offset", "expected"),
    [((480, 854), 8, 1.0), ((480, 854), 9, 0.5), ((100, 100), 2, 1.0), ((100, 100), 3, 0.5)],
)
def test_the_tolerance_is_a_share_of_the_diagonal_rounded_up(
    shape: tuple[int, int], offset: int, expected: float
) -> None:
    # Two lines across the image, each with an outline above and on it; of the pairs one tolerance apart all meet, and
    # one pixel further only the rows that face each other.
    first, second = rectangle(20, 0, 21, shape[1], shape), rectangle(20 + offset, 0, 21 + offset, shape[1], shape)
    assert contour_accuracy(first, second) == expected


def test_masks_without_an_outline_agree_with_each_other_alone() -> None:
    empty, full, some = SPECIAL["empty"], SPECIAL["full"], SPECIAL["one pixel"]
    assert contour_accuracy(empty, empty) == contour_accuracy(full, full) == contour_accuracy(full, empty) == 1
    assert contour_accuracy(some, empty) == contour_accuracy(empty, some) == contour_accuracy(full, some) == 0


def test_a_stack_has_one_value_for_each_mask() -> None:
    first, second = (np.stack([blobs(seed + i) for seed in range(6)]).reshape(2, 3, 23, 31) for i in (0, 1))
    values = contour_accuracy(first, second)
    assert values.shape == (2, 3)
    assert values.dtype == np.float64
    assert values[1, 2] == contour_accuracy(first[1, 2], second[1, 2])
    assert contour_accuracy(first[:0], second[:0]).shape == (0, 3)


@pytest.mark.parametrize("tolerance", [-0.1, 1, 8, math.nan])
def test_a_tolerance_in_pixels_is_refused(tolerance: float) -> None:
    with pytest.raises(MaskError, match="share of the image diagonal"):
        contour_accuracy(blobs(0), blobs(1), tolerance=tolerance)
