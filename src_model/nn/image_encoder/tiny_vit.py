"""TinyViT-5M as MobileSAM arranges it: a small image trunk whose last stage stays at stride 16.

Batch norms are folded into biased convolutions, so the trunk has no running statistics and behaves alike in training
and evaluation. Feature maps are kept channels-last in memory: windows and linear layers then read them without a copy.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from src_model.nn.compute import Conv2d, Linear, WeightCache, attend, compute_tiled
from src_model.nn.image_encoder.necks import SamNeck
from src_model.nn.image_encoder.windows import attend_in_windows, edge_bias, skips_padding

_HEAD_WIDTH = 32
"""Channels of an attention head, in every stage."""
_OUTPUT_STAGES = (0, 1, 3)
"""Stages whose maps leave the trunk, of stride 4, 8 and 16; stage 2 has the stride of stage 3 and leads to it."""


@dataclass(frozen=True, slots=True)
class TinyViTConfig:
    """Sizes of a TinyViT: per stage the width, the number of blocks, of attention heads, and the window in tokens.

    The first stage is convolutional; its number of heads and its window are not used.
    """

    widths: tuple[int, int, int, int] = (64, 128, 160, 320)
    depths: tuple[int, int, int, int] = (2, 2, 6, 2)
    heads: tuple[int, int, int, int] = (2, 4, 5, 10)
    windows: tuple[int, int, int, int] = (7, 7, 14, 7)

    def build_trunk(self) -> TinyViT:
        """Make the trunk with freshly initialised weights."""
        return TinyViT(self)

    def build_neck(self, width: int) -> SamNeck:
        """Make the neck that brings the coarsest map to ``width`` channels."""
        return SamNeck(self.widths[-1], width)

    @property
    def high_res_channels(self) -> tuple[int, int]:
        """Channels of the maps of stride 4 and 8."""
        return self.widths[0], self.widths[1]

    @property
    def size_multiple(self) -> int:
        """The side of an input image must be a multiple of this."""
        return 16


class TinyViT(nn.Module):
    """Image trunk with outputs at stride 4, 8 and 16.

    Parameters
    ----------
    config : TinyViTConfig
        Widths, depths, heads and windows of the four stages.

    Attributes
    ----------
    channels : tuple of int
        Channels of the outputs, from fine to coarse.
    """

    def __init__(self, config: TinyViTConfig) -> None:
        super().__init__()
        widths = config.widths
        self.channels: tuple[int, ...] = tuple(widths[stage] for stage in _OUTPUT_STAGES)
        self.patch_embed = PatchEmbed(widths[0])
        self.layers = nn.ModuleList()
        for stage, (width, depth) in enumerate(zip(widths, config.depths, strict=True)):
            blocks: list[nn.Module]
            if stage == 0:
                blocks = [ConvBlock(width) for _ in range(depth)]
            else:
                blocks = [AttentionBlock(width, config.heads[stage], config.windows[stage]) for _ in range(depth)]
            last = stage == len(widths) - 1
            # The last merging keeps the resolution, so that the neck sees stride 16.
            merging = None if last else PatchMerging(width, widths[stage + 1], stride=2 if stage < 2 else 1)
            self.layers.append(TinyViTStage(blocks, merging))

    def forward(self, images: Tensor) -> list[Tensor]:
        """Encode images.

        Parameters
        ----------
        images : Tensor
            (B, 3, H, W) normalised images; H and W are multiples of 16.

        Returns
        -------
        list of Tensor
            (B, C, H / s, W / s) for the strides s = 4, 8, 16.
        """
        x = self.patch_embed(images.contiguous(memory_format=torch.channels_last).permute(0, 2, 3, 1))
        outputs = []
        for index, stage in enumerate(self.layers):
            output, x = stage(x)
            if index in _OUTPUT_STAGES:
                outputs.append(output.permute(0, 3, 1, 2))
        return outputs


class TinyViTStage(nn.Module):
    """The blocks of one resolution and the merging that leads to the next stage."""

    def __init__(self, blocks: list[nn.Module], downsample: PatchMerging | None) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(blocks)
        self.downsample = downsample

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Map (B, H, W, C) to this stage's output of the same shape, and to what the next stage starts from."""
        for block in self.blocks:
            x = block(x)
        return x, x if self.downsample is None else self.downsample(x)


