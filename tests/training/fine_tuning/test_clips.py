"""Clips of annotated frames and their cached features."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from src_model.training.fine_tuning.clips import VIEWS, AnnotatedClips, FrameFeatureCache, View
from src_model.training.fine_tuning.material import survey
from tests.training.fine_tuning.annotated import SIDE, discs
from tests.training.tiny import tiny_network


def test_a_clip_has_neighbouring_labelled_frames_and_shows_every_object_first():
    movie = discs(labelled=(0, 2, 4, 6, 8))
    clips, rng = AnnotatedClips(survey([movie]), SIDE, frames=3, objects=4), np.random.default_rng(0)
    for _ in range(20):
        clip = clips.draw(rng)
        assert set(clip.frames) <= {0, 2, 4, 6, 8}
        assert len(set(np.diff(clip.frames))) <= 1
        assert clip.masks.shape == (4, len(clip.frames), SIDE, SIDE)
        assert clip.masks[:, 0].any(axis=(1, 2)).all()


def test_clips_run_both_ways_and_lie_every_way_up():
    clips, rng = AnnotatedClips(survey([discs()]), SIDE), np.random.default_rng(0)
    drawn = [clips.draw(rng) for _ in range(60)]
    backwards = [clip.frames[-1] < clip.frames[0] for clip in drawn]
    assert 0.2 < np.mean(backwards) < 0.8
    assert {clip.view for clip in drawn} == set(VIEWS["microscopy"])


@pytest.mark.parametrize("view", [View(), View(mirrored=True), View(transposed=True, upside_down=True)])
def test_masks_and_images_are_turned_alike(view):
    movie = discs(count=1)
    clips = AnnotatedClips(survey([movie]), SIDE)
    pixels = torch.from_numpy(movie.movie.read(3).astype(np.float32))
    mask = clips._mask(movie, 3, 1, view)
    assert np.array_equal(view.of(pixels).numpy() >= 180, mask)


def test_features_are_computed_once_and_as_tracking_computes_them():
    network, movie = tiny_network(), discs()
    store = FrameFeatureCache(network, SIDE)
    first = store.clip(movie, [2, 4], View())
    again = store.clip(movie, [4, 2], View())
    assert store.encoded == 2
    assert torch.equal(first.embedding[:, 0], again.embedding[:, 1])
    assert first.embedding.shape[:2] == (1, 2)
    from src_model.frames import decide_normalization
    from tests.tracking.tiny import predictor

    steps = predictor(network, image_size=SIDE).steps
    expected = steps.encode_image(movie.movie.read(2), decide_normalization(movie.movie))
    assert torch.allclose(first.embedding[:, 0], expected.embedding, atol=2e-2)


def test_what_was_not_used_for_longest_is_dropped():
    network, movie = tiny_network(), discs()
    store = FrameFeatureCache(network, SIDE, budget=1)
    store.clip(movie, [0, 1], View())
    store.clip(movie, [1], View())
    assert store.encoded == 2
    store.clip(movie, [0], View())
    assert store.encoded == 3
