"""The prompt encoder: points, boxes and masks as tokens and a dense map (Kirillov et al. 2023, section 3)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from src_model.nn.compute import WeightCache
from src_model.nn.layers import LayerNorm2d
from src_model.nn.position_encoding import RandomFourierEncoding

PADDING, NEGATIVE, POSITIVE, BOX_TOP_LEFT, BOX_BOTTOM_RIGHT = -1, 0, 1, 2, 3
"""What the label of a prompt point means."""


@dataclass(frozen=True, slots=True)
class PromptTensors:
    """The prompts of a batch of objects, one row an object.

    Attributes
    ----------
    points
        ``(B, N, 2)`` float, x and y in pixels of the network input.
    labels
        ``(B, N)`` integers: -1 padding, 0 negative, 1 positive, 2 and 3 the corners of a box.
    mask_logits
        ``(B, 1, S / 4, S / 4)`` logits of an earlier prediction, or None.
    """

    points: Tensor
    labels: Tensor
    mask_logits: Tensor | None = None

    @classmethod
    def none(cls, batch: int, device: torch.device) -> PromptTensors:
        """Return what a tracked frame gives the decoder: a single padding point."""
        points = torch.zeros(batch, 1, 2, device=device)
        return cls(points, torch.full((batch, 1), PADDING, dtype=torch.int64, device=device))


class PromptEncoder(nn.Module):
    """Encodes prompts for the mask decoder.

    Parameters
    ----------
    width
        Channels of the tokens.
    mask_channels
        Hidden channels of the mask branch.
    """

    def __init__(self, width: int, mask_channels: int = 16) -> None:
        super().__init__()
        self.pe_layer = RandomFourierEncoding(width // 2)
        self.point_embeddings = nn.ModuleList(nn.Embedding(1, width) for _ in range(4))
        self.not_a_point_embed = nn.Embedding(1, width)
        self.mask_downscaling = nn.Sequential(
            nn.Conv2d(1, mask_channels // 4, kernel_size=2, stride=2),
            LayerNorm2d(mask_channels // 4),
            nn.GELU(),
            nn.Conv2d(mask_channels // 4, mask_channels, kernel_size=2, stride=2),
            LayerNorm2d(mask_channels),
            nn.GELU(),
            nn.Conv2d(mask_channels, width, kernel_size=1),
        )
        self.no_mask_embed = nn.Embedding(1, width)
        self._grid: WeightCache[Tensor] = WeightCache()

    def forward(self, prompts: PromptTensors, height: int, width: int) -> tuple[Tensor, Tensor]:
        """Encode prompts for an embedding of ``height`` x ``width`` tokens.

        Returns
        -------
        tuple of Tensor
            Tokens ``(B, N + 1, C)`` (one padding point is always appended) and the dense map
            ``(B, C, height, width)``.
        """
        return self._encode_points(prompts, height, width), self._encode_mask(prompts, height, width)

    def _encode_points(self, prompts: PromptTensors, height: int, width: int) -> Tensor:
        # SAM appends a padding point where there is no box; here boxes are two points, so that there never is one.
        labels = F.pad(prompts.labels, (0, 1), value=PADDING)[..., None]
        size = prompts.points.new_tensor([16 * width, 16 * height])
        # Half a pixel leads from the corner of a pixel to its centre.
        encoded: Tensor = self.pe_layer(F.pad((prompts.points + 0.5) / size, (0, 0, 0, 1)))
        kinds = torch.cat([embedding(labels.new_zeros(1)) for embedding in self.point_embeddings])
        tokens = encoded + kinds[labels[..., 0].clamp(min=0)]
        return torch.where(labels == PADDING, self.not_a_point_embed.weight, tokens)

    def _encode_mask(self, prompts: PromptTensors, height: int, width: int) -> Tensor:
        if prompts.mask_logits is None:
            batch = prompts.points.shape[0]
            return self.no_mask_embed.weight[:, :, None, None].expand(batch, -1, height, width)
        size = (4 * height, 4 * width)
        logits = prompts.mask_logits
        if logits.shape[-2:] != size:
            logits = F.interpolate(logits.float(), size, mode="bilinear", align_corners=False, antialias=True)
        dense: Tensor = self.mask_downscaling(logits)
        return dense

    def grid_positions(self, height: int, width: int) -> Tensor:
        """Position encoding of the image tokens, in the same space as the points: ``(1, C, height, width)``."""
        source = self.pe_layer.positional_encoding_gaussian_matrix
        return self._grid.get((source,), (height, width), lambda: self.pe_layer.grid(height, width))
