"""Attention, computed as is fastest on a device.

On CPU, torch's fused kernel reaches a fraction of what matrix products reach, and gains nothing from bfloat16. Here the
products are made in blocks that stay in cache, and the exponentials are taken of the scores as they are: the sum of a
row then tells whether that was safe, which it nearly always is, and if not, the rows are computed again with their
maximum subtracted.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor

from src_model.nn.compute import onednn
from src_model.nn.compute.options import compute_dtype, compute_options, needs_gradient

if TYPE_CHECKING:
    from collections.abc import Callable

    Product = Callable[[Tensor, Tensor], Tensor]

_LOG2_E = math.log2(math.e)
_BLOCK = 1024
"""Queries and keys of one block of scores: 4 MiB in float32."""
_STREAMED_FROM = 2**18
"""Scores from which a head is computed block by block."""
_FEW_KEYS = 16
"""Up to so many keys, the fused kernel is the slower one in float32."""
_SAFE_SUMS = (1e-20, 1e30)
"""Between these sums of a row, no exponential that counts was lost to overflow or underflow."""


def attend(query: Tensor, key: Tensor, value: Tensor, bias: Tensor | None = None) -> Tensor:
    """Attend from queries to keys and return the weighted values.

    Parameters
    ----------
    query
        ``(B or 1, H, N, C)``.
    key
        ``(B, H, M, C)``.
    value
        ``(B, H, M, V)``.
    bias
        Added to the scores, ``(H, N, M)`` or anything that broadcasts to ``(B, H, N, M)``.

    Returns
    -------
    Tensor
        ``(B, H, N, V)``, in the type in which autocast computes, if it is on.
    """
    dtype = compute_dtype(value)
    by_products = query.device.type == "cpu" and compute_options().attention_by_products
    if not by_products or dtype not in (torch.float32, torch.bfloat16):
        return _fused(query, key, value, bias)
    if needs_gradient(query, key, value, bias):
        return _fused(query, key, value, bias) if dtype == torch.float32 else _products(query, key, value, bias)
    if query.shape[-2] * key.shape[-2] >= _STREAMED_FROM:
        return _streamed(query, key, value, bias, dtype)
    if dtype == torch.float32 and bias is None and key.shape[-2] > _FEW_KEYS:
        return _fused(query, key, value, bias)
    return _batched(query, key, value, bias, dtype)


def _fused(query: Tensor, key: Tensor, value: Tensor, bias: Tensor | None) -> Tensor:
    """Torch's own kernel."""
    shared = query.expand(value.shape[0], -1, -1, -1).to(value.dtype)
    mask = None if bias is None else bias.to(compute_dtype(query))
    return F.scaled_dot_product_attention(shared, key.to(value.dtype), value, attn_mask=mask)


def _products(query: Tensor, key: Tensor, value: Tensor, bias: Tensor | None) -> Tensor:
    """Two products with a softmax between them, all differentiable."""
    scores: Tensor = (query * query.shape[-1] ** -0.5) @ key.transpose(-1, -2)
    if bias is not None:
        scores = scores + bias
    result: Tensor = scores.softmax(dim=-1, dtype=scores.dtype) @ value
    return result


def _batched(query: Tensor, key: Tensor, value: Tensor, bias: Tensor | None, dtype: torch.dtype) -> Tensor:
    """All heads at once, for few or small maps of scores."""
    batch, heads, keys, width = value.shape
    queries = query.shape[-2]
    scaled = (query * (query.shape[-1] ** -0.5 * _LOG2_E)).to(dtype).expand(batch, -1, -1, -1).flatten(0, 1)
    values = value.to(dtype).reshape(-1, keys, width)
    scores = torch.bmm(scaled, key.to(dtype).reshape(-1, keys, key.shape[-1]).transpose(1, 2))
    if bias is not None:
        scores.view(batch, heads, queries, keys).add_((bias * _LOG2_E).to(dtype))
    weights = torch.exp2(scores)
    sums = weights.sum(dim=-1, dtype=torch.float32)
    if not _is_safe(sums):
        return _products(query.to(dtype), key.to(dtype), value.to(dtype), bias)
    return torch.bmm(weights, values).mul_(sums.reciprocal_()[..., None]).view(batch, heads, queries, width)


def _streamed(query: Tensor, key: Tensor, value: Tensor, bias: Tensor | None, dtype: torch.dtype) -> Tensor:
    """One head after the other, in blocks of scores that stay in cache."""
    batch, heads, keys, width = value.shape
    queries = query.shape[-2]
    scaled = (query * (query.shape[-1] ** -0.5 * _LOG2_E)).to(dtype)
    every = None if bias is None else (bias * _LOG2_E).expand(batch, heads, queries, keys)
    # Heads follow each other within a token, as the layer that merges them wants it.
    result = value.new_empty(batch, queries, heads, width, dtype=dtype).transpose(1, 2)
    for row in range(batch):
        for head in range(heads):
            q, k, v = scaled[row % len(scaled), head], key[row, head].to(dtype), value[row, head].to(dtype)
            result[row, head] = _one_head(q, k, v, None if every is None else every[row, head])
    return result


def _one_head(query: Tensor, key: Tensor, value: Tensor, bias: Tensor | None) -> Tensor:
    """Attend from scaled ``(N, C)`` to ``(M, C)`` and ``(M, V)``, scores counting in powers of two; ``(N, V)``."""
    product, sums_apart = _product_for(query.dtype), query.dtype == torch.float32
    # A value of one in every row makes the sums of the weights come out of the same product. In float32 a sum of its
    # own takes less time than values that no longer fit whole registers.
    values = value if sums_apart else F.pad(value, (0, 1), value=1.0)
    total = query.new_zeros(query.shape[0], values.shape[1], dtype=torch.float32)
    sums = total.new_zeros(query.shape[0]) if sums_apart else total[:, -1]
    for first in range(0, key.shape[0], _BLOCK):
        columns = slice(first, first + _BLOCK)
        for start in range(0, query.shape[0], _BLOCK):
            rows = slice(start, start + _BLOCK)
            weights = product(query[rows], key[columns])
            if bias is not None:
                weights += bias[rows, columns]
            torch.exp2(weights, out=weights)
            total[rows] += product(weights, values[columns].t())
            if sums_apart:
                sums[rows] += weights.sum(dim=-1)
    if not _is_safe(sums):
        return _one_head_shifted(query, key, value.t(), bias, product)
    return total[:, : value.shape[1]] / sums[:, None]


def _one_head_shifted(query: Tensor, key: Tensor, values: Tensor, bias: Tensor | None, product: Product) -> Tensor:
    """As :func:`_one_head`, for scores of any size."""
    step = max(1, _BLOCK**2 // key.shape[0])
    parts = []
    for start in range(0, query.shape[0], step):
        rows = slice(start, start + step)
        scores = product(query[rows], key).float()
        if bias is not None:
            scores += bias[rows]
        parts.append(product((scores / _LOG2_E).softmax(dim=-1).to(query.dtype), values))
    return torch.cat(parts)


def _product_for(dtype: torch.dtype) -> Product:
    """Return the fastest product of rows with rows for a type."""
    if dtype == torch.float32 and compute_options().packed_linear and onednn.is_usable(dtype):
        return onednn.product
    return lambda rows, others: rows @ others.t()


def _is_safe(sums: Tensor) -> bool:
    low, high = torch.aminmax(sums)
    return bool(low > _SAFE_SUMS[0]) and bool(high < _SAFE_SUMS[1])
