"""Masks at movie resolution from the network's low-resolution logits, touching only the pixels near the object."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from src_model.masks import Rle, fill_holes, remove_specks

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from src_model.masks.window import Window
    from src_model.tracking.settings import TrackingSettings

_MENDED_SHARE = 0.1
"""Holes and specks are never mended when they hold more than this share of the object."""


def render_mask(
    logits: Tensor, shape: tuple[int, int], settings: TrackingSettings, window: Window | None = None
) -> Rle:
    """Enlarge logits bilinearly to the movie's frame, threshold them at 0 and mend small defects.

    This runs in NumPy, whose small operations cost a tenth of torch's: with hundreds of objects they are what counts.

    Parameters
    ----------
    logits
        ``(h, w)`` mask logits. Those of many objects are best moved to the CPU together.
    shape
        ``(Y, X)`` of the movie.
    settings
        Sizes of holes and specks to be mended.
    window
        The part of the frame that the logits cover; None: all of it.

    Returns
    -------
    Rle
        The mask, ``(Y, X)``.
    """
    field: NDArray[np.float32] = logits.float().numpy(force=True)
    positive = field > 0
    rows, columns = np.flatnonzero(positive.any(axis=1)), np.flatnonzero(positive.any(axis=0))
    if not rows.size:
        return Rle.empty(shape)
    (height, width), (y, x) = (shape, (0, 0)) if window is None else (window.shape, window.origin)
    down, across = _scale(field.shape[0], height), _scale(field.shape[1], width)
    y_slice, x_slice = down.reached(int(rows[0]), int(rows[-1])), across.reached(int(columns[0]), int(columns[-1]))
    enlarged = across.enlarge(down.enlarge(field, y_slice, 0), x_slice, 1)
    mask = enlarged > 0
    origin = (y + y_slice.start, x + x_slice.start)
    rle = Rle.from_crop(mask, origin, shape)
    limits = _mended_areas(rle.area, settings)
    return rle if limits == (0, 0) or _is_plain(rle) else Rle.from_crop(_mended(mask, *limits), origin, shape)


def mend(mask: NDArray[np.bool_], settings: TrackingSettings) -> NDArray[np.bool_]:
    """Fill holes and remove specks that are small both in pixels and against the object."""
    return _mended(mask, *_mended_areas(int(np.count_nonzero(mask)), settings))


def _mended_areas(area: int, settings: TrackingSettings) -> tuple[int, int]:
    """Return the largest hole and the largest speck to be mended in an object of this area; 0: none."""
    limit = int(_MENDED_SHARE * area)
    return min(settings.fill_hole_area, limit), min(settings.remove_speck_area, limit)


def _mended(mask: NDArray[np.bool_], holes: int, specks: int) -> NDArray[np.bool_]:
    if holes > 0:
        mask = fill_holes(mask, holes)
    return remove_specks(mask, specks + 1) if specks > 0 else mask


def _is_plain(rle: Rle) -> bool:
    """Whether each row with foreground has one run that touches the run above: then there is no hole and no speck."""
    width = rle.shape[1]
    starts, stops = rle.runs()
    rows = starts // width
    is_one_row = (stops - 1) // width == rows
    follows = (rows[1:] == rows[:-1] + 1) & (starts[1:] - width <= stops[:-1]) & (stops[1:] - width >= starts[:-1])
    return bool(is_one_row.all() and follows.all())


@dataclass(frozen=True, slots=True, eq=False)
class _Scale:
    """Linear interpolation along one axis, with half-pixel centres.

    Attributes
    ----------
    source, target
        Lengths.
    lower, upper
        ``(target,)`` source pixels on both sides of each target pixel.
    weight
        ``(target,)`` float32 share of the upper one.
    """

    source: int
    target: int
    lower: NDArray[np.intp]
    upper: NDArray[np.intp]
    weight: NDArray[np.float32]

    def reached(self, first: int, last: int) -> slice:
        """Target pixels that the source pixels ``first`` to ``last`` and their neighbours can reach."""
        scale = self.target / self.source
        start = max(0, int((first - 1) * scale) - 1)
        return slice(start, min(self.target, int(np.ceil((last + 2) * scale)) + 1))

    def enlarge(self, field: NDArray[np.float32], wanted: slice, axis: int) -> NDArray[np.float32]:
        """Interpolate an axis and return the wanted target pixels."""
        weight = self.weight[wanted] if axis else self.weight[wanted, None]
        lower, upper = (np.take(field, places[wanted], axis) for places in (self.lower, self.upper))
        lower *= 1 - weight
        upper *= weight
        lower += upper
        return lower


@lru_cache(maxsize=256)
def _scale(source: int, target: int) -> _Scale:
    pixels = np.arange(target, dtype=np.float32)
    places = np.maximum((pixels + np.float32(0.5)) * np.float32(source / target) - np.float32(0.5), np.float32(0))
    lower = np.minimum(places.astype(np.intp), source - 1)
    return _Scale(source, target, lower, np.minimum(lower + 1, source - 1), (places - lower).astype(np.float32))
