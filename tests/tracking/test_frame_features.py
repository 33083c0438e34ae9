from __future__ import annotations

import numpy as np
import pytest
import torch

from src_model.frames import decide_normalization, open_movie
from src_model.masks.window import Window
from src_model.tracking.frame_features import FrameFeatures
from tests.tracking import tiny
from tests.tracking.windows import scenes

WINDOWS = [Window((10 * n, 8 * n, 10 * n + 48, 8 * n + 40), 64) for n in range(6)]


@pytest.fixture
def counted():
    return tiny.CountingMovie(scenes.field([(60, 80), (70, 90)]))


@pytest.fixture
def features(counted):
    return features_of(counted)


def features_of(movie) -> FrameFeatures:
    steps = scenes.predictor().steps
    normalization = decide_normalization(open_movie(scenes.field([(60, 80), (70, 90)])))
    return FrameFeatures(steps, movie, lambda: normalization)


def test_windows_encoded_as_a_batch_are_what_they_are_alone(features, counted):
    features.prepare(1, WINDOWS)
    alone = features_of(counted)
    for window in WINDOWS:
        together, single = features(1, window), alone(1, window)
        torch.testing.assert_close(together.embedding, single.embedding, atol=1e-4, rtol=1e-4)
        for mine, other in zip(together.high_res, single.high_res, strict=True):
            torch.testing.assert_close(mine, other, atol=1e-4, rtol=1e-4)


def test_a_window_is_encoded_as_the_crop_would_be_as_a_frame(features, counted):
    y0, x0, y1, x1 = WINDOWS[2].box
    crop = tiny.CountingMovie(np.stack([scenes.field([(60, 80), (70, 90)])[t, y0:y1, x0:x1] for t in range(2)]))
    torch.testing.assert_close(features(1, WINDOWS[2]).embedding, features_of(crop)(1).embedding)


def test_a_frame_is_read_once_for_all_its_windows_and_each_window_is_encoded_once(features, counted):
    features.prepare(0, [*WINDOWS, None, *WINDOWS])
    features.prepare(0, WINDOWS[:2])
    for window in WINDOWS:
        features(0, window)
    assert counted.reads == [1, 0]


def test_windows_of_different_size_batch_apart(features):
    features.prepare(0, [WINDOWS[0], Window(WINDOWS[0].box, 96)])
    assert features(0, WINDOWS[0]).embedding.shape[-1] == 4
    assert features(0, Window(WINDOWS[0].box, 96)).embedding.shape[-1] == 6


def test_no_window_keeps_the_memory_of_its_batch(features):
    features.prepare(0, WINDOWS)
    embedding = features(0, WINDOWS[0]).embedding
    assert embedding.untyped_storage().nbytes() == embedding.nbytes
