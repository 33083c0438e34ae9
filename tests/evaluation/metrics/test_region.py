from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given

from src_model.errors import MaskError
from src_model.evaluation.metrics import region_similarity
from tests.evaluation.metrics.masks import MASKS, PAIRS, rectangle


def shared_of_all(first: np.ndarray, second: np.ndarray) -> float:
    """Intersection over union of sets of pixels."""
    a, b = {tuple(p) for p in np.argwhere(first)}, {tuple(p) for p in np.argwhere(second)}
    return len(a & b) / len(a | b) if a | b else 1.0


def test_region_similarity_is_intersection_over_union_of_the_pixels() -> None:
    for first, second in PAIRS:
        assert region_similarity(first, second) == pytest.approx(shared_of_all(first, second), abs=1e-12)


def test_a_stack_has_one_value_for_each_mask() -> None:
    first, second = (np.stack(stack)[:6].reshape(2, 3, 23, 31) for stack in zip(*PAIRS, strict=True))
    values = region_similarity(first, second)
    assert values.shape == (2, 3)
    assert values.dtype == np.float64
    assert values[1, 2] == region_similarity(first[1, 2], second[1, 2])
    assert region_similarity(first[:0], second[:0]).shape == (0, 3)


@given(MASKS, MASKS)
def test_region_similarity_is_symmetric_a_share_and_one_for_equal_masks(first: np.ndarray, second: np.ndarray) -> None:
    value = region_similarity(first, second)
    assert 0 <= value <= 1
    assert value == region_similarity(second, first)
    assert region_similarity(first, first) == 1


@pytest.mark.parametrize(
    ("predicted", "truth", "complaint"),
    [
        (np.ones((3, 4), np.uint8), np.ones((3, 4), bool), "predicted must be a bool array .* got uint8"),
        (np.ones((3, 4), bool), [[True]], "truth must be a bool array .* got list"),
        (np.ones((3, 4), bool), np.ones((3, 5), bool), r"\(3, 4\) and truth \(3, 5\)"),
        (np.ones(4, bool), np.ones(4, bool), "predicted must be"),
        (np.ones((2, 0, 4), bool), np.ones((2, 0, 4), bool), "predicted must be"),
    ],
)
def test_what_is_not_two_masks_of_one_shape_is_refused(predicted: object, truth: object, complaint: str) -> None:
    with pytest.raises(MaskError, match=complaint):
        region_similarity(predicted, truth)


def test_a_shifted_square_shares_what_remains() -> None:
    assert region_similarity(rectangle(2, 2, 6, 6), rectangle(2, 4, 6, 8)) == pytest.approx(8 / 24)
