"""The schedule of a training run."""

from __future__ import annotations

import numpy as np
import pytest

from src_model.training.recipe import Recipe


def test_the_rate_warms_up_stays_and_decays() -> None:
    recipe = Recipe(warm_up_steps=10, decay_from=0.6)
    assert recipe.rate_factor(0.0, 0) == pytest.approx(0.1)
    assert recipe.rate_factor(0.3, 100) == 1.0
    assert recipe.rate_factor(0.8, 500) == pytest.approx(0.51)
    assert recipe.rate_factor(1.0, 900) == pytest.approx(0.02)


def test_the_encoder_learns_from_its_last_stage_on() -> None:
    recipe = Recipe(late_from=0.1, early_from=0.5)
    frozen = [sorted(g for g, rate in recipe.rates(p, 100).items() if rate == 0) for p in (0.0, 0.2, 0.55)]
    assert frozen == [["early", "late"], ["early"], []]


def test_true_memories_become_fewer() -> None:
    assert [Recipe().true_memory(p) for p in (0.0, 1.0)] == pytest.approx([0.5, 0.15])


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


def test_a_pure_cosine_falls_from_the_beginning() -> None:
    recipe = Recipe(warm_up_steps=1, decay_from=0.0)
    assert recipe.rate_factor(0.5, 10) == pytest.approx(0.51)
