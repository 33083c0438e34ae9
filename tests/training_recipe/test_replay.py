"""Encoded batches that are kept."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from src_model.training.rollout import ClipFeatures
from training_recipe.replay import EncodedBatch, ReplayPool, as_float, as_half


def batch(value: float) -> EncodedBatch:
    high_res = (torch.zeros(1, 2, 4, 4, 4), torch.zeros(1, 2, 4, 2, 2))
    features = ClipFeatures(torch.full((1, 2, 4, 1, 1), value), high_res)
    return EncodedBatch(as_half(features), np.zeros((1, 2, 16, 16), bool))


def test_features_survive_being_kept_in_half_precision() -> None:
    kept = as_float(batch(0.1).features)
    assert kept.embedding.dtype == kept.high_res[0].dtype == torch.float32
    assert float(kept.embedding[0, 0, 0, 0, 0]) == pytest.approx(0.1, abs=1e-4)


def test_the_oldest_batches_go_when_the_budget_is_spent() -> None:
    pool = ReplayPool(2 * batch(0).bytes)
    for value in range(5):
        pool.add(batch(value))
    assert len(pool) == 2
    rng = np.random.default_rng(0)
    assert {float(pool.draw(rng).features.embedding[0, 0, 0, 0, 0]) for _ in range(20)} == {3.0, 4.0}


def test_the_newest_batch_stays_however_large() -> None:
    pool = ReplayPool(1)
    pool.add(batch(7))
    assert len(pool) == 1
