from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from src_model.errors import EvaluationError
from src_model.evaluation.metrics import occlusion_scores

PRESENCE = arrays(bool, st.tuples(st.integers(0, 3), st.integers(0, 9)))


def frames(text: str) -> np.ndarray:
    """Presence on each frame: o is there, . is not."""
    return np.array([letter == "o" for letter in text])


def scores(text: str) -> np.ndarray:
    return np.where(frames(text), 3.0, -3.0)


@pytest.mark.parametrize(
    ("truth", "told", "within", "noticed"),
    [
        ("oo....oo", "oo....oo", 1, True),
        ("oo....oo", "ooo...oo", 1, False),
        ("oo....oo", "ooo...oo", 2, True),
        ("oo....oo", "oooo..oo", 2, False),
        ("oo....oo", "oooo..oo", 3, True),
        ("oo.ooooo", "ooo..ooo", 2, False),  # what is told after the return does not count
        ("oo....oo", "........", 2, True),
        ("oo....oo", "oo.ooooo", 2, True),
    ],
)
def test_a_disappearance_is_noticed_on_the_first_frames_of_the_absence(
    truth: str, told: str, within: int, noticed: bool
) -> None:
    found = occlusion_scores(scores(told), frames(truth), within=within)
    assert found.disappearances == 1
    assert found.found_within == noticed


@pytest.mark.parametrize(
    ("told", "noticed"), [("oo....oo", True), ("oo.....o", True), ("oo......", False), ("oooooo..", False)]
)
def test_a_return_is_noticed_on_the_first_frames_of_the_presence(told: str, noticed: bool) -> None:
    found = occlusion_scores(scores(told), frames("oo....oo"))
    assert found.returns == 1
    assert found.found_again == noticed


def test_all_disappearances_of_all_objects_are_counted() -> None:
    truth = np.stack([frames("oo..oo.."), frames("o..ooooo")])
    told = np.stack([scores("oo..oooo"), scores("oo.ooooo")])
    found = occlusion_scores(told, truth)
    assert (found.disappearances, found.returns) == (3, 2)
    assert found.found_within == pytest.approx(2 / 3)
    assert found.found_again == 1
    assert found.accuracy == pytest.approx(13 / 16)
    assert found.balanced == pytest.approx((10 / 10 + 3 / 6) / 2)


def test_an_object_that_is_gone_at_the_start_has_not_disappeared() -> None:
    found = occlusion_scores(scores("...oo"), frames("...oo"))
    assert (found.disappearances, found.returns) == (0, 1)
    assert math.isnan(found.found_within)


def test_always_saying_present_is_half_right_when_balanced() -> None:
    found = occlusion_scores(np.ones(10), frames("ooooooooo."))
    assert found.accuracy == pytest.approx(0.9)
    assert found.balanced == 0.5
    assert occlusion_scores(np.ones(3), frames("ooo")).balanced == 1


def test_a_score_of_zero_means_absent() -> None:
    assert occlusion_scores([0.0, 0.0], [False, True]).accuracy == 0.5


@given(PRESENCE, st.integers(1, 4))
def test_scores_that_say_the_truth_are_right_about_everything(present: np.ndarray, within: int) -> None:
    found = occlusion_scores(np.where(present, 0.5, -0.5), present, within=within)
    for share in (found.accuracy, found.balanced, found.found_within, found.found_again):
        assert share == 1 or math.isnan(share)
    assert abs(found.disappearances - found.returns) <= len(present)
    assert math.isnan(found.accuracy) == (present.size == 0)


@pytest.mark.parametrize(
    ("object_scores", "present", "within", "complaint"),
    [
        ([1.0], [True, False], 2, "one shape"),
        (1.0, True, 2, "one shape"),
        ([math.nan], [True], 2, "NaN"),
        ([1.0], [1], 2, "bool, got presence of int"),
        ([1.0], [True], 0, "1 frame or more, got 0"),
    ],
)
def test_what_cannot_be_compared_is_refused(
    object_scores: object, present: object, within: int, complaint: str
) -> None:
    with pytest.raises(EvaluationError, match=complaint):
        occlusion_scores(object_scores, present, within=within)
