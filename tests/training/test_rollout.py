"""Rolling a network out over clips, on a tiny network and a moving disc."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from src_model.nn import ModelConfig, Sam2Network, build_network
from src_model.nn.image_encoder.tiny_vit import TinyViTConfig
from src_model.training.clip_batch import network_images
from src_model.training.clips import Clip
from src_model.training.prompt_simulation import PromptMix
from src_model.training.recipe import Recipe
from src_model.training.rollout import Rollout, RolloutMemory, RolloutSettings
from src_model.training.run_state import RunState
from src_model.training.validate import copy_first_mask, region_similarity, track_clip, validate

SIZE = 64


def tiny_network() -> Sam2Network:
    torch.manual_seed(0)
    trunk = TinyViTConfig(widths=(16, 32, 32, 64), depths=(1, 1, 1, 1), heads=(1, 1, 1, 2), windows=(7, 7, 14, 7))
    return build_network(
        ModelConfig("tiny", trunk, image_size=SIZE, memory_layers=1, memory_hidden=64, iou_sigmoid=False)
    )


def disc_clip(frames: int, *, absent: int | None = None) -> Clip:
    """A bright disc that moves four pixels a frame to the right; in frame ``absent`` it is missing."""
    y, x = np.mgrid[:SIZE, :SIZE]
    masks = np.stack([(y - 30) ** 2 + (x - 16 - 4 * t) ** 2 < 100 for t in range(frames)])
    if absent is not None:
        masks[absent] = False
    noise = np.random.default_rng(0).integers(0, 40, (frames, SIZE, SIZE, 3))
    images = (noise + 180 * masks[..., None]).astype(np.uint8)
    return Clip(images, masks, "real-video")


def batch_of(clip: Clip, network: Sam2Network) -> torch.Tensor:
    return network_images(clip.images[None], network.config.pixel_mean, network.config.pixel_std)


def test_images_are_normalised_channels_first() -> None:
    images = network_images(np.full((2, 4, 4, 3), 255, np.uint8), (0.5, 0.5, 0.5), (0.5, 0.25, 1.0))
    assert images.shape == (2, 3, 4, 4)
    assert images[0, :, 0, 0].tolist() == [1.0, 2.0, 0.5]


def test_memory_holds_the_first_frame_and_the_latest_ones() -> None:
    memory = RolloutMemory(recent=2, horizon=16)
    for frame in range(5):
        memory.add(torch.full((1, 64, 2, 2), float(frame)), torch.full((1, 256), float(frame)))
    tokens = memory.tokens()
    assert tokens.ages == (0, 1, 2)
    assert tokens.memories[0, :, 0, 0, 0].tolist() == [0, 4, 3]
    assert tokens.pointer_offsets == (5, 1, 2, 3, 4)
    assert tokens.pointers[0, :, 0].tolist() == [0, 4, 3, 2, 1]


def test_memory_of_one_frame_is_not_doubled() -> None:
    memory = RolloutMemory(recent=6, horizon=16)
    memory.add(torch.zeros(1, 64, 2, 2), torch.zeros(1, 256))
    assert memory.tokens().ages == (0,)
    assert memory.tokens().pointer_offsets == (1,)


@pytest.mark.parametrize("mix", [PromptMix(1, 0, 0), PromptMix(0, 1, 0), PromptMix(0, 0, 1)])
def test_every_kind_of_prompt_gives_gradients_to_every_part(mix: PromptMix) -> None:
    network = tiny_network().train()
    clip = disc_clip(4, absent=2)
    settings = RolloutSettings(prompts=mix, correction=1.0)
    rollout = Rollout(network, batch_of(clip, network), clip.masks[None], settings, np.random.default_rng(0))
    rollout.run().backward()
    # three tracked frames and a correction of one; click and box are also judged on the first frame, twice
    assert len(rollout.losses) == (4 if mix.mask else 6)
    missing = {name.split(".")[0] for name, p in network.named_parameters() if p.grad is None}
    assert missing <= {"no_mem_pos_enc", "no_obj_ptr", "no_mem_embed", "mask_downsample", "sam_prompt_encoder"}


def test_a_rollout_is_repeatable() -> None:
    network = tiny_network().train()
    clip = disc_clip(3)
    images = batch_of(clip, network)
    first, second = (
        Rollout(network, images, clip.masks[None], RolloutSettings(), np.random.default_rng(5)).run() for _ in range(2)
    )
    assert first.item() == second.item()


def test_one_clip_can_be_learnt_by_heart() -> None:
    network = tiny_network()
    state = RunState.fresh(network, Recipe())
    for group in state.optimizer.param_groups:
        group["lr"] = 2e-3
    clip = disc_clip(3)
    settings = RolloutSettings(prompts=PromptMix(1, 0, 0), correction=0.0)
    images = batch_of(clip, network)
    before = validate(network, [clip], starts=("mask",))["all/mask"]
    for step in range(40):
        loss = Rollout(network, images, clip.masks[None], settings, np.random.default_rng(step)).run()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        state.optimizer.step()
        state.optimizer.zero_grad()
    after = validate(network, [clip], starts=("mask",))["all/mask"]
    assert before < 0.5
    assert after > 0.8


def test_tracking_gives_a_mask_for_every_frame() -> None:
    network, clip = tiny_network(), disc_clip(3)
    given = track_clip(network, clip, "mask", autocast=False)
    assert given.shape == clip.masks.shape
    assert np.array_equal(given[0], clip.masks[0])
    assert track_clip(network, clip, "click", autocast=False).dtype == np.bool_


def test_region_similarity_is_the_mean_iou_over_frames() -> None:
    truth = np.zeros((3, 2, 2), bool)
    truth[:2, 0] = True
    predicted = truth.copy()
    predicted[1, 0, 0] = False
    # 1, 1/2, and 1 for the frame that is rightly empty
    assert region_similarity(predicted, truth) == pytest.approx(2.5 / 3)


def test_copying_the_first_mask_is_the_floor() -> None:
    still = Clip(np.zeros((3, 4, 4, 3), np.uint8), np.ones((3, 4, 4), bool), "nuclei")
    assert copy_first_mask([still]) == {"nuclei": 1.0}
