"""Small building blocks that several parts of the network share."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Activation = Callable[[Tensor], Tensor]


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
        mean = x.mean(1, keepdim=True)
        centred = x - mean
        variance = centred.square().mean(1, keepdim=True)
        normalised = centred * torch.rsqrt(variance + self.eps)
        return self.weight[:, None, None] * normalised + self.bias[:, None, None]


class Mlp(nn.Module):
    """Linear layers with an activation between them (none after the last).

    Parameters
    ----------
    widths
        Sizes of input, hidden layers and output, in this order.
    activation
        Applied between the layers.
    """

    def __init__(self, *widths: int, activation: Activation = F.relu) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(i, o) for i, o in pairwise(widths))
        self.activation = activation

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(..., widths[0])`` to ``(..., widths[-1])``."""
        *hidden, last = self.layers
        for layer in hidden:
            x = self.activation(layer(x))
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
