"""The memory encoder: a frame's embedding and its mask become a spatial memory (SAM 2, section 4)."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

from src_model.nn.compute import Conv2d, Linear, compute_tiled
from src_model.nn.layers import LayerNorm2d


class MaskDownsampler(nn.Module):
    """Four stride-2 convolutions that bring a mask from stride 1 to stride 16."""

    def __init__(self, width: int) -> None:
        super().__init__()
        channels = (1, 4, 16, 64, 256)
        self.encoder = nn.Sequential()
        for source, target in pairwise(channels):
            # With one channel there is nothing to gain from keeping channels together.
            layer = nn.Conv2d if source == 1 else Conv2d
            self.encoder.append(layer(source, target, kernel_size=3, stride=2, padding=1))
            self.encoder.append(LayerNorm2d(target))
            self.encoder.append(nn.GELU())
        self.encoder.append(Conv2d(channels[-1], width, kernel_size=1))

    def forward(self, mask: Tensor) -> Tensor:
        """Encode ``(B, 1, S, S)`` as ``(B, width, S / 16, S / 16)``."""
        encoded = compute_tiled(self._encode, mask.permute(0, 2, 3, 1), widest=1, halo=16, stride=16)
        return encoded.permute(0, 3, 1, 2)

    def _encode(self, mask: Tensor) -> Tensor:
        encoded: Tensor = self.encoder(mask.permute(0, 3, 1, 2))
        return encoded.permute(0, 2, 3, 1)


class ConvNeXtBlock(nn.Module):
    """A ConvNeXt block (Liu et al. 2022) with layer scale."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.dwconv = Conv2d(width, width, kernel_size=7, padding=3, groups=width)
        self.norm = LayerNorm2d(width)
        self.pwconv1 = Linear(width, 4 * width)
        self.pwconv2 = Linear(4 * width, width)
        # Layer scale (Touvron et al. 2021), so small that a fresh block passes on what it is given.
        self.gamma = nn.Parameter(torch.full((width,), 1e-6))

    def forward(self, x: Tensor) -> Tensor:
        """Refine ``(B, C, H, W)``."""
        inner = self.norm(self.dwconv(x)).permute(0, 2, 3, 1)
        inner = self.gamma * self.pwconv2(self.pwconv1(inner, "gelu"))
        result: Tensor = x + inner.permute(0, 3, 1, 2)
        return result


class Fuser(nn.Module):
    """A stack of ConvNeXt blocks."""

    def __init__(self, width: int, depth: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(ConvNeXtBlock(width) for _ in range(depth))

    def forward(self, x: Tensor) -> Tensor:
        """Refine ``(B, C, H, W)``."""
        for layer in self.layers:
            x = layer(x)
        return x


class MemoryEncoder(nn.Module):
    """Fuses an embedding and a mask into a memory map.

    Parameters
    ----------
    width
        Channels of the embedding.
    memory_width
        Channels of the memory.
    """

    def __init__(self, width: int, memory_width: int) -> None:
        super().__init__()
        self.mask_downsampler = MaskDownsampler(width)
        self.pix_feat_proj = Conv2d(width, width, kernel_size=1)
        self.fuser = Fuser(width, depth=2)
        self.out_proj = Conv2d(width, memory_width, kernel_size=1)

    def forward(self, embedding: Tensor, mask: Tensor) -> Tensor:
        """Encode a memory.

        Parameters
        ----------
        embedding
            ``(B or 1, C, h, w)`` image embedding, not conditioned on memory.
        mask
            ``(B, 1, 16 h, 16 w)`` mask values scaled to -10..10.

        Returns
        -------
        Tensor
            ``(B, memory_width, h, w)``.
        """
        fused = self.fuser(self.pix_feat_proj(embedding) + self.mask_downsampler(mask))
        memory: Tensor = self.out_proj(fused)
        return memory
