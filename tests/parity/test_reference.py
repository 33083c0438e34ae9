"""The comparisons are worth something only if the reference runs, and runs on weights that exercise every term."""

from __future__ import annotations

import pytest
import torch

from tests.parity import reference

pytestmark = pytest.mark.parity

SIZE = 256


@pytest.fixture
def predictor():
    return reference.official_video_predictor("sam2.1-tiny", image_size=SIZE)


def test_the_same_seed_gives_the_same_weights_and_leaves_the_global_generator_alone(predictor):
    before = torch.random.get_rng_state()
    network = reference.official_network("sam2.1-tiny", image_size=SIZE)
    assert torch.equal(torch.random.get_rng_state(), before)
    ours, theirs = network.state_dict(), predictor.state_dict()
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_no_parameter_is_constant(predictor):
    constant = [n for n, p in predictor.named_parameters() if p.numel() > 1 and p.min() == p.max()]
    assert constant == []


def test_overrides_reach_the_model():
    network = reference.official_network("sam2-tiny", image_size=SIZE, overrides=["++model.max_cond_frames_in_attn=4"])
    assert network.max_cond_frames_in_attn == 4


def test_the_official_predictor_tracks_frames_in_memory_at_the_size_asked_for(predictor):
    images = torch.randn(3, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(1))
    state = reference.official_state(predictor, images, video_size=(60, 90))
    reference.shift_object_score(predictor, 1.0)
    predictor.add_new_points_or_box(state, frame_idx=0, obj_id=1, points=[[45.0, 30.0]], labels=[1])
    masks = {frame: masks for frame, _, masks in predictor.propagate_in_video(state)}
    assert {frame: mask.shape for frame, mask in masks.items()} == dict.fromkeys(range(3), (1, 1, 60, 90))
    assert all(5 < mask.abs().max() < 100 for mask in masks.values())


def test_a_shifted_object_score_makes_all_objects_absent(predictor):
    reference.shift_object_score(predictor, -10.0)
    images = torch.randn(1, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(1))
    state = reference.official_state(predictor, images)
    _, _, masks = predictor.add_new_points_or_box(state, frame_idx=0, obj_id=1, points=[[45.0, 30.0]], labels=[1])
    assert (masks == -1024).all()
