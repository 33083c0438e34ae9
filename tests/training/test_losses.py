"""Losses against values computed by hand."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from src_model.nn import MaskPrediction
from src_model.training.losses import LossWeights, dice_loss, downsample_masks, focal_loss, frame_loss, mask_iou


def prediction(logits: Tensor, iou: Tensor, object_logit: float = 0.0) -> MaskPrediction:
    batch, masks = iou.shape
    return MaskPrediction(logits, iou, torch.zeros(batch, masks, 4), torch.full((batch, 1), object_logit))


def test_focal_loss_of_an_undecided_pixel_is_its_entropy_weighted() -> None:
    # p = 1/2: entropy log 2, modulation 1/4, balance alpha for object and 1 - alpha for background
    loss = focal_loss(torch.zeros(2, 1, 1), torch.tensor([[[1.0]], [[0.0]]]))
    expected = [0.25 * 0.25 * math.log(2), 0.75 * 0.25 * math.log(2)]
    torch.testing.assert_close(loss, torch.tensor(expected))


def test_focal_loss_of_a_sure_and_right_pixel_vanishes() -> None:
    assert focal_loss(torch.full((1, 2, 2), 20.0), torch.ones(1, 2, 2)).item() < 1e-9


def test_dice_loss_counts_overlap_with_one_pixel_of_smoothing() -> None:
    logits = torch.tensor([[[100.0, 100.0], [-100.0, -100.0]]])
    target = torch.tensor([[[1.0, 0.0], [1.0, 0.0]]])
    # overlap 1 pixel, 2 + 2 pixels: 1 - (2 + 1) / (4 + 1)
    assert dice_loss(logits, target).item() == pytest.approx(0.4)


def test_iou_of_two_empty_masks_is_one() -> None:
    logits = torch.tensor([[[-1.0, -1.0]], [[1.0, 1.0]], [[1.0, -1.0]]])
    target = torch.tensor([[[0.0, 0.0]], [[1.0, 0.0]], [[0.0, 1.0]]])
    assert mask_iou(logits, target).tolist() == [1.0, 0.5, 0.0]


def test_downsampled_masks_hold_the_covered_share() -> None:
    masks = torch.zeros(1, 2, 8, 8, dtype=torch.bool)
    masks[0, 1, :4, :2] = True
    small = downsample_masks(masks)
    assert small.shape == (1, 2, 2, 2)
    assert small[0, 1].tolist() == [[0.5, 0.0], [0.0, 0.0]]


def test_only_the_best_of_the_masks_is_trained_but_every_predicted_iou() -> None:
    target = torch.ones(1, 4, 4)
    logits = torch.stack((torch.full((4, 4), 3.0), torch.full((4, 4), -3.0)))[None].requires_grad_()
    iou = torch.tensor([[0.5, 0.5]], requires_grad=True)
    frame_loss(prediction(logits, iou), target, LossWeights()).total.backward()
    assert logits.grad is not None
    assert iou.grad is not None
    assert logits.grad[0, 0].abs().sum() > 0
    assert logits.grad[0, 1].abs().sum() == 0
    # the first is to rise towards 1, the second to fall towards 0
    assert iou.grad[0, 0] < 0 < iou.grad[0, 1]


def test_an_absent_object_trains_its_score_alone() -> None:
    logits = torch.full((1, 1, 4, 4), 5.0)
    loss = frame_loss(prediction(logits, torch.ones(1, 1), object_logit=0.0), torch.zeros(1, 4, 4), LossWeights())
    assert loss.mask.item() == 0
    assert loss.iou.item() == 0
    assert loss.object_score.item() == pytest.approx(math.log(2))
    assert loss.total.item() == pytest.approx(math.log(2))


def test_the_parts_are_weighted_twenty_to_one_to_one_to_one() -> None:
    # Undecided about an object that fills the frame: p = 1/2 everywhere.
    loss = frame_loss(prediction(torch.zeros(1, 1, 4, 4), torch.tensor([[0.3]])), torch.ones(1, 4, 4), LossWeights())
    focal = 20 * 0.25 * 0.5**2 * math.log(2)
    dice = 1 - (2 * 8 + 1) / (8 + 16 + 1)
    assert loss.mask.item() == pytest.approx(focal + dice)
    # Half is not over half: the mask is empty, its IoU 0.
    assert loss.iou.item() == pytest.approx(0.3)
    assert loss.object_score.item() == pytest.approx(math.log(2))
    assert loss.total.item() == pytest.approx(focal + dice + 0.3 + math.log(2))
