from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from src_model.masks.window import Window
from src_model.nn import ImageFeatures
from src_model.tracking.feature_cache import FeatureCache, feature_bytes, frame_of

WINDOW = Window((0, 0, 8, 8), 64)


def features(_key: object) -> ImageFeatures:
    """Take 100 bytes."""
    return of_bytes(100)


def of_bytes(count: int) -> ImageFeatures:
    return ImageFeatures(torch.zeros(count, dtype=torch.uint8), (torch.zeros(0), torch.zeros(0)))


def fail(key: object) -> ImageFeatures:
    pytest.fail(f"{key} was computed again")


def held(cache: FeatureCache, frames=range(30)) -> list[int]:
    return [frame for frame in frames if frame in cache]


def test_the_bytes_of_all_maps_count():
    maps = ImageFeatures(torch.zeros(5), (torch.zeros(10), torch.zeros(10, dtype=torch.bfloat16)))
    assert feature_bytes(maps) == 80


def test_a_frame_that_is_held_is_not_computed_again():
    cache = FeatureCache(1000)
    first = cache.get(3, features)
    assert cache.get(3, fail) is first
    assert cache.misses == 1


def test_what_is_farthest_from_the_frame_asked_for_last_is_dropped():
    cache = FeatureCache(350)
    for frame in (10, 11, 12, 13):
        cache.get(frame, features)
    assert held(cache) == [11, 12, 13]
    cache.get(9, features)
    assert held(cache) == [9, 11, 12]
    assert cache.bytes_used == 300 <= cache.byte_budget


def test_frames_on_both_sides_of_the_playhead_stay():
    cache = FeatureCache(500)
    for frame in (0, 20, 8, 12, 9, 11):
        cache.playhead = 10
        cache.get(frame, features)
    assert held(cache) == [8, 9, 11, 12, 20]
    cache.get(10, features)
    assert held(cache) == [8, 9, 10, 11, 12]


def test_a_frame_looked_at_in_passing_does_not_drive_out_those_around_the_playhead():
    cache = FeatureCache(300)
    cache.playhead = 20
    for frame in (19, 20, 21, 0):
        cache.get(frame, features)
    assert held(cache) == [0, 20, 21]
    cache.get(22, features)
    assert held(cache) == [20, 21, 22]


def test_of_equally_far_windows_the_one_not_used_longest_is_dropped():
    cache = FeatureCache(300)
    cache.playhead = 4
    left, right = (4, WINDOW), (4, Window((0, 8, 8, 16), 64))
    for key in (left, right, 4):
        cache.put(key, features(key))
    cache.get(left, fail)
    cache.put((4, Window((8, 8, 16, 16), 64)), of_bytes(100))
    assert left in cache
    assert right not in cache


def test_a_frame_counts_as_held_as_long_as_anything_of_it_is():
    cache = FeatureCache(300)
    cache.put(4, features(4))
    cache.put((4, WINDOW), features(4))
    assert cache.holds_frame(4)
    cache.playhead = 9
    for frame in (9, 10, 11):
        assert cache.holds_frame(4)
        cache.get(frame, features)
    assert not cache.holds_frame(4)


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
    assert not cache.holds_frame(0)
    assert cache.bytes_used == 0


def test_a_cleared_cache_holds_nothing():
    cache = FeatureCache(1000)
    cache.get(0, features)
    cache.clear()
    assert (len(cache), cache.bytes_used, cache.holds_frame(0)) == (0, 0, False)


KEYS = st.one_of(st.integers(0, 30), st.tuples(st.integers(0, 30), st.just(WINDOW)))
STEPS = st.lists(st.tuples(KEYS, st.one_of(st.none(), st.integers(0, 30)), st.integers(1, 150)), max_size=60)


@given(STEPS, st.integers(0, 1000))
def test_whatever_is_asked_for_in_whatever_order(steps, budget):
    cache, known = FeatureCache(budget), set()
    for key, playhead, size in steps:
        if playhead is not None:
            cache.playhead = playhead
        before = {other for other in known if other in cache}
        cache.get(key, lambda _key, size=size: of_bytes(size))
        known.add(key)
        after = {other for other in known if other in cache}
        # Never over the budget, but for what is in use.
        assert cache.bytes_used <= budget or after == {key}
        assert key in after
        # What was dropped was at least as far away as all that stayed.
        around = frame_of(key) if cache.playhead is None else cache.playhead
        dropped = [abs(frame_of(other) - around) for other in before - after]
        stayed = [abs(frame_of(other) - around) for other in after - {key}]
        assert not dropped or not stayed or min(dropped) >= max(stayed)
        assert len(cache) == len(after)
        assert all(cache.holds_frame(frame) == (frame in {frame_of(o) for o in after}) for frame in range(31))


@given(st.integers(3, 20), st.integers(0, 60), st.integers(0, 60), st.booleans())
def test_a_correction_near_the_end_of_a_pass_finds_its_neighbours_encoded(room, start, length, backwards):
    cache = FeatureCache(room * 100)
    frames = range(start, start + length + 1)
    for frame in reversed(frames) if backwards else frames:
        cache.playhead = frame
        cache.get(frame, features)
    end = frames[0] if backwards else frames[-1]
    near = [frame for frame in frames if abs(frame - end) < room]
    assert held(cache, frames) == near
    for frame in sorted(near, key=lambda each: abs(each - end)):
        cache.playhead = frame
        cache.get(frame, fail)
