"""Encoders and mask decoder give what the official ones give, from the same random weights."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import pytest
import torch

from src_model.nn import ABSENT_LOGIT, MaskPrediction, PromptTensors
from src_model.nn.position_encoding import axial_rotations, sine_map, time_sine
from tests.parity.comparing import (
    SIDE,
    SIZE,
    Pair,
    assert_same,
    assert_same_masks,
    pair,
    presence_bias,
    shifted,
    smooth_images,
    some_features,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

pytest.importorskip("sam2", reason="the official implementation is not installed (make parity)")
pytestmark = [pytest.mark.parity, pytest.mark.usefixtures("seeded_inference")]

CPU = torch.device("cpu")


# --- position encodings -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("side", [14, 16, 32, 64])
def test_position_encodings(side: int) -> None:
    from sam2.modeling.position_encoding import PositionEmbeddingSine, compute_axial_cis

    for channels in (64, 256):
        theirs = PositionEmbeddingSine(num_pos_feats=channels)(torch.zeros(1, channels, side, side))
        assert_same(sine_map(channels, side, side, CPU), theirs)
    turns = compute_axial_cis(256, side, side)
    assert_same(axial_rotations(256, side, side, CPU), torch.view_as_real(turns))


def test_time_encoding() -> None:
    from sam2.modeling.sam2_utils import get_1d_sine_pe

    times = torch.arange(-15, 16) / 15
    assert_same(time_sine(times, 256), get_1d_sine_pe(times, dim=256))


# --- image encoder ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("sam2.1-tiny", 1024),
        ("sam2.1-tiny", 512),
        ("sam2.1-tiny", 448),  # windows fit without padding
        ("sam2-tiny", 224),
        ("sam2.1-small", 288),  # 18 tokens at stride 16: no window divides them
        ("sam2.1-base-plus", 512),
        ("sam2.1-large", 288),
        ("sam2.1-large", 256),
    ],
)
def test_image_encoder(name: str, size: int) -> None:
    networks = pair(name)
    images = smooth_images(1, size)
    theirs = networks.theirs.forward_image(images)["backbone_fpn"]
    ours = networks.ours.encode_image(images)
    for mine, reference_map in zip((*ours.high_res, ours.embedding), theirs, strict=True):
        assert_same(mine, reference_map)


def test_image_encoder_on_a_batch() -> None:
    networks = pair("sam2.1-tiny")
    images = smooth_images(3, 256)
    assert_same(networks.ours.encode_image(images).embedding, networks.theirs.forward_image(images)["backbone_fpn"][-1])


# --- prompt encoder ---------------------------------------------------------------------------------------------------


def prompt(*rows: tuple[float, float, int]) -> PromptTensors:
    table = torch.tensor(rows).view(1, -1, 3)
    return PromptTensors(table[..., :2], table[..., 2].to(torch.int32))


PROMPTS = {
    "click": prompt((100.25, 60.5, 1)),
    "clicks": prompt((100, 60, 1), (10, 250, 0), (255.5, 0, 1)),
    "box": prompt((30, 40, 2), (200.5, 180, 3)),
    "box and clicks": prompt((30, 40, 2), (200, 180, 3), (100, 100, 1), (50, 50, 0)),
    "padded": prompt((100, 60, 1), (0, 0, -1), (7, 9, -1)),
    "nothing": prompt((0, 0, -1)),
}


def encode_both(networks: Pair, prompts: PromptTensors) -> Iterator[tuple[Tensor, Tensor]]:
    theirs = networks.theirs.sam_prompt_encoder(
        points=(prompts.points, prompts.labels), boxes=None, masks=prompts.mask_logits
    )
    return zip(networks.ours.sam_prompt_encoder(prompts, SIDE, SIDE), theirs, strict=True)


@pytest.mark.parametrize("kind", PROMPTS)
def test_prompt_encoder_on_points_and_boxes(networks: Pair, kind: str) -> None:
    for ours, theirs in encode_both(networks, PROMPTS[kind]):
        assert_same(ours, theirs)


def test_a_box_given_as_such_is_two_points(networks: Pair) -> None:
    """The official encoder also takes boxes apart from points, and then appends no padding."""
    theirs, _ = networks.theirs.sam_prompt_encoder(points=None, boxes=torch.tensor([[30, 40, 200.5, 180]]), masks=None)
    ours, _ = networks.ours.sam_prompt_encoder(PROMPTS["box"], SIDE, SIDE)
    assert_same(ours[:, :2], theirs)


def test_prompt_encoder_on_masks(networks: Pair) -> None:
    logits = 10 * torch.randn(1, 1, 4 * SIDE, 4 * SIDE)
    for ours, theirs in encode_both(networks, replace(PROMPTS["clicks"], mask_logits=logits)):
        assert_same(ours, theirs)


def test_positions_of_image_tokens(networks: Pair) -> None:
    ours = networks.ours.sam_prompt_encoder.grid_positions(SIDE, SIDE)
    assert_same(ours, networks.theirs.sam_prompt_encoder.get_dense_pe())


# --- mask decoder -----------------------------------------------------------------------------------------------------


class Decoded(NamedTuple):
    """What the official SAM heads give, in their order."""

    multimasks: Tensor
    multimasks_high_res: Tensor
    ious: Tensor
    mask: Tensor
    mask_high_res: Tensor
    pointer: Tensor
    object_logits: Tensor


def decode(networks: Pair, prompts: PromptTensors, *, multimask: bool) -> tuple[MaskPrediction, Decoded]:
    """Run both decoders on the same features; scores and pointers are compared here, masks are for the caller."""
    image = some_features(prompts.points.shape[0])
    theirs = Decoded(
        *networks.theirs._forward_sam_heads(
            backbone_features=image.embedding,
            point_inputs={"point_coords": prompts.points, "point_labels": prompts.labels},
            mask_inputs=prompts.mask_logits,
            high_res_features=list(image.high_res),
            multimask_output=multimask,
        )
    )
    ours = networks.ours.decode(image.embedding, image.high_res, prompts, multimask=multimask).where_present()
    best = ours.best()
    assert_same(ours.iou, theirs.ious)
    assert_same(ours.object_logits, theirs.object_logits)
    assert_same(networks.ours.object_pointer(best.tokens[:, 0], best.object_logits), theirs.pointer)
    return ours, theirs


def batch_of(prompts: PromptTensors, batch: int) -> PromptTensors:
    """Repeat a prompt, a little moved from object to object."""
    moves = 3.0 * torch.arange(batch).view(-1, 1, 1)
    return PromptTensors(prompts.points + moves, prompts.labels.expand(batch, -1))


@pytest.mark.parametrize("multimask", [True, False])
@pytest.mark.parametrize("kind", PROMPTS)
def test_mask_decoder(networks: Pair, kind: str, multimask: bool) -> None:
    ours, theirs = decode(networks, batch_of(PROMPTS[kind], 3), multimask=multimask)
    assert ours.logits.shape[1] == (3 if multimask else 1)
    assert_same_masks(ours.logits, theirs.multimasks)
    assert_same_masks(ours.best().logits, theirs.mask)


def test_mask_decoder_on_clicks_with_an_earlier_mask(networks: Pair) -> None:
    earlier = smooth_images(2, 4 * SIDE)[:, :1] * 10
    ours, theirs = decode(networks, replace(batch_of(PROMPTS["clicks"], 2), mask_logits=earlier), multimask=False)
    assert_same_masks(ours.logits, theirs.multimasks)


@pytest.mark.parametrize(("scale", "stable"), [(0.01, False), (100.0, True)])
def test_an_unstable_single_mask_falls_back_to_the_best_of_three(networks: Pair, scale: float, stable: bool) -> None:
    """Logits of small scale lie near the threshold, so that the mask is unstable."""
    last = networks.theirs.sam_mask_decoder.output_hypernetworks_mlps[0].layers[-1]
    prompts = batch_of(PROMPTS["clicks"], 2)
    with (
        shifted(last.weight, scale=scale),
        shifted(last.bias, scale=scale),
    ):
        torch.manual_seed(1)
        ours, theirs = decode(networks, prompts, multimask=False)
        torch.manual_seed(1)
        three, _ = decode(networks, prompts, multimask=True)
    assert torch.equal(ours.logits, three.best().logits) is not stable
    assert_same_masks(ours.logits / max(scale, 1.0), theirs.multimasks / max(scale, 1.0))


@pytest.mark.parametrize("multimask", [True, False])
def test_absent_objects_have_no_mask_and_a_fixed_pointer(networks: Pair, multimask: bool) -> None:
    prompts = batch_of(PROMPTS["click"], 6)
    torch.manual_seed(2)
    usual, _ = decode(networks, prompts, multimask=multimask)
    middle = usual.object_logits[:, 0].sort().values[2:4].mean().item()
    with shifted(presence_bias(networks.theirs), offset=-middle):
        torch.manual_seed(2)
        ours, theirs = decode(networks, prompts, multimask=multimask)
    present = theirs.object_logits[:, 0] > 0
    assert 0 < present.sum() < 6
    assert_same_masks(ours.logits[present], theirs.multimasks[present])
    assert torch.equal(ours.logits[~present], theirs.multimasks[~present])
    assert theirs.multimasks[~present].eq(ABSENT_LOGIT).all()


@pytest.mark.parametrize("presence", [0.0, -10.0])
def test_a_mask_prompt_is_its_own_answer(networks: Pair, presence: float) -> None:
    """One ordinary mask, one empty; the decoder's own opinion on presence changes the pointer alone."""
    masks = torch.zeros(2, 1, SIZE, SIZE)
    masks[0, 0, 33:150, 21:90] = 1
    image = some_features(2)
    with shifted(presence_bias(networks.theirs), offset=presence):
        theirs = Decoded(*networks.theirs._use_mask_as_output(image.embedding, list(image.high_res), masks))
        ours, pointer = networks.ours.mask_as_output(image, masks)
    assert_same(ours.logits, theirs.mask)
    assert_same(pointer, theirs.pointer)
    assert torch.equal(ours.iou, theirs.ious)
    assert torch.equal(ours.object_logits, theirs.object_logits)
    assert torch.equal(theirs.object_logits, torch.tensor([[10.0], [-10.0]]))
