"""What a step of a run is made of."""

from __future__ import annotations

import numpy as np
import pytest

from training_recipe.recipe import Recipe


def test_large_images_become_more_frequent() -> None:
    rng = np.random.default_rng(0)
    early, late = (np.mean([Recipe(crowds=0.0).plan(p, rng).size > 224 for _ in range(500)]) for p in (0.0, 1.0))
    assert early == pytest.approx(0.12, abs=0.05)
    assert late == pytest.approx(0.4, abs=0.06)


def test_clips_are_of_the_lengths_that_their_size_allows() -> None:
    rng = np.random.default_rng(0)
    plans = [Recipe(crowds=0.0).plan(1.0, rng) for _ in range(300)]
    assert {plan.frames for plan in plans if plan.size == 224} == {4, 5, 6, 8}
    assert all(plan.clips * plan.batches == 8 and plan.objects == 1 for plan in plans)


def test_crowds_are_stills_or_clips_of_many_objects() -> None:
    rng = np.random.default_rng(0)
    plans = [Recipe(crowds=1.0, crowd_stills=0.3).plan(0.5, rng) for _ in range(300)]
    stills = [plan for plan in plans if plan.frames == 1]
    assert len(stills) / 300 == pytest.approx(0.3, abs=0.08)
    assert {plan.objects for plan in stills} == {10}
    assert {(plan.size, plan.objects) for plan in plans if plan.frames > 1} == {(224, 6), (336, 5), (448, 4)}