class PatchEmbed(nn.Module):
    """Two strided convolutions from an image to stride 4."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv1 = Conv2d(3, width // 2, 3, stride=2, padding=1)
        self.conv2 = Conv2d(width // 2, width, 3, stride=2, padding=1)

    def forward(self, images: Tensor) -> Tensor:
        """(B, H, W, 3) to (B, H / 4, W / 4, width)."""
        return compute_tiled(self._embed, images, widest=self.conv1.out_channels // 4, halo=4, stride=4)

    def _embed(self, images: Tensor) -> Tensor:
        return _to_tokens(self.conv2(self.conv1(_to_map(images), "gelu")))


class ConvBlock(nn.Module):
    """Inverted bottleneck with a depthwise 3x3 convolution, added to its input."""

    def __init__(self, width: int) -> None:
        super().__init__()
        hidden = 4 * width
        self.conv1 = Conv2d(width, hidden, 1)
        self.conv2 = Conv2d(hidden, hidden, 3, padding=1, groups=hidden)
        self.conv3 = Conv2d(hidden, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(B, H, W, C) to the same shape."""
        return compute_tiled(self._refine, x, widest=self.conv1.out_channels, halo=1)

    def _refine(self, x: Tensor) -> Tensor:
        y = self.conv2(self.conv1(_to_map(x), "gelu"), "gelu")
        return F.gelu(x + _to_tokens(self.conv3(y)))


