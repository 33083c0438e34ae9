"""Maps computed strip by strip, so that what lies between two layers stays in cache and takes little memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from src_model.nn.compute.levers import compute_dtype, levers

if TYPE_CHECKING:
    from collections.abc import Callable

_STRIP_BYTES = 8 * 2**20
"""Of the widest tensor within a strip.

Below 2 MiB the start of many small products shows, above 16 MiB the system's handing out of memory.
"""


def in_strips(
    step: Callable[[Tensor], Tensor], x: Tensor, *, widest: int, rows: int = 1, halo: int = 0, stride: int = 1
) -> Tensor:
    """Compute ``step(x)``, on CPU without gradients in strips of a few rows each.

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
        A strip starts at a multiple of this many rows (the side of a window).
    halo
        Rows above and below a strip that its result depends on, a multiple of `stride`. They are computed twice.
    stride
        Rows of `x` for a row of the result; divides `rows` or `halo`.

    Returns
    -------
    Tensor
        ``(B, H / stride, W / stride, D)``.
    """
    if x.device.type != "cpu" or torch.is_grad_enabled() or not levers().strips:
        return step(x)
    batch, height, width, _ = x.shape
    fitting = _STRIP_BYTES // (width * widest * compute_dtype(x).itemsize)
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
