"""Hiera, the hierarchical vision transformer of SAM 2 (Ryali et al. 2023; window positions: Bolya et al. 2023)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache, partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from src_model.nn.compute import Conv2d, Linear, WeightCache, attend, compute_tiled
from src_model.nn.image_encoder.necks import FpnNeck
from src_model.nn.image_encoder.windows import attend_in_windows, edge_bias, skips_padding
from src_model.nn.layers import Mlp


@dataclass(frozen=True, slots=True)
class HieraConfig:
    """Hyperparameters of a Hiera trunk.

    Attributes
    ----------
    width
        Channels of the first stage; they double at each stage, and so do the heads.
    num_heads
        Attention heads of the first stage.
    stages
        Number of blocks in each of the four stages (strides 4, 8, 16, 32).
    global_blocks
        Blocks that attend to the whole map instead of a window.
    windows
        Side of the attention windows of each stage, in tokens.
    background_size
        Side of the coarse absolute position embedding.
    """

    width: int
    num_heads: int
    stages: tuple[int, int, int, int]
    global_blocks: tuple[int, ...]
    windows: tuple[int, int, int, int] = (8, 4, 14, 7)
    background_size: int = 7

    def build_trunk(self) -> Hiera:
        """Return the trunk with random weights."""
        return Hiera(self)

    def build_neck(self, width: int) -> FpnNeck:
        """Return the feature pyramid that goes with the trunk."""
        return FpnNeck(tuple(self.width * 2**stage for stage in range(4)), width)

    @property
    def high_res_channels(self) -> tuple[int, int]:
        """Channels of the neck's finer maps."""
        return (256, 256)

    @property
    def size_multiple(self) -> int:
        """Input sides are multiples of the coarsest stride, and of the tiled window positions."""
        return 32


def _partition(x: Tensor, window: int) -> tuple[Tensor, tuple[int, int]]:
    """Cut ``(B, H, W, C)`` into ``(B * windows, window, window, C)``, zero-padded; returns the padded size too."""
    batch, height, width, channels = x.shape
    pad_y, pad_x = -height % window, -width % window
    if pad_y or pad_x:
        x = F.pad(x, (0, 0, 0, pad_x, 0, pad_y))
    rows, columns = (height + pad_y) // window, (width + pad_x) // window
    x = x.view(batch, rows, window, columns, window, channels).transpose(2, 3)
    return x.reshape(-1, window, window, channels), (rows * window, columns * window)


def _unpartition(windows: Tensor, padded: tuple[int, int], size: tuple[int, int]) -> Tensor:
    """Undo :func:`_partition`, dropping the padding."""
    window, channels = windows.shape[1], windows.shape[-1]
    rows, columns = padded[0] // window, padded[1] // window
    x = windows.view(-1, rows, columns, window, window, channels).transpose(2, 3)
    return x.reshape(-1, *padded, channels)[:, : size[0], : size[1]].contiguous()


def _pool(x: Tensor) -> Tensor:
    """Halve ``(B, H, W, C)`` by the maximum of 2 x 2 pixels."""
    return F.max_pool2d(x.permute(0, 3, 1, 2), 2).permute(0, 2, 3, 1)


