"""Small building blocks that several parts of the network share."""

from __future__ import annotations

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from src_model.nn.compute import Activation, Linear

_FUSED_FROM = 16
"""Channels from which torch's own layer normalisation is the faster one."""


class LayerNorm2d(nn.Module):
    """Layer normalisation over the channels of a ``(B, C, H, W)`` map.

    Parameters
    ----------
    channels
        Number of channels C.
    eps
        Added to the variance.
    """

    def __init__(self, channels: int, eps: float = 1e-6) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        """Normalise every pixel over its channels; same shape as ``x``."""
        if x.shape[1] >= _FUSED_FROM and x.is_contiguous(memory_format=torch.channels_last):
            rows = F.layer_norm(x.permute(0, 2, 3, 1), x.shape[1:2], self.weight, self.bias, self.eps)
            return rows.permute(0, 3, 1, 2)
        mean = x.mean(1, keepdim=True)
        centred = x - mean
        scale = torch.rsqrt(centred.square().mean(1, keepdim=True) + self.eps)
        return torch.addcmul(self.bias[:, None, None], centred * scale, self.weight[:, None, None])


class Mlp(nn.Module):
    """Linear layers with an activation between them (none after the last).

    Parameters
    ----------
    widths
        Sizes of input, hidden layers and output, in this order.
    activation
        Applied between the layers.
    """

    def __init__(self, *widths: int, activation: Activation = "relu") -> None:
        super().__init__()
        self.layers = nn.ModuleList(Linear(i, o) for i, o in pairwise(widths))
        self.activation: Activation = activation

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(..., widths[0])`` to ``(..., widths[-1])``."""
        *hidden, last = self.layers
        for layer in hidden:
            x = layer(x, self.activation)
        result: Tensor = last(x)
        return result


def split_heads(x: Tensor, num_heads: int) -> Tensor:
    """Turn ``(B, N, heads * C)`` into ``(B, heads, N, C)``."""
    batch, tokens, width = x.shape
    return x.reshape(batch, tokens, num_heads, width // num_heads).transpose(1, 2)


def merge_heads(x: Tensor) -> Tensor:
    """Turn ``(B, heads, N, C)`` back into ``(B, N, heads * C)``."""
    return x.transpose(1, 2).flatten(2)


def flatten_map(x: Tensor) -> Tensor:
    """Turn a map ``(B, C, H, W)`` into tokens ``(B, H * W, C)``."""
    return x.flatten(2).transpose(1, 2)


def unflatten_map(tokens: Tensor, height: int, width: int) -> Tensor:
    """Turn tokens ``(B, H * W, C)`` back into a map ``(B, C, H, W)``."""
    return tokens.transpose(1, 2).reshape(tokens.shape[0], -1, height, width)
