"""The image model that draws the pseudo-labels: one encoder pass a frame, many prompts on it.

The weights are those of an image model, made for pictures whose long side fills the input and whose rest is zero; the
squashing that tracking uses would cost quality that labels need.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from src_model.nn import ImageFeatures, PromptTensors
from src_model.nn.prompt_encoder import BOX_BOTTOM_RIGHT, BOX_TOP_LEFT, POSITIVE
from training_recipe.clips.framing import object_box

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from src_model.nn import Sam2Network
    from training_recipe.clips.clip import BoolArray, ByteArray, FloatArray

_PROMPTS_AT_ONCE = 16
_MASK_LOGIT = 8.0
_STABILITY_OFFSET = 1.0


@dataclass(frozen=True, slots=True)
class EncodedFrame:
    """A frame as the network sees it.

    Attributes
    ----------
    features
        Of the padded square.
    shape
        (Y, X) of the frame that masks are given for.
    share
        (y, x) share of the square that the frame fills.
    """

    features: ImageFeatures
    shape: tuple[int, int]
    share: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Answers:
    """What the network answers to N prompts with M readings each.

    Attributes
    ----------
    logits : (N, M, Y, X) float32
        At the size of the frame.
    scores, stability : (N, M) float32
        Predicted IoU, and IoU of the mask cut higher with the mask cut lower.
    """

    logits: FloatArray
    scores: FloatArray
    stability: FloatArray


class Segmenter:
    """Answers many prompts on one frame.

    Parameters
    ----------
    network : Sam2Network
        Without a memory it is an image model.
    size : int
        Side of the square input, a multiple of 16.
    """

    def __init__(self, network: Sam2Network, size: int = 1024) -> None:
        self._network = network
        self._size = size

    @torch.no_grad()
    def encode(self, image: ByteArray, shape: tuple[int, int]) -> EncodedFrame:
        """Encode a frame (Y, X, 3) of any size; masks of `shape` (Y, X) will be given for it."""
        scale = self._size / max(image.shape[:2])
        height, width = (round(side * scale) for side in image.shape[:2])
        method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        resized = np.asarray(cv2.resize(image, (width, height), interpolation=method), np.uint8)
        config = self._network.config
        mean, std = (torch.tensor(values).view(3, 1, 1) for values in (config.pixel_mean, config.pixel_std))
        pixels = (torch.from_numpy(resized).permute(2, 0, 1).float() / 255 - mean) / std
        padded = F.pad(pixels, (0, self._size - width, 0, self._size - height))[None]
        with torch.autocast("cpu", torch.bfloat16):
            features = self._network.encode_image(padded)
        first, second = (level.float() for level in features.high_res)
        share = (height / self._size, width / self._size)
        return EncodedFrame(ImageFeatures(features.embedding.float(), (first, second)), shape, share)

    def click(self, frame: EncodedFrame, points: NDArray[np.float64]) -> Answers:
        """Give three readings of each click (N, 2), order y, x, in pixels of the frame."""
        places = self._places(frame, points[:, None])
        labels = torch.full(places.shape[:2], POSITIVE, dtype=torch.int64)
        return self._answer(frame, PromptTensors(places, labels), multimask=True)

    def redraw(self, frame: EncodedFrame, masks: BoolArray) -> Answers:
        """Draw masks (N, Y, X), none of them empty, again: each is given as its box and as where it should be."""
        boxes = np.array([object_box(mask) for mask in masks], np.float64)
        places = self._places(frame, boxes.reshape(-1, 2, 2))
        labels = torch.tensor([[BOX_TOP_LEFT, BOX_BOTTOM_RIGHT]]).expand(len(boxes), -1)
        return self._answer(frame, PromptTensors(places, labels, self._earlier(frame, masks)), multimask=False)

    def _places(self, frame: EncodedFrame, points: NDArray[np.float64]) -> Tensor:
        """(N, K, 2) of y, x in the frame to x, y in the input."""
        scale = self._size * np.array(frame.share) / np.array(frame.shape)
        return torch.from_numpy(np.ascontiguousarray((points * scale)[..., ::-1], np.float32))

    def _earlier(self, frame: EncodedFrame, masks: BoolArray) -> Tensor:
        side = self._size // 4
        height, width = (round(side * share) for share in frame.share)
        logits = torch.from_numpy(masks)[:, None].float() * (2 * _MASK_LOGIT) - _MASK_LOGIT
        small = F.interpolate(logits, (height, width), mode="bilinear", antialias=True)
        return F.pad(small, (0, side - width, 0, side - height), value=-_MASK_LOGIT)

    @torch.no_grad()
    def _answer(self, frame: EncodedFrame, prompts: PromptTensors, *, multimask: bool) -> Answers:
        parts = []
        for first in range(0, len(prompts.points), _PROMPTS_AT_ONCE):
            rows = slice(first, first + _PROMPTS_AT_ONCE)
            earlier = None if prompts.mask_logits is None else prompts.mask_logits[rows]
            part = PromptTensors(prompts.points[rows], prompts.labels[rows], earlier)
            parts.append(self._decode(frame, part, multimask=multimask))
        logits, scores, stability = (torch.cat(values).numpy() for values in zip(*parts, strict=True))
        return Answers(logits, scores, stability)

    def _decode(self, frame: EncodedFrame, prompts: PromptTensors, *, multimask: bool) -> tuple[Tensor, Tensor, Tensor]:
        logits, scores = self._sam_masks(frame, prompts)
        wanted = slice(1, None) if multimask else slice(0, 1)
        height, width = (round(self._size // 4 * share) for share in frame.share)
        filled = logits[:, wanted, :height, :width]
        inner = (filled > _STABILITY_OFFSET).sum(dim=(-2, -1)).float()
        outer = (filled > -_STABILITY_OFFSET).sum(dim=(-2, -1)).float()
        drawn = F.interpolate(filled, frame.shape, mode="bilinear", align_corners=False)
        return drawn, scores[:, wanted], inner / outer.clamp(min=1)

    def _sam_masks(self, frame: EncodedFrame, prompts: PromptTensors) -> tuple[Tensor, Tensor]:
        """All four masks (N, 4, h, w) of the filled part and their scores (N, 4) as SAM draws them.

        Without the object score's token: an image model has not learned it, and next to an untrained one its masks
        are far worse. Without the padding, which is most of the decoder's work in wide frames.
        """
        decoder, encoder = self._network.sam_mask_decoder, self._network.sam_prompt_encoder
        side = self._size // 16
        height, width = (math.ceil(side * share) for share in frame.share)
        prompt_tokens, dense = encoder(prompts, side, side)
        positions = encoder.grid_positions(side, side)[..., :height, :width]
        embedding = self._network.without_memory(frame.features.embedding) + dense
        own = torch.cat((decoder.iou_token.weight, decoder.mask_tokens.weight))
        tokens = torch.cat((own.expand(len(prompts.points), -1, -1), prompt_tokens), dim=1)
        with torch.autocast("cpu", torch.bfloat16):
            tokens, pixels = decoder.transformer(embedding[..., :height, :width], positions, tokens)
            upscaled = decoder.output_upscaling(pixels.transpose(1, 2).unflatten(2, (height, width)))
            heads = decoder.output_hypernetworks_mlps
            weights = torch.stack([head(tokens[:, 1 + index]) for index, head in enumerate(heads)], dim=1)
            logits = (weights @ upscaled.flatten(2)).unflatten(2, upscaled.shape[-2:])
            scores = decoder.iou_prediction_head(tokens[:, 0])
        return logits.float(), scores.float()
