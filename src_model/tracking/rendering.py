"""Masks at movie resolution from the network's low-resolution logits, touching only the pixels near the object."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from src_model.masks import Rle, fill_holes, remove_specks

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from src_model.tracking.settings import TrackingSettings

_MENDED_SHARE = 0.1
"""Holes and specks are never mended when they hold more than this share of the object."""


def render_mask(logits: Tensor, shape: tuple[int, int], settings: TrackingSettings) -> Rle:
    """Enlarge logits bilinearly to the movie's frame, threshold them at 0 and mend small defects.

    Parameters
    ----------
    logits
        ``(h, w)`` mask logits.
    shape
        ``(Y, X)`` of the movie.
    settings
        Sizes of holes and specks to be mended.

    Returns
    -------
    Rle
        The mask, ``(Y, X)``.
    """
    positive = logits > 0
    rows, columns = positive.any(dim=1).nonzero()[:, 0], positive.any(dim=0).nonzero()[:, 0]
    if not len(rows):
        return Rle.empty(shape)
    y_slice = _covered(int(rows[0]), int(rows[-1]), logits.shape[0], shape[0])
    x_slice = _covered(int(columns[0]), int(columns[-1]), logits.shape[1], shape[1])
    enlarged = _enlarge(_enlarge(logits.float(), shape[0], y_slice).T, shape[1], x_slice).T
    mask = mend(np.asarray((enlarged > 0).cpu()), settings)
    return Rle.from_crop(mask, (y_slice.start, x_slice.start), shape)


def mend(mask: NDArray[np.bool_], settings: TrackingSettings) -> NDArray[np.bool_]:
    """Fill holes and remove specks that are small both in pixels and against the object."""
    limit = int(_MENDED_SHARE * mask.sum())
    holes, specks = min(settings.fill_hole_area, limit), min(settings.remove_speck_area, limit)
    if holes > 0:
        mask = fill_holes(mask, holes)
    if specks > 0:
        mask = remove_specks(mask, specks + 1)
    return mask


def _covered(first: int, last: int, source: int, target: int) -> slice:
    """Target pixels that the source pixels ``first`` to ``last`` and their neighbours can reach."""
    scale = target / source
    return slice(max(0, int((first - 1) * scale) - 1), min(target, int(np.ceil((last + 2) * scale)) + 1))


def _enlarge(logits: Tensor, target: int, wanted: slice) -> Tensor:
    """Interpolate the first axis linearly to ``target`` rows and return the wanted ones (half-pixel centres)."""
    source = logits.shape[0]
    rows = torch.arange(wanted.start, wanted.stop, device=logits.device, dtype=torch.float32)
    places = ((rows + 0.5) * (source / target) - 0.5).clamp(min=0.0)
    lower = places.long().clamp(max=source - 1)
    weight = (places - lower)[:, None]
    upper = (lower + 1).clamp(max=source - 1)
    return logits[lower] * (1 - weight) + logits[upper] * weight
