"""Multi-head attention as SAM uses it: separate projections, an optional narrower inner width."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import torch
from torch import Tensor, nn

from src_model.nn.compute import Linear, attend, compute_dtype, compute_options, needs_gradient
from src_model.nn.layers import merge_heads, split_heads
from src_model.nn.position_encoding import rotate_pairs

Observer: TypeAlias = Callable[[Tensor], None]
"""Is given the weights ``(B, N, M)`` with which N queries attend to M keys."""


class Attention(nn.Module):
    """Attention of queries to keys and values.

    Parameters
    ----------
    width
        Channels of queries and result.
    num_heads
        Number of heads; divides the inner width.
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
        self.q_proj = Linear(width, inner)
        self.k_proj = Linear(source, inner)
        self.v_proj = Linear(source, inner)
        self.out_proj = Linear(inner, width)

    def forward(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        """Attend from ``(B, N, width)`` to ``(B, M, source_width)``; returns ``(B, N, width)``."""
        q, k, v = (split_heads(x, self.num_heads) for x in (self.q_proj(query), self.k_proj(key), self.v_proj(value)))
        result: Tensor = self.out_proj(merge_heads(attend(q, k, v)))
        return result


class RotaryAttention(Attention):
    """Single-head attention whose queries and keys are turned by the axial rotary embedding."""

    def __init__(self, width: int, *, source_width: int | None = None) -> None:
        super().__init__(width, 1, source_width=source_width)

    def rotary(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        rotations: Tensor,
        unrotated: int = 0,
        bias: Tensor | None = None,
        observe: Observer | None = None,
    ) -> Tensor:
        """Attend with rotated queries and keys.

        Parameters
        ----------
        query
            ``(B or 1, N, width)`` tokens of the current map.
        key, value
            ``(B, M, source_width)`` tokens; all but the last ``unrotated`` are maps of ``N`` tokens.
        rotations
            ``(N, width / 2, 2)`` cosines and sines of :func:`~src_model.nn.position_encoding.axial_rotations`.
        unrotated
            Number of tokens at the end that have no place in the image (object pointers).
        bias
            ``(B, 1, 1, M)``, added to the scores.
        observe
            Called with the weights, which are computed for it alone: no fused kernel returns them.

        Returns
        -------
        Tensor
            ``(B, N, width)``.
        """
        keys = self._rotated_keys(key, rotations, unrotated)
        queries = rotate_pairs(self.q_proj(query), rotations)
        if observe is not None:
            scores = torch.matmul(queries.float() * queries.shape[-1] ** -0.5, keys.float().transpose(1, 2))
            observe((scores if bias is None else scores + bias[:, 0]).softmax(dim=-1))
        if self._averages_first(value):
            averaged = attend(queries[:, None], keys[:, None], value[:, None], bias)[:, 0]
            result: Tensor = self.out_proj(self.v_proj(averaged))
        else:
            values = self.v_proj(value)
            result = self.out_proj(attend(queries[:, None], keys[:, None], values[:, None], bias)[:, 0])
        return result

    def _rotated_keys(self, source: Tensor, rotations: Tensor, unrotated: int) -> Tensor:
        """Project and rotate keys; without gradient on CPU map after map, as fresh memory for all takes more time."""
        if source.device.type != "cpu" or needs_gradient(source, self.k_proj.weight):
            return rotate_pairs(self.k_proj(source), rotations, unrotated)
        placed, step = source.shape[1] - unrotated, rotations.shape[0]
        keys = source.new_empty(*source.shape[:2], self.k_proj.out_features, dtype=compute_dtype(source))
        for first in range(0, placed, step):
            keys[:, first : first + step] = rotate_pairs(self.k_proj(source[:, first : first + step]), rotations)
        keys[:, placed:] = self.k_proj(source[:, placed:])
        return keys

    def _averages_first(self, value: Tensor) -> bool:
        """Whether to project averages of values: exact, as weights add up to one, and cheaper where values are narrow.

        On a GPU the fused kernels are at their best with values as wide as the keys.
        """
        on_cpu = value.device.type in ("cpu", "meta")
        return on_cpu and compute_options().values_after_attention and value.shape[-1] < self.v_proj.out_features
