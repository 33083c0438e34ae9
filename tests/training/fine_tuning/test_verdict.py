"""Whether it helped, said honestly."""

from __future__ import annotations

import pytest

from src_model.training.fine_tuning.verdict import HeldOutObject, compare


def scores(*clicks: float, mask: float | None = None) -> list[HeldOutObject]:
    return [HeldOutObject("movie", number, click, mask) for number, click in enumerate(clicks)]


def test_a_gain_of_every_object_is_better():
    verdict = compare(scores(0.5, 0.6, 0.7, 0.8, 0.6), scores(0.6, 0.7, 0.8, 0.9, 0.7))
    assert verdict.better
    assert verdict.gain == pytest.approx(0.1)
    assert verdict.words().startswith("Better on 5 held-out objects: J from one click 0.640 before, 0.740 after")


def test_gains_that_depend_on_single_objects_are_no_clear_difference():
    verdict = compare(scores(0.5, 0.6, 0.7, 0.8, 0.6), scores(0.9, 0.5, 0.6, 0.85, 0.55))
    assert verdict.gain > 0
    assert not verdict.better
    assert "No clear difference" in verdict.words()


def test_a_loss_is_called_worse():
    verdict = compare(scores(0.5, 0.6), scores(0.4, 0.5))
    assert not verdict.better
    assert verdict.words().startswith("Worse on 2 held-out objects, which is too few to be sure")


def test_a_gain_too_small_to_matter_is_not_better():
    assert not compare(scores(0.5, 0.6), scores(0.501, 0.601)).better


def test_click_and_mask_count_alike():
    verdict = compare(scores(0.5, mask=0.7), scores(0.7, mask=0.9))
    assert verdict.gain == pytest.approx(0.2)
    assert "from a mask 0.700 before, 0.900 after" in verdict.words()
