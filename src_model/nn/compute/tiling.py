"""Maps computed in tiles of a few whole rows, so that what lies between two layers stays in cache."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from src_model.nn.compute.options import compute_dtype, compute_options

if TYPE_CHECKING:
    from collections.abc import Callable

_TILE_BYTES = 8 * 2**20
"""Bytes of the widest tensor within a tile.

Below 2 MiB the start of many small products shows, above 16 MiB the system's handing out of memory.
"""


def compute_tiled(
    step: Callable[[Tensor], Tensor], x: Tensor, *, widest: int, rows: int = 1, halo: int = 0, stride: int = 1
) -> Tensor:
    """Compute ``step(x)``, on CPU without gradients in tiles of a few rows each.

    Freshly allocated memory is what large maps cost most: the system hands it out and takes it back page by page.

    Parameters
    ----------
    step
        Makes ``(B, H / stride, W / stride, D)`` of ``(B, H, W, C)``, every row of what lies near it.
    x
        ``(B, H, W, C)``.
    widest
        Channels per input pixel of the largest tensor that `step` makes on its way.
    rows
        A tile starts at a multiple of this many rows (the side of a window).
    halo
        Rows above and below a tile that its result depends on, a multiple of `stride`. They are computed twice.
    stride
        Rows of `x` for a row of the result; divides `rows` or `halo`.

    Returns
    -------
    Tensor
        ``(B, H / stride, W / stride, D)``.
    """
    if x.device.type != "cpu" or torch.is_grad_enabled() or not compute_options().tiled:
        return step(x)
    batch, height, width, _ = x.shape
    fitting = _TILE_BYTES // (width * widest * compute_dtype(x).itemsize)
    if batch * height <= fitting:
        return step(x)
    unit = max(rows, stride)
    side = max(fitting // unit, 1) * unit
    result: Tensor | None = None
    for index in range(batch):
        for start in range(0, height, side):
            first, last = max(start - halo, 0), min(start + side, height)
            part = step(x[index : index + 1, first : min(last + halo, height)])
            if result is None:
                result = part.new_empty(batch, height // stride, width // stride, part.shape[-1])
            skipped, kept = (start - first) // stride, (last - start) // stride
            result[index, start // stride :][:kept] = part[0, skipped:][:kept]
    assert result is not None
    return result
