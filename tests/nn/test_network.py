"""The whole network, part by part, as a tracker uses it."""

from __future__ import annotations

import copy
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F

from src_model.nn import (
    ABSENT_LOGIT,
    MODEL_CONFIGS,
    MaskPrediction,
    MemoryTokens,
    PromptTensors,
    Sam2Network,
    build_network,
)
from tests.nn.inputs import CPU, SIDE, click, features, with_presence


@pytest.fixture
def present(network: Sam2Network) -> Sam2Network:
    return with_presence(network, 5.0)


@pytest.fixture
def absent(network: Sam2Network) -> Sam2Network:
    return with_presence(network, -5.0)


# --- images -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [64, 96, 224, 256])
def test_an_image_becomes_an_embedding_and_two_fine_maps(network: Sam2Network, size: int):
    encoded = network.encode_image(torch.randn(1, 3, size, size))
    side = size // 16
    assert encoded.embedding.shape == (1, 256, side, side)
    assert [tuple(x.shape) for x in encoded.high_res] == [(1, 32, 4 * side, 4 * side), (1, 64, 2 * side, 2 * side)]


def test_images_of_a_batch_are_encoded_alone(network: Sam2Network):
    images = torch.randn(2, 3, 64, 64)
    together = network.encode_image(images)
    alone = network.encode_image(images[1:])
    torch.testing.assert_close(alone.embedding[0], together.embedding[1], atol=1e-4, rtol=1e-4)


def test_features_of_one_image_serve_many_objects_without_a_copy():
    one = features(batch=1)
    many = one.expand(5)
    assert many.embedding.shape[0] == many.high_res[0].shape[0] == many.high_res[1].shape[0] == 5
    assert many.embedding.data_ptr() == one.embedding.data_ptr()


def test_a_first_frame_is_marked_as_having_no_memory(network: Sam2Network):
    embedding = torch.randn(2, 256, SIDE, SIDE)
    marked = network.without_memory(embedding)
    torch.testing.assert_close(marked[1, :, 2, 3], embedding[1, :, 2, 3] + network.no_mem_embed[0, 0])


# --- masks ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("multimask", "count"), [(True, 3), (False, 1)])
def test_masks_come_at_a_quarter_of_the_input_size(present: Sam2Network, multimask: bool, count: int):
    image = features()
    predicted = present.decode(image.embedding, image.high_res, click(), multimask=multimask).where_present()
    assert predicted.logits.shape == (2, count, 4 * SIDE, 4 * SIDE)
    assert predicted.iou.shape == (2, count)
    assert predicted.tokens.shape == (2, count, 256)
    assert predicted.object_logits.shape == (2, 1)


@pytest.mark.parametrize("multimask", [True, False])
def test_masks_of_an_absent_object_are_empty(absent: Sam2Network, multimask: bool):
    image = features()
    predicted = absent.decode(image.embedding, image.high_res, click(), multimask=multimask).where_present()
    assert predicted.logits.eq(ABSENT_LOGIT).all()
    assert predicted.object_logits.lt(0).all()
    assert predicted.iou.isfinite().all()


def test_one_object_may_be_absent_and_another_present(network: Sam2Network):
    image, prompts = features(16), click(16)
    predicted = network.decode(image.embedding, image.high_res, prompts, multimask=True).where_present()
    median = predicted.object_logits.median().item()
    shifted = copy.deepcopy(network)
    with torch.no_grad():
        shifted.sam_mask_decoder.pred_obj_score_head.layers[-1].bias.sub_(median)
    predicted = shifted.decode(image.embedding, image.high_res, prompts, multimask=True).where_present()
    empty = predicted.logits.eq(ABSENT_LOGIT).flatten(1).all(dim=1)
    assert 0 < empty.sum() < 16
    assert torch.equal(empty, predicted.object_logits[:, 0] <= 0)


def test_an_object_of_score_zero_is_absent(network: Sam2Network):
    undecided = with_presence(network, 0.0)
    image = features()
    predicted = undecided.decode(image.embedding, image.high_res, click(), multimask=True).where_present()
    assert predicted.logits.eq(ABSENT_LOGIT).all()
    assert torch.equal(
        undecided.object_pointer(predicted.tokens[:, 0], predicted.object_logits), undecided.no_obj_ptr.expand(2, -1)
    )


@pytest.mark.parametrize("multimask", [True, False])
def test_an_object_that_somebody_points_at_can_be_taken_as_present(absent: Sam2Network, multimask: bool):
    image, prompts = features(), click()
    taken = absent.decode(image.embedding, image.high_res, prompts, multimask=multimask).where_present(True)
    seen = (
        with_presence(absent, 5.0).decode(image.embedding, image.high_res, prompts, multimask=multimask).where_present()
    )
    assert torch.equal(taken.logits, seen.logits)
    assert taken.object_logits.gt(0).all()


