"""Necks: what brings the maps of an image trunk to the widths that the mask decoder takes."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from src_model.nn.compute import Conv2d
from src_model.nn.layers import LayerNorm2d


class FpnNeck(nn.Module):
    """The feature pyramid behind Hiera (SAM 2, section 4 and appendix D.1).

    Projects four trunk maps to one width; only stride 16 receives the upsampled stride 32.

    Parameters
    ----------
    channels
        Channels of the trunk's maps, from fine to coarse.
    width
        Channels of the result.
    """

    def __init__(self, channels: tuple[int, ...], width: int) -> None:
        super().__init__()
        # Official checkpoints number the projections from coarse to fine.
        self.convs = nn.ModuleList(nn.Sequential() for _ in channels)
        for conv, count in zip(self.convs, reversed(channels), strict=True):
            conv.add_module("conv", Conv2d(count, width, kernel_size=1))

    def forward(self, maps: list[Tensor]) -> list[Tensor]:
        """Turn maps of stride 4, 8, 16, 32 into maps of stride 4, 8, 16, each ``(B, width, H, W)``."""
        stride32, stride16, stride8, stride4 = (conv(x) for conv, x in zip(self.convs, reversed(maps), strict=True))
        upsampled = F.interpolate(stride32.float(), scale_factor=2.0, mode="nearest")
        return [stride4, stride8, stride16 + upsampled]


class SamNeck(nn.Module):
    """The neck of SAM: two convolutions on the coarsest map; the finer maps go on untouched.

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
