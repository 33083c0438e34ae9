"""Memory attention: the current frame's tokens attend to themselves and to the memory bank (SAM 2, section 4)."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from src_model.nn.attention import RotaryAttention
from src_model.nn.layers import flatten_map, unflatten_map
from src_model.nn.position_encoding import axial_rotations, sine_map


class MemoryAttentionLayer(nn.Module):
    """Self-attention, cross-attention to the memory, and a feed-forward network, each after a norm.

    Parameters
    ----------
    width
        Channels of the image tokens.
    memory_width
        Channels of the memory tokens.
    hidden
        Hidden width of the feed-forward network.
    """

    def __init__(self, width: int, memory_width: int, hidden: int) -> None:
        super().__init__()
        self.self_attn = RotaryAttention(width)
        self.cross_attn_image = RotaryAttention(width, source_width=memory_width)
        self.linear1 = nn.Linear(width, hidden)
        self.linear2 = nn.Linear(hidden, width)
        self.norm1 = nn.LayerNorm(width)
        self.norm2 = nn.LayerNorm(width)
        self.norm3 = nn.LayerNorm(width)

    def forward(
        self, x: Tensor, memory: Tensor, memory_positions: Tensor, rotations: tuple[Tensor, Tensor], num_pointers: int
    ) -> Tensor:
        """Update ``(B, N, width)`` tokens from ``(B, M, memory_width)`` memory, which ends in pointers."""
        normed = self.norm1(x)
        x = x + self.self_attn.rotary(normed, normed, normed, rotations)
        attended = self.cross_attn_image.rotary(
            self.norm2(x), memory + memory_positions, memory, rotations, unrotated=num_pointers
        )
        x = x + attended
        result: Tensor = x + self.linear2(F.relu(self.linear1(self.norm3(x))))
        return result


class MemoryAttention(nn.Module):
    """A stack of memory attention layers.

    Parameters
    ----------
    depth
        Number of layers.
    width, memory_width, hidden
        As in :class:`MemoryAttentionLayer`.
    """

    def __init__(self, depth: int, width: int, memory_width: int, hidden: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(MemoryAttentionLayer(width, memory_width, hidden) for _ in range(depth))
        self.norm = nn.LayerNorm(width)

    def forward(self, embedding: Tensor, memory: Tensor, memory_positions: Tensor, num_pointers: int) -> Tensor:
        """Condition an embedding on memory.

        Parameters
        ----------
        embedding
            ``(B, C, h, w)`` image embedding of the current frame.
        memory
            ``(B, M, memory_width)``: maps of ``h * w`` tokens each, then pointer tokens.
        memory_positions
            ``(B or 1, M, memory_width)``, added to the keys only.
        num_pointers
            How many of the last tokens are pointers.

        Returns
        -------
        Tensor
            ``(B, C, h, w)``.
        """
        _, channels, height, width = embedding.shape
        x = flatten_map(embedding + 0.1 * sine_map(channels, height, width, embedding.device))
        rotations = axial_rotations(channels, height, width, embedding.device)
        for layer in self.layers:
            x = layer(x, memory, memory_positions, rotations, num_pointers)
        return unflatten_map(self.norm(x), height, width)
