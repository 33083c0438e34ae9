"""Losses on mask logits, predicted IoU and object score."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor

from src_model.training.option_types import strict

if TYPE_CHECKING:
    from src_model.nn import MaskPrediction

_PRESENT_AREA = 1e-6
"""Covered pixels from which an object is there; above 0 for rounding alone."""


@strict
@dataclass(frozen=True, slots=True)
class LossWeights:
    """Weights of the parts of the loss of a frame, 20 : 1 : 1 : 1 as in SAM 2."""

    focal: float = 20.0
    dice: float = 1.0
    iou: float = 1.0
    object_score: float = 1.0


@dataclass(frozen=True, slots=True)
class FrameLoss:
    """Loss of one frame, of a batch of objects.

    Attributes
    ----------
    total
        Scalar, mean over the batch.
    mask, iou, object_score
        Its parts (scalars, weighted).
    """

    total: Tensor
    mask: Tensor
    iou: Tensor
    object_score: Tensor


def focal_loss(logits: Tensor, target: Tensor, *, alpha: float = 0.25, gamma: float = 2.0) -> Tensor:
    """Focal loss (Lin et al. 2017), mean over pixels.

    Parameters
    ----------
    logits, target
        ``(..., H, W)``; the target is the covered share of each pixel, 0 to 1.

    Returns
    -------
    Tensor
        ``(...)``.
    """
    entropy = F.binary_cross_entropy_with_logits(logits, target, reduction="none")
    probability = logits.sigmoid()
    missed = probability * (1 - target) + (1 - probability) * target
    balance = alpha * target + (1 - alpha) * (1 - target)
    return (balance * missed**gamma * entropy).mean(dim=(-2, -1))


def dice_loss(logits: Tensor, target: Tensor) -> Tensor:
    """One minus the soft Dice coefficient over the pixels of ``(..., H, W)``; a shape of ``(...)``."""
    probability = logits.sigmoid()
    overlap = 2 * (probability * target).sum(dim=(-2, -1))
    total = (probability + target).sum(dim=(-2, -1))
    return 1 - (overlap + 1) / (total + 1)


def mask_iou(logits: Tensor, target: Tensor) -> Tensor:
    """IoU of thresholded masks of ``(..., H, W)``; 1 where both are empty."""
    predicted, truth = logits > 0, target > 0.5
    union = (predicted | truth).sum(dim=(-2, -1))
    both = (predicted & truth).sum(dim=(-2, -1))
    return torch.where(union > 0, both / union.clamp(min=1), 1.0)


def downsample_masks(masks: Tensor, factor: int = 4) -> Tensor:
    """Covered share of each block of pixels: bool ``(..., S, S)`` to float ``(..., S / factor, S / factor)``."""
    flat = masks.flatten(0, -3).float()[:, None]
    small = F.avg_pool2d(flat, factor)
    return small.view(*masks.shape[:-2], *small.shape[-2:])


def frame_loss(prediction: MaskPrediction, target: Tensor, weights: LossWeights) -> FrameLoss:
    """Loss of a frame.

    The mask loss is that of the best mask; predicted IoUs are trained for all of them. Where the object is absent only
    its score is trained.

    Parameters
    ----------
    prediction
        M masks of B objects, logits not yet replaced where the object is absent.
    target
        ``(B, H, W)`` covered share of each pixel, at the resolution of the logits.
    weights
        Factors of the parts of the loss.

    Returns
    -------
    FrameLoss
        Means over the batch.
    """
    logits, truth = prediction.logits.float(), target[:, None].expand(prediction.logits.shape)
    present = (target.sum(dim=(-2, -1)) > _PRESENT_AREA).float()
    each = weights.focal * focal_loss(logits, truth) + weights.dice * dice_loss(logits, truth)
    mask = (each.min(dim=1).values * present).mean()
    iou_error = (prediction.iou.float() - mask_iou(logits.detach(), truth)).abs().mean(dim=1)
    iou = weights.iou * (iou_error * present).mean()
    scores = prediction.object_logits[:, 0].float()
    object_score = weights.object_score * F.binary_cross_entropy_with_logits(scores, present)
    return FrameLoss(mask + iou + object_score, mask, iou, object_score)