class _PatchEmbed(nn.Module):
    """Overlapping 7 x 7 patches with stride 4, channels last."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.proj = Conv2d(3, width, kernel_size=7, stride=4, padding=3)

    def forward(self, images: Tensor) -> Tensor:
        patches: Tensor = self.proj(images)
        return patches.permute(0, 2, 3, 1)


class _Attention(nn.Module):
    """Self-attention within windows, whose queries may be pooled 2 x 2."""

    def __init__(self, width_in: int, width_out: int, num_heads: int, *, pool_queries: bool) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.pool_queries = pool_queries
        self.qkv = Linear(width_in, 3 * width_out)
        self.proj = Linear(width_out, width_out)

    def forward(self, x: Tensor) -> Tensor:
        """Attend from everywhere to everywhere in ``(B, H, W, C)``."""
        projected = self._project(x)
        query, key, value = projected[..., 0, :, :], projected[..., 1, :, :], projected[..., 2, :, :]
        if self.pool_queries:
            query = _pool_heads(query)
        height, width = query.shape[1:3]
        attended = attend(*(part.flatten(1, 2).transpose(1, 2) for part in (query, key, value)))
        result: Tensor = self.proj(attended.transpose(1, 2).reshape(len(x), height, width, -1))
        return result

    def in_windows(self, x: Tensor, side: int) -> Tensor:
        """Attend within windows, as if ``(B, H, W, C)`` were padded with zeros."""
        projected = self._project(x)
        query = projected[..., 0, :, :]
        if self.pool_queries:
            query = _pool_heads(query)
        outside = self.qkv.bias.view(3, self.num_heads, -1)[1:].to(projected.dtype)
        attended = attend_in_windows(query, projected[..., 1:, :, :], outside, side, partial(_padding_bias, side))
        result: Tensor = self.proj(attended)
        return result

    def _project(self, x: Tensor) -> Tensor:
        """Give queries, keys and values: ``(B, H, W, C)`` to ``(B, H, W, 3, heads, C')``."""
        projected: Tensor = self.qkv(x).unflatten(-1, (3, self.num_heads, -1))
        return projected


@lru_cache(maxsize=32)
def _padding_bias(side: int, height: int, width: int) -> Tensor | None:
    """Return what counts the padding of windows of which so much lies within the map."""
    if height * width == side**2:
        return None
    return edge_bias(torch.zeros(1, 1, side**2, device="cpu"), side, height, width)


def _pool_heads(x: Tensor) -> Tensor:
    """Halve ``(B, H, W, heads, C)``."""
    pooled = _pool(x.flatten(3))
    return pooled.reshape(*pooled.shape[:3], *x.shape[3:])


class _Block(nn.Module):
    """One transformer block; at the start of a stage it doubles the channels and halves the map."""

    def __init__(self, width_in: int, width_out: int, num_heads: int, window: int) -> None:
        super().__init__()
        self.window = window
        self.starts_stage = width_in != width_out
        self.widest = (3 if self.starts_stage else 4) * width_out  # queries, keys and values; the perceptron
        self.norm1 = nn.LayerNorm(width_in, eps=1e-6)
        self.attn = _Attention(width_in, width_out, num_heads, pool_queries=self.starts_stage)
        self.norm2 = nn.LayerNorm(width_out, eps=1e-6)
        self.mlp = Mlp(width_out, 4 * width_out, width_out, activation="gelu")
        if self.starts_stage:
            self.proj = Linear(width_in, width_out)

    def forward(self, x: Tensor) -> Tensor:
        """Refine ``(B, H, W, C)``; where the block starts a stage, to ``(B, H / 2, W / 2, 2 C)``."""
        if self.window == 0:
            return compute_tiled(self._with_perceptron, self._with_attention(x), widest=self.widest)
        return compute_tiled(
            lambda part: self._with_perceptron(self._with_attention(part)),
            x,
            widest=self.widest,
            rows=self.window,
            stride=2 if self.starts_stage else 1,
        )

    def _with_attention(self, x: Tensor) -> Tensor:
        """Add what attention finds."""
        normed = self.norm1(x)
        shortcut = _pool(self.proj(normed)) if self.starts_stage else x
        return shortcut + self._attend(normed)

    def _with_perceptron(self, x: Tensor) -> Tensor:
        """Add what the perceptron makes of each pixel alone."""
        result: Tensor = x + self.mlp(self.norm2(x))
        return result

    def _attend(self, x: Tensor) -> Tensor:
        if self.window == 0:
            attended: Tensor = self.attn(x)
            return attended
        if skips_padding(x):
            return self.attn.in_windows(x, self.window)
        factor = 2 if self.starts_stage else 1
        size = (x.shape[1] // factor, x.shape[2] // factor)
        windows, padded = _partition(x, self.window)
        return _unpartition(self.attn(windows), (padded[0] // factor, padded[1] // factor), size)


class Hiera(nn.Module):
    """The trunk: images to maps of stride 4, 8, 16 and 32."""

    def __init__(self, config: HieraConfig) -> None:
        super().__init__()
        self.channels = tuple(config.width * 2**stage for stage in range(4))
        self.patch_embed = _PatchEmbed(config.width)
        self.pos_embed = nn.Parameter(torch.zeros(1, config.width, config.background_size, config.background_size))
        self.pos_embed_window = nn.Parameter(torch.zeros(1, config.width, config.windows[0], config.windows[0]))
        self._kept_positions: WeightCache[Tensor] = WeightCache()
        starts = [sum(config.stages[:stage]) for stage in range(4)]
        # What leaves the trunk is what each stage ends with.
        self._stage_ends = frozenset(start + count - 1 for start, count in zip(starts, config.stages, strict=True))
        self.blocks = nn.ModuleList()
        for stage, count in enumerate(config.stages):
            for index in range(starts[stage], starts[stage] + count):
                opens_stage = index == starts[stage] and stage > 0
                # The block that opens a stage still sees the previous stage's map, hence its channels and window.
                source = stage - 1 if opens_stage else stage
                window = 0 if index in config.global_blocks else config.windows[source]
                heads = config.num_heads * 2**stage
                self.blocks.append(_Block(self.channels[source], self.channels[stage], heads, window))

    def _positions(self, height: int, width: int) -> Tensor:
        """Absolute positions of a map, kept for the next image of the same size while nothing is trained."""
        if torch.is_grad_enabled():
            return self._compute_positions(height, width)
        sources = (self.pos_embed, self.pos_embed_window)
        return self._kept_positions.get(sources, (height, width), lambda: self._compute_positions(height, width))

    def _compute_positions(self, height: int, width: int) -> Tensor:
        """Absolute positions ``(1, H, W, C)``: a coarse map stretched over the image plus a tiled window map."""
        coarse = F.interpolate(self.pos_embed, size=(height, width), mode="bicubic")
        side = self.pos_embed_window.shape[-1]
        return (coarse + self.pos_embed_window.tile(1, 1, height // side, width // side)).permute(0, 2, 3, 1)

    def forward(self, images: Tensor) -> list[Tensor]:
        """Encode ``(B, 3, S, S)`` as four maps ``(B, channels[i], S / 2 ** (i + 2), ...)``."""
        x = self.patch_embed(images)
        x = x + self._positions(x.shape[1], x.shape[2])
        maps = []
        for index, block in enumerate(self.blocks):
            x = block(x)
            if index in self._stage_ends:
                maps.append(x.permute(0, 3, 1, 2))
        return maps
