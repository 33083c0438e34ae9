"""Held-out clips that are tracked, and a network that learns one of them by heart."""

from __future__ import annotations

import numpy as np
import pytest
import torch

pytest.importorskip("cv2", reason="making clips needs the extra 'recipe'")

from src_model.training.prompt_simulation import Annotator, PromptMix
from src_model.training.rollout import RolloutModule, RolloutSettings
from src_model.training.schedule import Schedule
from src_model.training.training_state import TrainingState
from tests.training.tiny import tiny_network
from tests.training_recipe.tiny import disc
from training_recipe.clips import Clip
from training_recipe.validation import copy_first_mask, track_clip, validate

MASKS = PromptMix(1, 0, 0)


def test_one_clip_is_learnt_by_heart() -> None:
    network, clip = tiny_network(), disc(3)
    state = TrainingState.fresh(network, Schedule())
    for group in state.optimizer.param_groups:
        group["lr"] = 2e-3
    module = RolloutModule(network)
    module.settings = RolloutSettings(Annotator(MASKS, second_frame=0.0), true_memory=0.0)
    images = torch.from_numpy(clip.images[None])
    before = validate(network, [clip], starts=("mask",))["all/mask"]
    for step in range(150):
        module(images, clip.masks[None], (step,))[0].backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        state.optimizer.step()
        state.optimizer.zero_grad()
        if step % 10 == 9 and validate(network, [clip], starts=("mask",))["all/mask"] >= 0.95:
            break
    after = validate(network, [clip], starts=("mask",))["all/mask"]
    assert before < 0.5
    assert after >= 0.95


def test_tracking_gives_a_mask_for_every_frame() -> None:
    network, clip = tiny_network(), disc(3)
    given = track_clip(network, clip, "mask", autocast=False)
    assert given.shape == clip.masks.shape
    assert np.array_equal(given[0], clip.masks[0])
    assert track_clip(network, clip, "click", autocast=False).dtype == np.bool_


def test_copying_the_first_mask_is_the_floor() -> None:
    still = Clip(np.zeros((3, 4, 4, 3), np.uint8), np.ones((3, 4, 4), bool), "nuclei")
    assert copy_first_mask([still]) == {"nuclei": 1.0}
