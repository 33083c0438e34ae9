"""Memories of one window read in another.

A spatial memory is a map over the window in which it was made. In a window of about the same scale it is resampled, so
that every part of it lies where it was in the movie; memories of windows that did not move are taken as they are. Where
an object remembered would lie far from where it is by now, the map is shifted until it does not: old memories say what
the object looks like, and where it was long ago matters less. Maps are always resampled from the original, so that
nothing blurs however often windows move. In a window of quite another scale the memory is made again from the mask, by
:class:`~src_model.memory.rebuilding.MemoryRebuilder`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor

if TYPE_CHECKING:
    from src_model.masks.window import Window

_SAME_SCALE = 1.6
"""Memories are resampled up to this change of scale along each axis; beyond it they are made again from the mask."""

_DRIFT = 0.25
"""A remembered object's middle lies at most this share of the side from where the object is by now."""

Place = tuple[float, float]
"""``(y, x)`` in the movie."""


def is_near_in_scale(source: Window, target: Window) -> bool:
    """Whether a memory of ``source`` is of use in ``target``."""
    changes = (source.zooms[axis] / target.zooms[axis] for axis in (0, 1))
    return all(1 / _SAME_SCALE <= change <= _SAME_SCALE for change in changes)


def warped(
    memory: Tensor, source: Window, target: Window, centre: Place | None = None, now: Place | None = None
) -> Tensor:
    """Resample a spatial memory to another window.

    Parameters
    ----------
    memory
        ``(1, C, h, w)``, made in ``source``.
    source, target
        The window in which the memory was made, and the one in which it is to be read.
    centre
        Of the object remembered; None if it was absent.
    now
        Where the object is by now, as far as is known; None stands for ``centre``.

    Returns
    -------
    Tensor
        ``(1, C, h', w')`` for ``target``. Beyond the edges of ``source`` its outermost values go on.
    """
    if source == target:
        return memory
    tokens = round(memory.shape[-1] * target.size / source.size)
    drift = (0.0, 0.0) if centre is None else _drift(target, centre, now or centre)
    places = [_places(axis, tokens, source, target, drift[axis], memory.device) for axis in (0, 1)]
    y, x = torch.meshgrid(*places, indexing="ij")
    grid = torch.stack((x, y), dim=-1)[None]
    # In float32: torch reads bfloat16 maps in channels-last order wrongly here, and places would lose their digits.
    moved = F.grid_sample(memory.float(), grid, mode="bilinear", padding_mode="border", align_corners=False)
    return moved.to(memory.dtype)


def _drift(target: Window, centre: Place, now: Place) -> Place:
    """Tell by how many pixels a remembered object lies too far from where the object is by now."""
    too_far = []
    for axis in (0, 1):
        length, start = target.shape[axis], target.box[axis]
        expected = min(max(now[axis], start), start + length)
        reach = _DRIFT * length
        too_far.append(centre[axis] - min(max(centre[axis], expected - reach), expected + reach))
    return too_far[0], too_far[1]


def _places(axis: int, tokens: int, source: Window, target: Window, drift: float, device: torch.device) -> Tensor:
    """Where the target's tokens lie along one axis of the source, whose edges are at -1 and 1."""
    length, start = target.shape[axis], target.box[axis]
    pixels = start + drift + (torch.arange(tokens, dtype=torch.float64) + 0.5) * (length / tokens)
    return ((pixels - source.box[axis]) / source.shape[axis] * 2 - 1).float().to(device)