def test_the_score_of_a_present_object_is_not_changed_by_pointing(present: Sam2Network):
    image = features()
    taken = present.decode(image.embedding, image.high_res, click(), multimask=True).where_present(True)
    assert taken.object_logits.eq(5).all()


def test_objects_are_decoded_alone(present: Sam2Network):
    image, prompts = features(), click()
    together = present.decode(image.embedding, image.high_res, prompts, multimask=True).where_present()
    for row in range(2):
        one = slice(row, row + 1)
        fine = (image.high_res[0][one], image.high_res[1][one])
        own = PromptTensors(prompts.points[one], prompts.labels[one])
        alone = present.decode(image.embedding[one], fine, own, multimask=True).where_present()
        torch.testing.assert_close(alone.logits[0], together.logits[row], atol=1e-4, rtol=1e-4)


def test_where_the_click_is_changes_the_mask(present: Sam2Network):
    image = features()
    here, there = (
        present.decode(image.embedding, image.high_res, click(), multimask=True).where_present() for _ in range(2)
    )
    assert not torch.allclose(here.logits, there.logits, atol=1e-4)


def test_an_earlier_mask_changes_the_mask(present: Sam2Network):
    image, prompts = features(), click()
    with_mask = replace(prompts, mask_logits=torch.randn(2, 1, 4 * SIDE, 4 * SIDE) * 10)
    plain, refined = (
        present.decode(image.embedding, image.high_res, p, multimask=False).where_present()
        for p in (prompts, with_mask)
    )
    assert not torch.allclose(plain.logits, refined.logits, atol=1e-4)


# --- pointers ---------------------------------------------------------------------------------------------------------


def test_the_pointer_of_a_present_object_is_its_projected_token(network: Sam2Network):
    tokens = torch.randn(2, 256)
    pointers = network.object_pointer(tokens, torch.tensor([[0.1], [7.0]]))
    torch.testing.assert_close(pointers, network.obj_ptr_proj(tokens))


def test_the_pointer_of_an_absent_object_is_a_fixed_one(network: Sam2Network):
    pointers = network.object_pointer(torch.randn(2, 256), torch.tensor([[-0.1], [3.0]]))
    assert torch.equal(pointers[0], network.no_obj_ptr[0])
    assert not torch.equal(pointers[1], network.no_obj_ptr[0])


# --- mask prompts -----------------------------------------------------------------------------------------------------


@pytest.fixture
def masks() -> torch.Tensor:
    """One square, one empty mask."""
    masks = torch.zeros(2, 1, 64, 64)
    masks[0, 0, 16:48, 8:40] = 1
    return masks


def test_a_mask_prompt_is_its_own_answer(present: Sam2Network, masks: torch.Tensor):
    predicted, _ = present.mask_as_output(features(), masks)
    assert predicted.logits.shape == (2, 1, 16, 16)
    assert torch.equal(predicted.logits[0, 0, 4:12, 2:10] > 0, torch.ones(8, 8, dtype=torch.bool))
    assert (predicted.logits > 0).sum() == 64
    assert predicted.logits.amin() == -10
    assert predicted.logits.amax() == 10
    assert predicted.iou.eq(1).all()


def test_an_empty_mask_prompt_says_that_the_object_is_absent(present: Sam2Network, masks: torch.Tensor):
    predicted, pointers = present.mask_as_output(features(), masks)
    assert predicted.object_logits.tolist() == [[10], [-10]]
    assert torch.equal(pointers[1], present.no_obj_ptr[0])
    assert not torch.equal(pointers[0], present.no_obj_ptr[0])


def test_the_pointer_of_a_mask_prompt_comes_from_the_decoder(present: Sam2Network, masks: torch.Tensor):
    image = features()
    _, pointers = present.mask_as_output(image, masks)
    none = PromptTensors.none(2, CPU)
    decoded = present.decode(
        image.embedding, image.high_res, replace(none, mask_logits=present.mask_downsample(masks)), multimask=False
    ).where_present()
    expected = present.object_pointer(decoded.tokens[:, 0], decoded.object_logits)
    torch.testing.assert_close(pointers[0], expected[0])


def test_a_boolean_mask_will_do(present: Sam2Network, masks: torch.Tensor):
    image = features()
    as_bool, _ = present.mask_as_output(image, masks.bool())
    as_float, _ = present.mask_as_output(image, masks)
    assert torch.equal(as_bool.logits, as_float.logits)


# --- memories ---------------------------------------------------------------------------------------------------------


def seen(logit: float = 5.0, batch: int = 2) -> torch.Tensor:
    return torch.full((batch, 1), logit)


