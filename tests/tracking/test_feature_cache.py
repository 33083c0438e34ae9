from __future__ import annotations

import pytest
import torch

from src_model.nn import ImageFeatures
from src_model.tracking.feature_cache import FeatureCache, feature_bytes


def features(_frame: int) -> ImageFeatures:
    """Take 100 bytes."""
    return ImageFeatures(torch.zeros(5), (torch.zeros(10), torch.zeros(10)))


def fail(frame: int) -> ImageFeatures:
    pytest.fail(f"frame {frame} was computed again")


def test_the_bytes_of_all_maps_count():
    assert feature_bytes(features(0)) == 100


def test_a_frame_that_is_held_is_not_computed_again():
    cache = FeatureCache(1000)
    first = cache.get(3, features)
    assert cache.get(3, fail) is first
    assert cache.misses == 1


def test_the_cache_stays_under_its_budget_and_drops_what_was_not_used_longest():
    cache = FeatureCache(350)
    for frame in (0, 1, 2):
        cache.get(frame, features)
    cache.get(0, fail)
    cache.get(3, features)
    assert [frame for frame in range(4) if frame in cache] == [0, 2, 3]
    assert cache.bytes_used == 300 <= cache.byte_budget


def test_the_frame_in_use_is_kept_even_if_it_alone_is_over_the_budget():
    cache = FeatureCache(10)
    cache.get(0, features)
    cache.get(1, features)
    assert 1 in cache
    assert len(cache) == 1


def test_a_failing_computation_leaves_no_trace():
    cache = FeatureCache(1000)
    with pytest.raises(ZeroDivisionError):
        cache.get(0, lambda _frame: 1 / 0)
    assert 0 not in cache
    assert cache.bytes_used == 0


def test_a_cleared_cache_holds_nothing():
    cache = FeatureCache(1000)
    cache.get(0, features)
    cache.clear()
    assert (len(cache), cache.bytes_used) == (0, 0)
