"""The neck of SAM: two convolutions on the coarsest map; the finer maps go on untouched."""

from __future__ import annotations

from torch import Tensor, nn

from src_model.nn.compute import Conv2d
from src_model.nn.layers import LayerNorm2d


class SamNeck(nn.Module):
    """Brings the coarsest feature map to the width of the mask decoder.

    Parameters
    ----------
    in_channels : int
        Channels of the coarsest map.
    out_channels : int
        Channels of the embedding.
    """

    def __init__(self, in_channels: int, out_channels: int = 256) -> None:
        super().__init__()
        self.conv1 = Conv2d(in_channels, out_channels, 1, bias=False)
        self.norm1 = LayerNorm2d(out_channels)
        self.conv2 = Conv2d(out_channels, out_channels, 3, padding=1, bias=False)
        self.norm2 = LayerNorm2d(out_channels)

    def forward(self, features: list[Tensor]) -> list[Tensor]:
        """Project the last of ``features`` (fine to coarse, (B, C, h, w) each); the others are passed on."""
        embedding = self.norm2(self.conv2(self.norm1(self.conv1(features[-1]))))
        return [*features[:-1], embedding]
