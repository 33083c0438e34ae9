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

from src_model.nn.image_encoder.sam_neck import SamNeck

_HEAD_WIDTH = 32
_OUTPUT_STAGES = (0, 1, 3)


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
            self.layers.append(Stage(blocks, merging))

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
        x = self.patch_embed(images.contiguous(memory_format=torch.channels_last))
        outputs = []
        for index, stage in enumerate(self.layers):
            output, x = stage(x)
            if index in _OUTPUT_STAGES:
                outputs.append(output)
        return outputs


class Stage(nn.Module):
    """The blocks of one resolution and the merging that leads to the next stage."""

    def __init__(self, blocks: list[nn.Module], downsample: PatchMerging | None) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(blocks)
        self.downsample = downsample

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Map (B, C, H, W) to this stage's output of the same shape, and to what the next stage starts from."""
        for block in self.blocks:
            x = block(x)
        return x, x if self.downsample is None else self.downsample(x)


class PatchEmbed(nn.Module):
    """Two strided convolutions from an image to stride 4."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, width // 2, 3, stride=2, padding=1)
        self.conv2 = nn.Conv2d(width // 2, width, 3, stride=2, padding=1)

    def forward(self, images: Tensor) -> Tensor:
        """(B, 3, H, W) to (B, width, H / 4, W / 4)."""
        y: Tensor = self.conv2(F.gelu(self.conv1(images)))
        return y


class ConvBlock(nn.Module):
    """Inverted bottleneck with a depthwise 3x3 convolution, added to its input."""

    def __init__(self, width: int) -> None:
        super().__init__()
        hidden = 4 * width
        self.conv1 = nn.Conv2d(width, hidden, 1)
        self.conv2 = nn.Conv2d(hidden, hidden, 3, padding=1, groups=hidden)
        self.conv3 = nn.Conv2d(hidden, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to the same shape."""
        y = F.gelu(self.conv1(x))
        y = self.conv3(F.gelu(self.conv2(y)))
        return F.gelu(x + y)


class PatchMerging(nn.Module):
    """Change of width between stages, halving the resolution when ``stride`` is 2."""

    def __init__(self, width: int, out_width: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(width, out_width, 1)
        self.conv2 = nn.Conv2d(out_width, out_width, 3, stride=stride, padding=1, groups=out_width)
        self.conv3 = nn.Conv2d(out_width, out_width, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to (B, out_width, H / stride, W / stride)."""
        y: Tensor = self.conv3(F.gelu(self.conv2(F.gelu(self.conv1(x)))))
        return y


class AttentionBlock(nn.Module):
    """Window attention, a depthwise 3x3 convolution, and an MLP; both ends residual."""

    def __init__(self, width: int, heads: int, window: int) -> None:
        super().__init__()
        self.attn = WindowAttention(width, heads, window)
        self.local_conv = nn.Conv2d(width, width, 3, padding=1, groups=width)
        self.mlp = Mlp(width, 4 * width)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to the same shape."""
        tokens = x.permute(0, 2, 3, 1)
        tokens = tokens + self.attn(tokens)
        tokens = self.local_conv(tokens.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
        tokens = tokens + self.mlp(tokens)
        result: Tensor = tokens.permute(0, 3, 1, 2)
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
        self.norm = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * heads * _HEAD_WIDTH)
        self.proj = nn.Linear(heads * _HEAD_WIDTH, width)
        self.attention_biases = nn.Parameter(torch.zeros(heads, window * window))
        self.register_buffer("offset_index", attention_offsets(window), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """(B, H, W, C) tokens to the same shape."""
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
        result: Tensor = x[:, :height, :width]
        return result

    def _attend(self, x: Tensor) -> Tensor:
        count, tokens, _ = x.shape
        qkv = self.qkv(self.norm(x)).view(count, tokens, self.heads, 3, _HEAD_WIDTH)
        query, key, value = qkv.permute(3, 0, 2, 1, 4)
        bias = self.attention_biases[:, self.offset_index]
        if x.device.type == "cpu":
            # Windows are small: two plain products are a fifth faster here than the fused kernel.
            weights = (query * _HEAD_WIDTH**-0.5) @ key.transpose(-1, -2) + bias
            out = weights.softmax(-1).to(value.dtype) @ value
        else:
            out = F.scaled_dot_product_attention(query, key, value, attn_mask=bias.to(query.dtype))
        projected: Tensor = self.proj(out.transpose(1, 2).reshape(count, tokens, self.heads * _HEAD_WIDTH))
        return projected


class Mlp(nn.Module):
    """Norm, then two linear layers with GELU between."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.fc1 = nn.Linear(width, hidden)
        self.fc2 = nn.Linear(hidden, width)

    def forward(self, x: Tensor) -> Tensor:
        """(..., C) to the same shape."""
        y: Tensor = self.fc2(F.gelu(self.fc1(self.norm(x))))
        return y


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
