from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from src_model.errors import EvaluationError
from src_model.evaluation.metrics import calibrate

SHARES = st.floats(0, 1)


def test_the_error_is_the_gap_of_the_bins_weighted_by_their_masks() -> None:
    found = calibrate([0.1, 0.2, 0.9], [0.3, 0.6, 0.8], bins=2)
    low, high = found.bins
    assert (low.low, low.high, low.count) == (0, 0.5, 2)
    assert (high.low, high.high, high.count) == (0.5, 1, 1)
    assert (low.mean_predicted, low.mean_true) == pytest.approx((0.15, 0.45))
    assert found.ece == pytest.approx((2 * 0.3 + 0.1) / 3)


@pytest.mark.parametrize(("quality", "expected"), [(0, 0), (0.1, 1), (0.3, 3), (0.7, 7), (0.999, 9), (1, 9)])
def test_a_value_on_an_edge_is_in_the_bin_above_but_one_in_the_last(quality: float, expected: int) -> None:
    counts = [each.count for each in calibrate([quality], [0.5]).bins]
    assert counts.index(1) == expected
    assert sum(counts) == 1


def test_qualities_beyond_the_ends_are_taken_as_the_ends() -> None:
    assert calibrate([-0.2, 1.3], [0, 1]).ece == 0
    assert calibrate([1.3], [0.75]).bins[9].mean_predicted == 1


@given(st.lists(st.tuples(SHARES, SHARES), min_size=1, max_size=40), st.integers(1, 12))
def test_every_mask_is_in_one_bin_and_the_error_is_a_share(pairs: list[tuple[float, float]], bins: int) -> None:
    predicted, true = np.array(pairs).T
    found = calibrate(predicted, true, bins=bins)
    assert sum(each.count for each in found.bins) == len(pairs)
    assert 0 <= found.ece <= 1
    assert abs(predicted.mean() - true.mean()) <= found.ece + 1e-9
    assert calibrate(true, true, bins=bins).ece == pytest.approx(0, abs=1e-12)


def test_without_masks_there_is_no_error_and_all_bins_are_empty() -> None:
    found = calibrate([], [], bins=4)
    assert math.isnan(found.ece)
    assert [each.count for each in found.bins] == [0, 0, 0, 0]
    assert all(math.isnan(each.mean_predicted) and math.isnan(each.mean_true) for each in found.bins)


def test_arrays_of_any_shape_are_taken_mask_by_mask() -> None:
    assert calibrate(np.full((2, 3), 0.5), np.full((2, 3), 0.25)).ece == 0.25


@pytest.mark.parametrize(
    ("predicted", "true", "bins", "complaint"),
    [
        ([0.5], [0.5, 0.6], 10, r"\(1,\) predicted"),
        ([math.nan], [0.5], 10, "NaN"),
        ([0.5], [math.nan], 10, "NaN"),
        ([0.5], [1.5], 10, r"lie in 0\.\.1"),
        ([0.5], [0.5], 0, "at least one bin"),
    ],
)
def test_what_cannot_be_compared_is_refused(
    predicted: list[float], true: list[float], bins: int, complaint: str
) -> None:
    with pytest.raises(EvaluationError, match=complaint):
        calibrate(predicted, true, bins=bins)
