"""The heavy parts of the network as modules that can be traced: public operators only, tensors in and out.

The memory attention is written anew instead of traced from the network, with the same weights and the same result: the
values of the cross-attention stay 64 channels wide until they are averaged, both projections after the average are one,
and the channels of queries and keys are put in an order in which rotating them is two products and a sum.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from src_model.nn.position_encoding import axial_rotations

if TYPE_CHECKING:
    from src_model.nn import Sam2Network
    from src_model.nn.attention import RotaryAttention
    from src_model.nn.memory_attention import MemoryAttentionLayer

Tables = tuple[Tensor, Tensor]
"""Cosines and sines, ``(N, C)`` each, in the order of channels of :func:`_halves`."""


class EncoderGraph(nn.Module):
    """Images ``(1, 3, S, S)`` to the embedding and the maps of stride 4 and 8."""

    def __init__(self, network: Sam2Network) -> None:
        super().__init__()
        self.encoder = network.image_encoder
        self.decoder = network.sam_mask_decoder

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return ``(1, 256, h, w)``, ``(1, 32, 4 h, 4 w)`` and ``(1, 64, 2 h, 2 w)``."""
        stride4, stride8, embedding = self.encoder(images)
        first, second = self.decoder.project_high_res(stride4, stride8)
        return embedding, first, second


class FirstSelfAttentionGraph(nn.Module):
    """The self-attention of the first layer of the memory attention, which knows the image alone."""

    def __init__(self, network: Sam2Network) -> None:
        super().__init__()
        first = _layers(network)[0]
        self.norm, self.attention = first.norm1, _SelfAttention(first.self_attn)

    def forward(self, tokens: Tensor, cosines: Tensor, sines: Tensor) -> Tensor:
        """Update ``(1, N, 256)`` tokens, given the tables of their places."""
        updated: Tensor = tokens + self.attention(self.norm(tokens), (cosines, sines))
        return updated


class MemoryAttentionGraph(nn.Module):
    """The memory attention of one object, from where :class:`FirstSelfAttentionGraph` left off."""

    def __init__(self, network: Sam2Network) -> None:
        super().__init__()
        self.layers = nn.ModuleList(_Layer(layer, opens=index == 0) for index, layer in enumerate(_layers(network)))
        self.norm = network.memory_attention.norm

    def forward(
        self,
        tokens: Tensor,
        memory: Tensor,
        positions: Tensor,
        cosines: Tensor,
        sines: Tensor,
        memory_cosines: Tensor,
        memory_sines: Tensor,
    ) -> Tensor:
        """Condition ``(1, N, 256)`` tokens on ``(1, M, 64)`` memory, whose keys are at ``positions`` of that shape."""
        keys = memory + positions
        for layer in self.layers:
            tokens = layer(tokens, keys, memory, (cosines, sines), (memory_cosines, memory_sines))
        conditioned: Tensor = self.norm(tokens)
        return conditioned


class _Layer(nn.Module):
    """One layer; the one that opens the stack has its self-attention behind it."""

    def __init__(self, layer: MemoryAttentionLayer, *, opens: bool) -> None:
        super().__init__()
        self.own = None if opens else _SelfAttention(layer.self_attn)
        self.cross = _CrossAttention(layer.cross_attn_image)
        self.norm1, self.norm2, self.norm3 = layer.norm1, layer.norm2, layer.norm3
        self.linear1, self.linear2 = layer.linear1, layer.linear2

    def forward(self, x: Tensor, keys: Tensor, values: Tensor, places: Tables, memory_places: Tables) -> Tensor:
        if self.own is not None:
            x = x + self.own(self.norm1(x), places)
        x = x + self.cross(self.norm2(x), keys, values, places, memory_places)
        hidden = F.relu(F.linear(self.norm3(x), self.linear1.weight, self.linear1.bias))
        return x + F.linear(hidden, self.linear2.weight, self.linear2.bias)


class _Rotary(nn.Module):
    """Rotated queries and keys, the scale of the scores folded into the queries."""

    def __init__(self, source: RotaryAttention) -> None:
        super().__init__()
        scale = source.q_proj.out_features**-0.5
        self.query = _projection(_halves(source.q_proj.weight) * scale, _halves(source.q_proj.bias) * scale)
        self.key = _projection(_halves(source.k_proj.weight), _halves(source.k_proj.bias))

    def weights(self, queries: Tensor, keys: Tensor, places: Tables, key_places: Tables) -> Tensor:
        turned = _turned(self.query(queries), places)
        return (turned @ _turned(self.key(keys), key_places).transpose(-1, -2)).softmax(dim=-1)


class _SelfAttention(_Rotary):
    def __init__(self, source: RotaryAttention) -> None:
        super().__init__(source)
        self.value = _projection(source.v_proj.weight, source.v_proj.bias)
        self.out = _projection(source.out_proj.weight, source.out_proj.bias)

    def forward(self, x: Tensor, places: Tables) -> Tensor:
        attended: Tensor = self.out(self.weights(x, x, places, places) @ self.value(x))
        return attended


class _CrossAttention(_Rotary):
    """Averages narrow memories and projects the average: exact, since weights add up to one and there is one head."""

    def __init__(self, source: RotaryAttention) -> None:
        super().__init__(source)
        out, value = source.out_proj, source.v_proj
        self.out = _projection(out.weight @ value.weight, out.weight @ value.bias + out.bias)

    def forward(self, x: Tensor, keys: Tensor, values: Tensor, places: Tables, memory_places: Tables) -> Tensor:
        attended: Tensor = self.out(self.weights(x, keys, places, memory_places) @ values)
        return attended


def _layers(network: Sam2Network) -> list[MemoryAttentionLayer]:
    return [cast("MemoryAttentionLayer", layer) for layer in network.memory_attention.layers]


def _projection(weight: Tensor, bias: Tensor) -> nn.Linear:
    layer = nn.Linear(weight.shape[1], weight.shape[0], device="meta")
    layer.weight, layer.bias = nn.Parameter(weight.detach()), nn.Parameter(bias.detach())
    return layer


def _halves(weight: Tensor) -> Tensor:
    """Put the first channels of all pairs before the second ones."""
    return torch.cat((weight[0::2], weight[1::2])).detach()


def _turned(x: Tensor, places: Tables) -> Tensor:
    cosines, sines = places
    first, second = x.chunk(2, dim=-1)
    return x * cosines + torch.cat((-second, first), dim=-1) * sines


def rotation_tables(channels: int, height: int, width: int, maps: int = 1, placeless: int = 0) -> Tables:
    """Cosines and sines for tokens of a number of maps, followed by tokens that have no place.

    Returns
    -------
    tuple of Tensor
        Two ``(maps * height * width + placeless, channels)`` float32 tensors, views of tables that are kept.
    """
    most, free = _rounded(maps, 8), _rounded(placeless, 64)
    first = (most - maps) * height * width
    last = most * height * width + placeless
    cosines, sines = _tables(channels, height, width, most, free)
    return cosines[first:last], sines[first:last]


@lru_cache(maxsize=6)
def _tables(channels: int, height: int, width: int, maps: int, placeless: int) -> Tables:
    rotations = axial_rotations(channels, height, width, torch.device("cpu"))
    turned = [part.repeat(maps, 2) for part in rotations.unbind(-1)]
    still = (torch.ones(placeless, channels), torch.zeros(placeless, channels))
    cosines, sines = (torch.cat(parts) for parts in zip(turned, still, strict=True))
    return cosines, sines


def _rounded(count: int, step: int) -> int:
    return -(-count // step) * step
