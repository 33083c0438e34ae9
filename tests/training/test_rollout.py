"""Rolling a network out over clips, on a tiny network and a moving disc."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from src_model.nn import MaskPrediction, PromptTensors, Sam2Network
from src_model.nn.mask_decoder import ABSENT_LOGIT
from src_model.training.prompt_simulation import Annotator, PromptMix
from src_model.training.rollout import (
    Rollout,
    RolloutModule,
    RolloutSettings,
    as_in_use,
    encode_clips,
    normalised,
)
from tests.training.tiny import DiscClip, disc_clip, tiny_network

MASKS = PromptMix(1, 0, 0)


def rollout_of(
    network: Sam2Network, clip: DiscClip, annotator: Annotator, seed: int = 0, copies: int = 1, **settings: object
) -> Rollout:
    images = normalised(torch.from_numpy(clip.images[None]), network.config.pixel_mean, network.config.pixel_std)
    masks = np.stack([clip.masks] * copies)
    chosen = RolloutSettings(annotator, **settings)
    return Rollout(network, encode_clips(network, images), masks, chosen, np.random.default_rng(seed))


def test_images_are_normalised_channels_first() -> None:
    white = torch.full((2, 4, 4, 3), 255, dtype=torch.uint8)
    images = normalised(white, (0.5, 0.5, 0.5), (0.5, 0.25, 1.0))
    assert images.shape == (2, 3, 4, 4)
    assert images[0, :, 0, 0].tolist() == [1.0, 2.0, 0.5]


@pytest.mark.parametrize("mix", [MASKS, PromptMix(0, 1, 0), PromptMix(0, 0, 1)])
def test_every_kind_of_prompt_gives_gradients_to_every_part(mix: PromptMix) -> None:
    network = tiny_network().train()
    annotator = Annotator(mix, second_frame=1.0, ahead=0.0, correction=1.0, most_clicks=1)
    rollout = rollout_of(network, disc_clip(4, absent=2), annotator)
    rollout.run().backward()
    # Three tracked frames and a correction of one; a first click or box is judged too, and so is its correction.
    assert len(rollout.losses) == (4 if mix == MASKS else 6)
    missing = {name.split(".")[0] for name, p in network.named_parameters() if p.grad is None}
    assert missing <= {"no_mem_pos_enc", "no_obj_ptr", "no_mem_embed", "mask_downsample", "sam_prompt_encoder"}


def test_a_corrected_frame_becomes_a_conditioning_frame() -> None:
    annotator = Annotator(MASKS, second_frame=1.0, ahead=0.0)
    rollout = rollout_of(tiny_network(), disc_clip(4), annotator)
    rollout.run()
    corrected, *_ = set(rollout.memory.bank.conditioning) - {0} or {3}
    assert corrected in {1, 2, 3}
    # The last frame leaves no memory, whatever happened to it.
    assert 3 not in rollout.memory.bank.recent


def test_a_frame_prompted_ahead_is_not_tracked() -> None:
    annotator = Annotator(MASKS, second_frame=1.0, ahead=1.0)
    rollout = rollout_of(tiny_network(), disc_clip(4), annotator)
    rollout.run()
    assert len(rollout.memory.bank.conditioning) == 2
    assert len(rollout.losses) == 2


def test_no_frame_without_the_object_is_prompted_ahead() -> None:
    annotator = Annotator(MASKS, second_frame=1.0, ahead=1.0)
    clip = disc_clip(2, absent=1)
    rollout = rollout_of(tiny_network(), clip, annotator)
    rollout.run()
    assert set(rollout.memory.bank.conditioning) == {0}


def test_a_still_is_a_clip_of_one_frame_and_is_never_prompted_by_its_mask() -> None:
    rollout = rollout_of(tiny_network(), disc_clip(1), Annotator(MASKS, correction=0.0))
    assert rollout.run() > 0
    assert len(rollout.losses) == 1


def test_several_objects_share_one_encoded_image() -> None:
    rollout = rollout_of(tiny_network(), disc_clip(2), Annotator(), copies=3)
    assert rollout.clip_features.embedding.shape[:2] == (1, 2)
    assert rollout.run().ndim == 0
    assert rollout.memory.bank.entry(0).pointer.shape[0] == 3


def test_clicks_share_the_weight_of_a_correction() -> None:
    annotator = Annotator(MASKS, second_frame=1.0, ahead=0.0, most_clicks=5)
    rollout = rollout_of(tiny_network(), disc_clip(2), annotator, seed=3)
    rollout.run()
    (_, _), *clicks = rollout.losses
    assert sum(weight for weight, _ in clicks) == pytest.approx(rollout.settings.prompted_weight)


def test_what_is_pointed_at_is_present_and_what_is_absent_is_empty() -> None:
    logits = torch.ones(2, 1, 4, 4)
    prediction = MaskPrediction(logits, torch.ones(2, 1), torch.zeros(2, 1, 8), torch.full((2, 1), -3.0))
    prompts = PromptTensors(torch.zeros(2, 1, 2), torch.tensor([[1], [0]]))
    answer = as_in_use(prediction, prompts)
    assert (answer.object_logits > 0).flatten().tolist() == [True, False]
    assert answer.logits[:, 0, 0, 0].tolist() == [1.0, ABSENT_LOGIT]


def test_masks_are_tracked_and_judged_with_the_target_model_as_in_use(monkeypatch: pytest.MonkeyPatch) -> None:
    network, clip, given = tiny_network(), disc_clip(4), []
    decode = Sam2Network.decode

    def noted(self: Sam2Network, *arguments: object, **options: object) -> MaskPrediction:
        given.extend([options["prior"]] if options.get("prior") else [])
        return decode(self, *arguments, **options)

    monkeypatch.setattr(Sam2Network, "decode", noted)
    rollout = rollout_of(network, clip, Annotator(MASKS, second_frame=0.0))
    rollout.run()
    assert [prior.logits.shape for prior in given] == [(1, 1, 16, 16)] * 3
    # The disc is far brighter than what is around it, and the prior says so on the first tracked frame.
    disc = rollout.targets[:, 1].reshape(1, 1, 16, 16) > 0.5
    assert given[0].logits[disc].mean() > given[0].logits[~disc].mean()
    assert not any(prior.logits.requires_grad for prior in given)


def test_the_target_model_can_be_left_out_of_training() -> None:
    rollout = rollout_of(tiny_network(), disc_clip(3), Annotator(MASKS, second_frame=0.0), target_model=False)
    rollout.run()
    assert rollout.memory.samples(2) == []


def test_target_models_do_not_learn_from_tracked_frames_that_the_network_was_not_sure_of() -> None:
    network = tiny_network()
    torch.nn.init.zeros_(network.sam_mask_decoder.iou_prediction_head.layers[-1].weight)
    torch.nn.init.constant_(network.sam_mask_decoder.iou_prediction_head.layers[-1].bias, 0.5)
    rollout = rollout_of(network, disc_clip(3), Annotator(MASKS, second_frame=0.0), true_memory=0.0)
    rollout.run()
    ((_, prompted), (_, tracked)) = rollout.memory.samples(2)[0]
    assert float(prompted.weights.sum()) > 0
    assert float(tracked.weights.sum()) == 0


def test_a_rollout_is_repeatable() -> None:
    module = RolloutModule(tiny_network())
    clip = disc_clip(3)
    first, second = (module(torch.from_numpy(clip.images[None]), clip.masks[None], (5,)) for _ in range(2))
    assert first.tolist() == second.tolist()