class PatchMerging(nn.Module):
    """Change of width between stages, halving the resolution when ``stride`` is 2."""

    def __init__(self, width: int, out_width: int, stride: int) -> None:
        super().__init__()
        self.stride = stride
        self.conv1 = Conv2d(width, out_width, 1)
        self.conv2 = Conv2d(out_width, out_width, 3, stride=stride, padding=1, groups=out_width)
        self.conv3 = Conv2d(out_width, out_width, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(B, H, W, C) to (B, H / stride, W / stride, out_width)."""
        return compute_tiled(self._merge, x, widest=self.conv1.out_channels, halo=self.stride, stride=self.stride)

    def _merge(self, x: Tensor) -> Tensor:
        return _to_tokens(self.conv3(self.conv2(self.conv1(_to_map(x), "gelu"), "gelu")))


class AttentionBlock(nn.Module):
    """Window attention, a depthwise 3x3 convolution, and an MLP; both ends residual."""

    def __init__(self, width: int, heads: int, window: int) -> None:
        super().__init__()
        self.attn = WindowAttention(width, heads, window)
        self.local_conv = Conv2d(width, width, 3, padding=1, groups=width)
        self.mlp = TinyViTMlp(width, 4 * width)

    def forward(self, x: Tensor) -> Tensor:
        """(B, H, W, C) to the same shape."""
        attended = compute_tiled(lambda part: part + self.attn(part), x, widest=self.attn.widest, rows=self.attn.window)
        return compute_tiled(self._refine, attended, widest=self.mlp.widest, halo=1)

    def _refine(self, x: Tensor) -> Tensor:
        mixed = _to_tokens(self.local_conv(_to_map(x)))
        result: Tensor = mixed + self.mlp(mixed)
        return result


class WindowAttention(nn.Module):
    """Self-attention inside windows, with a learned bias for each offset |dy|, |dx| and head.

    A map that the window does not divide is padded with zeros to the right and below, before the norm and without a
    mask: padded tokens take part, as the published weights expect.
    """

    offset_index: Tensor

    def __init__(self, width: int, heads: int, window: int) -> None:
        super().__init__()
        self.heads = heads
        self.window = window
        self.widest = 3 * heads * _HEAD_WIDTH
        self.norm = nn.LayerNorm(width)
        self.qkv = Linear(width, self.widest)
        self.proj = Linear(heads * _HEAD_WIDTH, width)
        self.attention_biases = nn.Parameter(torch.zeros(heads, window * window))
        self.register_buffer("offset_index", attention_offsets(window), persistent=False)
        self._kept_biases: WeightCache[dict[tuple[int, int], Tensor]] = WeightCache()

    def forward(self, x: Tensor) -> Tensor:
        """(B, H, W, C) tokens to the same shape."""
        if skips_padding(x):
            return self._forward_unpadded(x)
        batch, height, width, channels = x.shape
        side = self.window
        padding = (-height % side, -width % side)
        if any(padding):
            x = F.pad(x, (0, 0, 0, padding[1], 0, padding[0]))
        rows, columns = x.shape[1] // side, x.shape[2] // side
        x = x.reshape(batch, rows, side, columns, side, channels).transpose(2, 3)
        x = self._attend(x.reshape(-1, side * side, channels))
        x = x.view(batch, rows, columns, side, side, channels).transpose(2, 3)
        x = x.reshape(batch, rows * side, columns * side, channels)
        return x[:, :height, :width]

    def _attend(self, x: Tensor) -> Tensor:
        count, tokens, _ = x.shape
        query, key, value = self._project(self.norm(x)).permute(2, 0, 3, 1, 4)
        attended = attend(query, key, value, self.attention_biases[:, self.offset_index])
        projected: Tensor = self.proj(attended.transpose(1, 2).reshape(count, tokens, self.heads * _HEAD_WIDTH))
        return projected

    def _forward_unpadded(self, x: Tensor) -> Tensor:
        projected = self._project(self.norm(x))
        query, key_value = projected[..., 0, :, :], projected[..., 1:, :, :]
        outside = self._project(self.norm.bias)[1:]
        attended = attend_in_windows(query, key_value, outside, self.window, self._bias)
        result: Tensor = self.proj(attended)
        return result

    def _project(self, x: Tensor) -> Tensor:
        """(..., C) to queries, keys and values (..., 3, heads, 32)."""
        projected: Tensor = self.qkv(x).unflatten(-1, (self.heads, 3, _HEAD_WIDTH)).transpose(-2, -3)
        return projected

    def _bias(self, height: int, width: int) -> Tensor:
        """Return the bias of windows of which so much lies within the map, kept until the weights change."""
        kept = self._kept_biases.get((self.attention_biases,), None, dict)
        if (height, width) not in kept:
            whole = self.attention_biases.detach()[:, self.offset_index]
            kept[height, width] = edge_bias(whole, self.window, height, width)
        return kept[height, width]


class TinyViTMlp(nn.Module):
    """Norm, then two linear layers with GELU between."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.widest = hidden
        self.norm = nn.LayerNorm(width)
        self.fc1 = Linear(width, hidden)
        self.fc2 = Linear(hidden, width)

    def forward(self, x: Tensor) -> Tensor:
        """(..., C) to the same shape."""
        y: Tensor = self.fc2(self.fc1(self.norm(x), "gelu"))
        return y


def _to_map(tokens: Tensor) -> Tensor:
    return tokens.permute(0, 3, 1, 2)


def _to_tokens(x: Tensor) -> Tensor:
    return x.permute(0, 2, 3, 1)


def attention_offsets(window: int) -> Tensor:
    """Index of the bias of every pair of tokens of a window.

    Returns
    -------
    Tensor
        (window**2, window**2) int64: ``|dy| * window + |dx|`` of the pair.
    """
    points = torch.tensor(list(itertools.product(range(window), repeat=2)))
    distance = (points[:, None] - points[None]).abs()
    return distance[..., 0] * window + distance[..., 1]