def test_a_memory_has_64_channels_at_stride_16(network: Sam2Network):
    assert network.encode_memory(features().embedding, torch.randn(2, 1, 64, 64), seen(), binarize=False).shape == (
        2, 64, SIDE, SIDE,
    )  # fmt: skip


def test_masks_are_brought_to_the_input_size_first(network: Sam2Network):
    embedding, low = features().embedding, torch.randn(2, 1, 16, 16)
    full = F.interpolate(low, (64, 64), mode="bilinear", align_corners=False)
    small, large = (network.encode_memory(embedding, x, seen(), binarize=False) for x in (low, full))
    assert torch.equal(small, large)


def test_a_binarized_mask_is_that_of_sure_logits(network: Sam2Network):
    embedding, logits = features().embedding, torch.randn(2, 1, 64, 64)
    hard = network.encode_memory(embedding, logits, seen(), binarize=True)
    sure = network.encode_memory(embedding, 1e6 * logits, seen(), binarize=False)
    soft = network.encode_memory(embedding, logits, seen(), binarize=False)
    torch.testing.assert_close(hard, sure)
    assert not torch.allclose(hard, soft, atol=1e-3)


def test_the_memory_of_an_absent_object_is_marked(network: Sam2Network):
    embedding, logits = features().embedding, torch.full((2, 1, 64, 64), ABSENT_LOGIT)
    here = network.encode_memory(embedding, logits, seen(), binarize=False)
    gone = network.encode_memory(embedding, logits, seen(-5.0), binarize=False)
    torch.testing.assert_close((gone - here)[1, :, 2, 3], network.no_obj_embed_spatial[0], atol=1e-5, rtol=1e-4)


def test_sam2_does_not_mark_it(small_config):
    older = build_network(replace(small_config, pointer_times=False, occlusion_memory=False))
    embedding, logits = features().embedding, torch.randn(2, 1, 64, 64)
    here, gone = (older.encode_memory(embedding, logits, seen(x), binarize=False) for x in (5.0, -5.0))
    assert torch.equal(here, gone)


# --- together ---------------------------------------------------------------------------------------------------------


def track(network: Sam2Network, images: torch.Tensor) -> tuple[MaskPrediction, torch.Tensor]:
    """Click on the first image, find the object in the second; returns its mask there and its new memory."""
    first, second = (network.encode_image(x[None]).expand(2) for x in images)
    clicked = (
        network.decode(network.without_memory(first.embedding), first.high_res, click(), multimask=True)
        .where_present()
        .best()
    )
    memory = network.encode_memory(first.embedding, clicked.logits, clicked.object_logits, binarize=True)
    pointer = network.object_pointer(clicked.tokens[:, 0], clicked.object_logits)
    tokens = MemoryTokens(memory[:, None], ((0,),), pointer[:, None], ((1,),), pointer_horizon=16)
    conditioned = network.attend_memory(second.embedding, tokens)
    found = (
        network.decode(conditioned, second.high_res, PromptTensors.none(2, CPU), multimask=True).where_present().best()
    )
    return found, network.encode_memory(second.embedding, found.logits, found.object_logits, binarize=False)


@pytest.mark.parametrize("size", [224, 448])
def test_the_default_network_tracks_at_its_sizes(size: int):
    network = with_presence(build_network(MODEL_CONFIGS["default"]), 5.0)
    with torch.inference_mode():
        found, memory = track(network, torch.randn(2, 3, size, size))
    assert found.logits.shape == (2, 1, size // 4, size // 4)
    assert memory.shape == (2, 64, size // 16, size // 16)
    assert found.logits.isfinite().all()
    assert memory.isfinite().all()


def test_gradients_flow_through_a_tracked_frame_into_every_part(present: Sam2Network):
    found, memory = track(present, torch.randn(2, 3, 64, 64))
    losses = [found.logits, found.iou, found.object_logits, memory]
    sum((x * torch.randn_like(x)).sum() for x in losses).backward()
    without = {name for name, p in present.named_parameters() if p.grad is None or not p.grad.any()}
    # Used only for mask prompts, labels that were not given, absent objects, the single mask, or not at all.
    allowed = ("mask_downsample", "sam_prompt_encoder.mask_downscaling", "sam_prompt_encoder.point_embeddings",
               "no_mem_pos_enc", "no_obj_ptr", "no_obj_embed_spatial", "maskmem_tpos_enc",
               "sam_mask_decoder.output_hypernetworks_mlps", "sam_mask_decoder.pred_obj_score_head.layers")  # fmt: skip
    assert {name for name in without if not name.startswith(allowed)} == set()


def test_the_same_input_gives_the_same_output(present: Sam2Network):
    images = torch.randn(2, 3, 64, 64)
    results = []
    for _ in range(2):
        torch.manual_seed(7)
        results.append(track(present, images)[0].logits)
    assert torch.equal(*results)
