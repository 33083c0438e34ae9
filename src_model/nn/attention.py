"""Multi-head attention as SAM uses it: separate projections, an optional narrower inner width."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from src_model.nn.layers import merge_heads, split_heads
from src_model.nn.position_encoding import rotate_pairs


class Attention(nn.Module):
    """Attention of queries to keys and values.

    Parameters
    ----------
    width
        Channels of queries and result.
    num_heads
        Number of heads.
    inner_width
        Channels inside the attention; ``width`` if left out.
    source_width
        Channels of keys and values; ``width`` if left out.
    """

    def __init__(
        self, width: int, num_heads: int, *, inner_width: int | None = None, source_width: int | None = None
    ) -> None:
        super().__init__()
        inner = inner_width or width
        source = source_width or width
        self.num_heads = num_heads
        self.q_proj = nn.Linear(width, inner)
        self.k_proj = nn.Linear(source, inner)
        self.v_proj = nn.Linear(source, inner)
        self.out_proj = nn.Linear(inner, width)

    def forward(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        """Attend from ``(B, N, width)`` to ``(B, M, source_width)``; returns ``(B, N, width)``."""
        return self._attend(self.q_proj(query), self.k_proj(key), value)

    def _attend(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        """Attend with projected queries and keys to values that are still to be projected."""
        q, k, v = (split_heads(x, self.num_heads) for x in (query, key, self.v_proj(value)))
        result: Tensor = self.out_proj(merge_heads(F.scaled_dot_product_attention(q, k, v)))
        return result


class RotaryAttention(Attention):
    """Single-head attention whose queries and keys are turned by the axial rotary embedding."""

    def __init__(self, width: int, *, source_width: int | None = None) -> None:
        super().__init__(width, 1, source_width=source_width)

    def rotary(
        self, query: Tensor, key: Tensor, value: Tensor, rotations: tuple[Tensor, Tensor], unrotated: int = 0
    ) -> Tensor:
        """Attend with rotated queries and keys.

        Parameters
        ----------
        query
            ``(B, N, width)`` tokens of the current map.
        key, value
            ``(B, M, source_width)`` tokens; all but the last ``unrotated`` are maps of ``N`` tokens.
        rotations
            Cosines and sines of :func:`~src_model.nn.position_encoding.axial_rotations`.
        unrotated
            Number of tokens at the end that have no place in the image (object pointers).

        Returns
        -------
        Tensor
            ``(B, N, width)``.
        """
        projected = self.k_proj(key)
        placed = projected.shape[1] - unrotated
        rotated = rotate_pairs(projected[:, :placed], rotations)
        keys = torch.cat((rotated, projected[:, placed:]), dim=1) if unrotated else rotated
        return self._attend(rotate_pairs(self.q_proj(query), rotations), keys, value)
