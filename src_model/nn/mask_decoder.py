"""The mask decoder: masks, predicted IoU and occlusion score from an embedding and prompts (SAM 2, appendix D.1)."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from src_model.nn.compute import Conv2d, linear
from src_model.nn.layers import LayerNorm2d, Mlp
from src_model.nn.two_way_transformer import TwoWayTransformer

ABSENT_LOGIT = -1024.0
"""Mask logit of every pixel of an object that is not in the frame."""


_BARELY_PRESENT = 1e-3
"""Occlusion score given to an object that somebody pointed at and the network does not see."""


@dataclass(frozen=True, slots=True)
class MaskPrediction:
    """Masks predicted for a batch of objects: M = 3 candidates for an ambiguous prompt, or M = 1.

    Attributes
    ----------
    logits
        ``(B, M, S / 4, S / 4)``; after :meth:`where_present`, all ``ABSENT_LOGIT`` where the object is absent.
    iou
        ``(B, M)`` predicted IoU of each mask with the true one.
    tokens
        ``(B, M, C)`` output tokens, from which object pointers are made.
    object_logits
        ``(B, 1)`` occlusion score; the object is present where it is positive.
    """

    logits: Tensor
    iou: Tensor
    tokens: Tensor
    object_logits: Tensor

    def where_present(self, pointed_at: Tensor | bool = False) -> MaskPrediction:
        """Empty the masks of objects that are judged absent, in float32.

        Parameters
        ----------
        pointed_at
            ``(B, 1)`` bool or one for all: take the object as present whatever its occlusion score, because somebody
            pointed at it.
        """
        pointed_at = torch.as_tensor(pointed_at, device=self.object_logits.device)
        object_logits = torch.where(pointed_at, self.object_logits.clamp(min=_BARELY_PRESENT), self.object_logits)
        logits = torch.where((object_logits > 0)[..., None, None], self.logits, ABSENT_LOGIT).float()
        return replace(self, logits=logits, object_logits=object_logits)

    def best(self) -> MaskPrediction:
        """Keep the mask of the highest predicted IoU of each object."""
        return self.chosen(self.iou.argmax(dim=1))

    def chosen(self, index: Tensor) -> MaskPrediction:
        """Keep mask ``index[b]`` of object ``b``; a token shared by all masks stays."""
        row = torch.arange(index.shape[0], device=index.device)
        token = index if self.tokens.shape[1] > 1 else torch.zeros_like(index)
        return MaskPrediction(
            self.logits[row, index][:, None],
            self.iou[row, index][:, None],
            self.tokens[row, token][:, None],
            self.object_logits,
        )


@dataclass(frozen=True, slots=True)
class StabilityRule:
    """When the single mask is too unstable to be trusted, the best of the three is given (SAM 2, appendix D.1).

    Attributes
    ----------
    delta
        Logits by which the threshold is moved up and down.
    threshold
        IoU of the two resulting masks under which the single mask counts as unstable.
    """

    delta: float = 0.05
    threshold: float = 0.98

    def is_stable(self, logits: Tensor) -> Tensor:
        """Judge ``(B, M, H, W)`` logits: ``(B, M)`` bool."""
        inner = (logits > self.delta).sum(dim=(-2, -1)).float()
        outer = (logits > -self.delta).sum(dim=(-2, -1)).float()
        return torch.where(outer > 0, inner / outer, 1.0) >= self.threshold


class MaskDecoder(nn.Module):
    """Two-way transformer, mask upscaling with high-resolution skips, IoU and occlusion heads.

    Parameters
    ----------
    width
        Channels of embedding and tokens.
    high_res_channels
        Channels of the encoder's maps of stride 4 and 8.
    iou_sigmoid
        SAM 2.x squashes the predicted IoU by a sigmoid; SAM does not.
    """

    num_masks = 4
    """One for unambiguous prompts, and three for a click that may mean a part, a whole or a group (SAM, section 3)."""

    def __init__(self, width: int, high_res_channels: tuple[int, int], *, iou_sigmoid: bool) -> None:
        super().__init__()
        self.iou_sigmoid = iou_sigmoid
        self.stability = StabilityRule()
        self.transformer = TwoWayTransformer(depth=2, width=width, num_heads=8, mlp_width=2048)
        self.iou_token = nn.Embedding(1, width)
        self.mask_tokens = nn.Embedding(self.num_masks, width)
        self.obj_score_token = nn.Embedding(1, width)
        self.output_upscaling = nn.Sequential(
            nn.ConvTranspose2d(width, width // 4, kernel_size=2, stride=2),
            LayerNorm2d(width // 4),
            nn.GELU(),
            nn.ConvTranspose2d(width // 4, width // 8, kernel_size=2, stride=2),
            nn.GELU(),
        )
        self.conv_s0 = Conv2d(high_res_channels[0], width // 8, kernel_size=1)
        self.conv_s1 = Conv2d(high_res_channels[1], width // 4, kernel_size=1)
        self.output_hypernetworks_mlps = nn.ModuleList(
            Mlp(width, width, width, width // 8) for _ in range(self.num_masks)
        )
        self.iou_prediction_head = Mlp(width, width, width, self.num_masks)
        self.pred_obj_score_head = Mlp(width, width, width, 1)

    def project_high_res(self, stride4: Tensor, stride8: Tensor) -> tuple[Tensor, Tensor]:
        """Project the encoder's fine maps once a frame, so that clicks do not repeat it."""
        return self.conv_s0(stride4), self.conv_s1(stride8)

    def forward(
        self,
        embedding: Tensor,
        positions: Tensor,
        prompt_tokens: Tensor,
        dense_prompt: Tensor,
        high_res: tuple[Tensor, Tensor],
        *,
        multimask: bool,
    ) -> MaskPrediction:
        """Predict masks.

        Parameters
        ----------
        embedding
            ``(B, C, h, w)`` image embedding, conditioned on memory or not.
        positions
            ``(1, C, h, w)`` position encoding of the image tokens.
        prompt_tokens
            ``(B, N, C)`` tokens of points and box from the prompt encoder.
        dense_prompt
            ``(B, C, h, w)``.
        high_res
            Results of :meth:`project_high_res`, ``(B, C / 8, 4 h, 4 w)`` and ``(B, C / 4, 2 h, 2 w)``.
        multimask
            Give the three candidates instead of the single mask.

        Returns
        -------
        MaskPrediction
            With M = 3 or M = 1.
        """
        every = self._predict_all(embedding, positions, prompt_tokens, dense_prompt, high_res)
        if multimask:
            return MaskPrediction(every.logits[:, 1:], every.iou[:, 1:], every.tokens[:, 1:], every.object_logits)
        return self._single(every)

    def _predict_all(
        self,
        embedding: Tensor,
        positions: Tensor,
        prompt_tokens: Tensor,
        dense_prompt: Tensor,
        high_res: tuple[Tensor, Tensor],
    ) -> MaskPrediction:
        """Predict all four masks: the single one first."""
        # The transformer tells tokens apart by their content alone; the order is only how they are found again below.
        output = torch.cat((self.obj_score_token.weight, self.iou_token.weight, self.mask_tokens.weight))
        tokens = torch.cat((output.expand(prompt_tokens.shape[0], -1, -1), prompt_tokens), dim=1)
        tokens, pixels = self.transformer(embedding + dense_prompt, positions, tokens)
        mask_tokens = tokens[:, 2 : 2 + self.num_masks]
        upscaled = self._upscale(pixels.reshape(-1, *embedding.shape[-2:], pixels.shape[-1]), high_res)
        # Each token predicts the weights of a 1 x 1 convolution that makes its mask (SAM, appendix A, "hypernetwork").
        weights = torch.stack(
            [mlp(mask_tokens[:, index]) for index, mlp in enumerate(self.output_hypernetworks_mlps)], dim=1
        )
        logits = (weights @ upscaled.flatten(1, 2).transpose(1, 2)).view(*weights.shape[:2], *upscaled.shape[1:3])
        iou = self.iou_prediction_head(tokens[:, 1])
        object_logits = self.pred_obj_score_head(tokens[:, 0])
        return MaskPrediction(logits, iou.sigmoid() if self.iou_sigmoid else iou, mask_tokens, object_logits)

    def _upscale(self, pixels: Tensor, high_res: tuple[Tensor, Tensor]) -> Tensor:
        """Refine ``(B, h, w, C)`` to ``(B, 4 h, 4 w, C / 8)`` with the fine maps."""
        first, norm, gelu, second, last = self.output_upscaling
        assert isinstance(first, nn.ConvTranspose2d)
        assert isinstance(second, nn.ConvTranspose2d)
        stride4, stride8 = (x.permute(0, 2, 3, 1) for x in high_res)
        finer = _doubled(pixels, first) + stride8
        normed = norm(finer.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
        upscaled: Tensor = last(_doubled(gelu(normed), second) + stride4)
        return upscaled

    def _single(self, every: MaskPrediction) -> MaskPrediction:
        """Give the single mask, or the best of the three where it is unstable; the single mask's token always."""
        token = every.tokens[:, :1]
        single = MaskPrediction(every.logits[:, :1], every.iou[:, :1], token, every.object_logits)
        # In training each output has a loss of its own: a choice between them would hide one of them from it.
        if self.training:
            return single
        best = MaskPrediction(every.logits[:, 1:], every.iou[:, 1:], token, every.object_logits).best()
        stable = self.stability.is_stable(single.logits)
        return MaskPrediction(
            torch.where(stable[..., None, None], single.logits, best.logits),
            torch.where(stable, single.iou, best.iou),
            token,
            every.object_logits,
        )


def _doubled(x: Tensor, layer: nn.ConvTranspose2d) -> Tensor:
    """Apply a transposed convolution of size and stride 2 to ``(B, h, w, C)``: a product that makes four of a pixel."""
    batch, height, width, _ = x.shape
    assert layer.bias is not None
    four = linear(x, layer.weight.permute(2, 3, 1, 0).flatten(0, 2), layer.bias.repeat(4))
    pixels = four.view(batch, height, width, 2, 2, layer.out_channels).transpose(2, 3)
    return pixels.reshape(batch, 2 * height, 2 * width, layer.out_channels)
