"""Memory attention: the current frame's tokens attend to themselves and to the memory bank (SAM 2, section 4)."""

from __future__ import annotations

from torch import Tensor, nn

from src_model.nn.attention import Observer, RotaryAttention
from src_model.nn.compute import Linear, compute_dtype, compute_options
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
        self.linear1 = Linear(width, hidden)
        self.linear2 = Linear(hidden, width)
        self.norm1 = nn.LayerNorm(width)
        self.norm2 = nn.LayerNorm(width)
        self.norm3 = nn.LayerNorm(width)

    def forward(
        self,
        x: Tensor,
        keys: Tensor,
        values: Tensor,
        rotations: Tensor,
        num_pointers: int,
        bias: Tensor | None = None,
        observe: Observer | None = None,
    ) -> Tensor:
        """Update tokens from memory.

        Parameters
        ----------
        x
            ``(B or 1, N, width)``; one row if it is the same for all objects so far.
        keys, values
            ``(B, M, memory_width)`` memory tokens with and without their positions; the last are pointers.
        rotations
            ``(N, width / 2, 2)`` of :func:`~src_model.nn.position_encoding.axial_rotations`.
        num_pointers
            How many of the last memory tokens are pointers.
        bias, observe
            As in :meth:`MemoryAttention.forward`.

        Returns
        -------
        Tensor
            ``(B, N, width)``.
        """
        normed = self.norm1(x)
        x = x + self.self_attn.rotary(normed, normed, normed, rotations)
        x = x + self.cross_attn_image.rotary(
            self.norm2(x), keys, values, rotations, unrotated=num_pointers, bias=bias, observe=observe
        )
        result: Tensor = x + self.linear2(self.linear1(self.norm3(x), "relu"))
        return result


class MemoryAttention(nn.Module):
    """A stack of memory attention layers.

    Parameters
    ----------
    depth
        Number of layers: 4 in SAM 2, 2 in the bundled network.
    width, memory_width, hidden
        As in :class:`MemoryAttentionLayer`.
    """

    def __init__(self, depth: int, width: int, memory_width: int, hidden: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(MemoryAttentionLayer(width, memory_width, hidden) for _ in range(depth))
        self.norm = nn.LayerNorm(width)

    def forward(
        self,
        embedding: Tensor,
        memory: Tensor,
        memory_positions: Tensor,
        num_pointers: int,
        bias: Tensor | None = None,
        observe: Observer | None = None,
    ) -> Tensor:
        """Condition an embedding on memory.

        Parameters
        ----------
        embedding
            ``(B or 1, C, h, w)`` image embedding of the current frame; one row if all objects are looked for in it.
        memory
            ``(B, M, memory_width)``: maps of ``h * w`` tokens each, then pointer tokens.
        memory_positions
            ``(B or 1, M, memory_width)``, added to the keys only.
        num_pointers
            How many of the last tokens are pointers.
        bias
            ``(B, 1, 1, M)``, added to the scores of memory tokens: minus infinity hides padding. None: nothing is.
        observe
            Called with each layer's weights ``(B, h * w, M)`` of the memory tokens, one layer after the other.

        Returns
        -------
        Tensor
            ``(B, C, h, w)``.
        """
        _, channels, height, width = embedding.shape
        if not compute_options().shared_self_attention:
            embedding = embedding.expand(memory.shape[0], -1, -1, -1)
        # The weights were trained with positions of a tenth at the input (`pos_enc_at_input` of the reference); where a
        # token lies is told by the rotations in each layer.
        x = flatten_map(embedding + 0.1 * sine_map(channels, height, width, embedding.device))
        rotations = axial_rotations(channels, height, width, embedding.device)
        dtype = compute_dtype(embedding)
        # Positions say which memory to attend to, and are no part of what is taken from it.
        keys, values = (memory + memory_positions).to(dtype), memory.to(dtype)
        for layer in self.layers:
            x = layer(x, keys, values, rotations, num_pointers, bias, observe)
        return unflatten_map(self.norm(x), height, width)
