"""Attention within windows of a map, without computing what lies beyond the map's edges.

Where windows do not divide a map, the published weights expect it to be padded with zeros that take part in attention.
All padding is alike, so one key can stand for all of it: m keys of equal score s weigh as much as one of s + log m.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from src_model.nn.compute import attend, compute_options

if TYPE_CHECKING:
    from collections.abc import Callable


def skips_padding(x: Tensor) -> bool:
    """Whether :func:`attend_in_windows` is the better way: on CPU, where work counts more than the number of calls."""
    return x.device.type == "cpu" and not torch.is_grad_enabled() and compute_options().unpadded_windows


def attend_in_windows(
    query: Tensor,
    key_value: Tensor,
    outside: Tensor,
    side: int,
    bias: Callable[[int, int], Tensor | None],
) -> Tensor:
    """Attend within windows, the first of which starts in the upper left corner.

    Parameters
    ----------
    query
        ``(B, H, W, heads, C)``, or ``(B, H / 2, W / 2, heads, C)`` if a query stands for two by two pixels.
    key_value
        ``(B, H, W, 2, heads, C)``.
    outside
        ``(2, heads, C)``: key and value of every pixel beyond the edges.
    side
        Of a window, in pixels.
    bias
        Given the rows and columns of a window that lie within the map: what to add to its scores, of which those of
        the key outside come last. A whole window has no such key.

    Returns
    -------
    Tensor
        ``(B, H', W', heads * C)``, H' and W' being those of the queries.
    """
    scale = key_value.shape[1] // query.shape[1]
    rows = []
    for y, height in _spans(key_value.shape[1], side):
        row = []
        for x, width in _spans(key_value.shape[2], side):
            keys, values = cut(key_value[:, y, x], height, width)
            if height * width < side**2:
                keys, values = (_append(part, one) for part, one in zip((keys, values), outside, strict=True))
            part = query[:, _divide(y, scale), _divide(x, scale), None]
            queries = cut(part, height // scale, width // scale)[0]
            attended = attend(queries, keys, values, bias(height, width))
            row.append(join(attended, part.shape[:3], height // scale, width // scale))
        rows.append(row[0] if len(row) == 1 else torch.cat(row, dim=2))
    return rows[0] if len(rows) == 1 else torch.cat(rows, dim=1)


def edge_bias(bias: Tensor, side: int, height: int, width: int) -> Tensor:
    """Merge the keys beyond an edge into one.

    Parameters
    ----------
    bias
        ``(heads, side**2 or 1, side**2)``, of whole windows.
    side
        Of a window, in pixels.
    height, width
        Rows and columns of a window that lie within the map.

    Returns
    -------
    Tensor
        ``(heads, height * width or 1, height * width + 1)``.
    """
    if height * width == side**2:
        return bias
    inside = torch.zeros(side, side, dtype=torch.bool, device=bias.device)
    inside[:height, :width] = True
    inside = inside.flatten()
    of_queries = bias[:, inside] if bias.shape[1] > 1 else bias
    merged = of_queries[..., ~inside].logsumexp(dim=-1, keepdim=True)
    return torch.cat((of_queries[..., inside], merged), dim=-1)


def cut(x: Tensor, height: int, width: int) -> Tensor:
    """Cut ``(B, H, W, G, heads, C)`` into windows: ``(G, B * windows, heads, height * width, C)``."""
    batch, rows, columns, groups, heads, channels = x.shape
    x = x.view(batch, rows // height, height, columns // width, width, groups, heads, channels)
    return x.permute(5, 0, 1, 3, 6, 2, 4, 7).reshape(groups, -1, heads, height * width, channels)


def join(windows: Tensor, size: tuple[int, ...], height: int, width: int) -> Tensor:
    """Put windows ``(B * windows, heads, height * width, C)`` together as a map ``(*size, heads * C)``."""
    _, heads, _, channels = windows.shape
    batch, rows, columns = size
    x = windows.reshape(batch, rows // height, columns // width, heads, height, width, channels)
    return x.permute(0, 1, 4, 2, 5, 3, 6).reshape(*size, heads * channels)


def _spans(length: int, side: int) -> list[tuple[slice, int]]:
    """Return the part of a side that whole windows cover, and the rest; each with the side of its windows in it."""
    rest = length % side
    spans = [(slice(0, length - rest), side), (slice(length - rest, length), rest)]
    return [(span, window) for span, window in spans if span.start < span.stop]


def _divide(span: slice, scale: int) -> slice:
    return slice(span.start // scale, span.stop // scale)


def _append(windows: Tensor, one: Tensor) -> Tensor:
    """Add a token ``(heads, C)`` to each of the windows ``(N, heads, tokens, C)``."""
    return torch.cat((windows, one[:, None].expand(len(windows), -1, -1, -1)), dim=2)
