"""Memories of one window read in another.

A spatial memory is a map over the window in which it was made. In a window of about the same scale it is resampled, so
that every part of it lies where it was in the movie; memories of windows that did not move are taken as they are. Where
an object remembered would lie outside, the map is shifted until it lies inside: old memories say what the object looks
like, and where it was long ago matters less. Maps are always resampled from the original, so that nothing blurs however
often windows move. In a window of quite another scale the memory is made again from the mask, by
:class:`~src_model.tracking.recall.Recall`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor

if TYPE_CHECKING:
    from src_model.tracking.windows.window import Window

_SAME_SCALE = 1.6
"""Memories are resampled up to this change of scale; beyond it they are made again from the mask."""

_INSIDE = 0.25
"""A remembered object's middle lies this share of the side from the edges at least."""


def is_near_in_scale(source: Window, target: Window) -> bool:
    """Whether a memory of ``source`` is of use in ``target``."""
    return 1 / _SAME_SCALE <= source.zoom / target.zoom <= _SAME_SCALE


def carried(memory: Tensor, source: Window, target: Window, centre: tuple[float, float] | None) -> Tensor:
    """Resample a spatial memory to another window.

    Parameters
    ----------
    memory
        ``(1, C, h, w)``, made in ``source``.
    source, target
        The windows.
    centre
        ``(y, x)`` in the movie of the object remembered; None if it was absent.

    Returns
    -------
    Tensor
        ``(1, C, h', w')`` for ``target``. Beyond the edges of ``source`` its outermost values go on.
    """
    if source == target:
        return memory
    tokens = round(memory.shape[-1] * target.size / source.size)
    places = [_places(axis, tokens, source, target, centre, memory.device) for axis in (0, 1)]
    y, x = torch.meshgrid(*places, indexing="ij")
    grid = torch.stack((x, y), dim=-1)[None].to(memory.dtype)
    return F.grid_sample(memory, grid, mode="bilinear", padding_mode="border", align_corners=False)


def _places(
    axis: int,
    tokens: int,
    source: Window,
    target: Window,
    centre: tuple[float, float] | None,
    device: torch.device,
) -> Tensor:
    """Where the target's tokens lie along one axis of the source, whose edges are at -1 and 1."""
    length, start = target.shape[axis], target.box[axis]
    drift = 0.0
    if centre is not None:
        share = (centre[axis] - start) / length
        drift = (share - min(max(share, _INSIDE), 1 - _INSIDE)) * length
    pixels = start + drift + (torch.arange(tokens, dtype=torch.float64) + 0.5) * (length / tokens)
    return ((pixels - source.box[axis]) / source.shape[axis] * 2 - 1).float().to(device)
