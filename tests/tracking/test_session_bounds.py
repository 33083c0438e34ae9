"""Streaming means bounded: what a session holds does not grow with the movie."""

from __future__ import annotations

import numpy as np
import pytest

from src_model.masks import Rle
from src_model.tracking.feature_cache import feature_bytes
from tests.tracking import tiny


def bytes_held(session) -> int:
    return sum(item.bank.nbytes for item in session.objects.values())


@pytest.fixture
def long_session(predictor):
    session = predictor.start(tiny.make_movie(70), cache_bytes=2**18)
    session.prompt(0, 1, points=[tiny.CLICK])
    session.prompt(0, 2, points=[tiny.OTHER_CLICK])
    return session


def test_the_state_of_an_object_is_constant_however_long_the_movie(long_session):
    held = {}
    for result in long_session.propagate():
        bank = long_session.objects[1].bank
        held[result.frame] = (bytes_held(long_session), len(bank.recent), len(bank.conditioning))
        assert long_session.feature_cache.bytes_used <= 2**18
    assert held[20] == held[40] == held[69]
    assert held[69][1:] == (16, 1)


def test_the_official_preset_keeps_every_frame(official, movie):
    session = official.start(movie)
    session.prompt(0, 1, points=[tiny.CLICK])
    tiny.finish(session.propagate())
    assert len(session.objects[1].bank.recent) == tiny.LENGTH - 1


def test_a_frame_is_read_and_encoded_once_however_many_objects_and_passes(predictor, movie):
    counted = tiny.CountingMovie(movie)
    session = predictor.start(counted)
    _ = session.normalization
    counted.reads = [0] * tiny.LENGTH
    for object_id in range(1, 5):
        session.prompt(0, object_id, points=[(4 * object_id, 8 * object_id)])
    tiny.finish(session.propagate())
    assert session.feature_cache.misses == tiny.LENGTH
    session.prompt(5, 1, points=[(30, 40)], labels=[0])
    tiny.finish(session.propagate())
    tiny.finish(session.repair(5, 1))
    tiny.finish(session.propagate(reverse=True))
    assert session.feature_cache.misses == tiny.LENGTH
    assert counted.reads == [1] * tiny.LENGTH


def test_without_room_in_the_cache_every_pass_encodes_again_with_the_same_result(predictor, movie, tracked):
    session = predictor.start(movie, cache_bytes=0)
    session.prompt(0, 1, points=[tiny.CLICK])
    tiny.finish(session.propagate())
    assert len(session.feature_cache) == 1
    assert session.feature_cache.bytes_used == feature_bytes(session.features(tiny.LENGTH - 1))
    assert session.masklets == tracked.masklets


def test_the_movie_is_sampled_once_for_its_normalization(predictor):
    counted = tiny.CountingMovie(tiny.make_movie(40))
    session = predictor.start(counted)
    session.prompt(0, 1, points=[tiny.CLICK])
    assert session.normalization is session.normalization
    assert sum(counted.reads) <= 16 + 1


def test_a_given_normalization_is_used_and_nothing_is_sampled(predictor, movie, tracked):
    counted = tiny.CountingMovie(movie)
    session = predictor.start(counted, normalization=tracked.normalization)
    session.prompt(0, 1, points=[tiny.CLICK])
    assert sum(counted.reads) == 1
    assert session.masklets[1].mask_at(0) == tracked.masklets[1].mask_at(0)


def test_every_mask_is_kept_run_length_encoded(tracked):
    assert all(isinstance(mask, Rle) for mask in tiny.masks_of(tracked).values())
    assert not any(isinstance(value, np.ndarray) for value in vars(tracked).values())


def test_color_movies_are_tracked_too(predictor):
    gray = tiny.make_movie(4)
    session = predictor.start(np.stack([gray, gray // 2, 255 - gray], axis=-1))
    session.prompt(0, 1, points=[tiny.CLICK])
    tiny.finish(session.propagate())
    assert session.normalization.kind == "none"
    assert session.masklets[1].frames == (0, 1, 2, 3)
