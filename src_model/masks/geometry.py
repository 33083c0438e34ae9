"""Where masks and boxes are and how much they overlap.

Boxes are ``(y0, x0, y1, x1)``: pixel ``(y, x)`` covers the square from ``(y, x)`` to ``(y + 1, x + 1)``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from src_model.errors import MaskError
from src_model.masks.rle import Box, Mask, Rle, as_rle, check_mask

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray


def mask_box(mask: Mask) -> Box | None:
    """Return the smallest ``(y0, x0, y1, x1)`` around the foreground, or None if there is none.

    Raises
    ------
    MaskError
        If ``mask`` is neither run lengths nor a 2-D bool array.
    """
    if isinstance(mask, Rle):
        return mask.box
    rows = np.flatnonzero(check_mask(mask).any(axis=1))
    if rows.size == 0:
        return None
    y0, y1 = int(rows[0]), int(rows[-1]) + 1
    columns = np.flatnonzero(mask[y0:y1].any(axis=0))
    return (y0, int(columns[0]), y1, int(columns[-1]) + 1)


def deepest_point(mask: NDArray[np.bool_]) -> tuple[int, int]:
    """Find the pixel (y, x) of a ``(Y, X)`` mask that lies deepest inside; the image's border bounds it too."""
    from scipy import ndimage  # when first needed: it takes longer to import than a network to load

    depth = ndimage.distance_transform_edt(np.pad(mask, 1))[1:-1, 1:-1]
    y, x = np.unravel_index(int(depth.argmax()), mask.shape)
    return int(y), int(x)


def centroid(mask: Mask) -> tuple[float, float] | None:
    """Return the mean ``(y, x)`` of the foreground pixels, or None if there is none.

    Coordinates are pixel indices, as in a point prompt: a mask of pixel ``(3, 4)`` alone has its centroid there. The
    centroid of a bent object can lie outside of it.

    Raises
    ------
    MaskError
        If ``mask`` is neither run lengths nor a 2-D bool array.
    """
    box = mask_box(mask)
    if box is None:
        return None
    if isinstance(mask, Rle):
        starts, stops = mask.runs()
        rows, columns = np.divmod(starts, mask.shape[1])
        lengths = stops - starts
        # Unless a run goes on in the next row, nothing needs to be decoded.
        if (columns + lengths <= mask.shape[1]).all():
            area = int(lengths.sum())
            return (int(rows @ lengths) / area, int((2 * columns + lengths - 1) @ lengths) / (2 * area))
    y0, x0, y1, x1 = box
    crop = mask.crop(box) if isinstance(mask, Rle) else mask[y0:y1, x0:x1]
    in_row, in_column = crop.sum(axis=1), crop.sum(axis=0)
    area = int(in_row.sum())
    y = y0 + float(in_row @ np.arange(y1 - y0)) / area
    x = x0 + float(in_column @ np.arange(x1 - x0)) / area
    return (y, x)


def box_iou(a: ArrayLike, b: ArrayLike) -> float:
    """Return intersection over union of two ``(y0, x0, y1, x1)`` boxes; 0 if both have no area.

    Raises
    ------
    MaskError
        If an argument is not four numbers.
    """
    return float(_pairwise_box_iou(_boxes([a]), _boxes([b]))[0, 0])


def pairwise_box_iou(a: ArrayLike, b: ArrayLike) -> NDArray[np.float64]:
    """Return intersection over union of every box of ``a`` with every box of ``b``.

    Parameters
    ----------
    a, b
        ``(N, 4)`` and ``(M, 4)`` boxes ``(y0, x0, y1, x1)``; floats are welcome.

    Returns
    -------
    numpy.ndarray
        ``(N, M)`` float64 in 0..1; 0 for two boxes without area.

    Raises
    ------
    MaskError
        If an argument is not a list of boxes.
    """
    return _pairwise_box_iou(_boxes(a), _boxes(b))


def intersection_area(a: Mask, b: Mask) -> int:
    """Return the number of pixels that two masks share, without decoding run lengths.

    Raises
    ------
    MaskError
        If the masks differ in shape.
    """
    first, second = as_rle(a), as_rle(b)
    _check_same_shape([first, second])
    starts, stops = first.runs()
    before = _ForegroundBefore(second)
    return int((before(stops) - before(starts)).sum())


def moved_iou(a: Rle, b: Rle, by: tuple[int, int]) -> float:
    """Return intersection over union of two masks after the first was moved, without decoding run lengths.

    Parameters
    ----------
    a, b
        ``(Y, X)``, not both empty.
    by
        ``(y, x)`` in whole pixels. What leaves the frame at its left or right edge counts in the row beside.

    Raises
    ------
    MaskError
        If the masks differ in shape.
    """
    _check_same_shape([a, b])
    starts, stops = a.runs()
    shift = by[0] * a.shape[1] + by[1]
    before = _ForegroundBefore(b)
    common = float((before(stops + shift) - before(starts + shift)).sum())
    return common / (a.area + b.area - common)


def mask_iou(a: Mask, b: Mask) -> float:
    """Return intersection over union of two masks of one shape; two empty masks agree: 1.

    Raises
    ------
    MaskError
        If the masks differ in shape.
    """
    return float(pairwise_mask_iou([a], [b])[0, 0])


def pairwise_mask_iou(a: Sequence[Mask], b: Sequence[Mask] | None = None) -> NDArray[np.float64]:
    """Return intersection over union of every mask of ``a`` with every mask of ``b``, on run lengths.

    Only pairs whose boxes overlap are computed.

    Parameters
    ----------
    a, b
        N and M masks of one shape; ``b`` left out is ``a``.

    Returns
    -------
    numpy.ndarray
        ``(N, M)`` float64 in 0..1; 1 for two empty masks.

    Raises
    ------
    MaskError
        If the masks differ in shape.
    """
    first = [as_rle(mask) for mask in a]
    second = first if b is None else [as_rle(mask) for mask in b]
    common = _common_areas(first, second)
    union = np.add.outer(_areas(first), _areas(second)) - common
    iou: NDArray[np.float64] = np.divide(common, union, out=np.ones_like(common), where=union > 0)
    return iou


def pairwise_containment(a: Sequence[Mask], b: Sequence[Mask]) -> NDArray[np.float64]:
    """Return what every mask of ``a`` has in common with every mask of ``b``, as a share of the smaller of both.

    Unlike IoU it is 1 for a part and its whole: for a nucleus and its cell, or a cell and a group of cells.

    Parameters
    ----------
    a, b
        N and M masks of one shape.

    Returns
    -------
    numpy.ndarray
        ``(N, M)`` float64 in 0..1; 0 where one of both is empty.

    Raises
    ------
    MaskError
        If the masks differ in shape.
    """
    first, second = [as_rle(mask) for mask in a], [as_rle(mask) for mask in b]
    common = _common_areas(first, second)
    smaller = np.minimum.outer(_areas(first), _areas(second))
    share: NDArray[np.float64] = np.divide(common, smaller, out=np.zeros_like(common), where=smaller > 0)
    return share


def _common_areas(first: Sequence[Rle], second: Sequence[Rle]) -> NDArray[np.float64]:
    """Count the pixels that pairs of masks share, ``(N, M)``; only pairs whose boxes overlap are computed."""
    _check_same_shape([*first, *second])
    near = _boxes_overlap(first, second)
    common = np.zeros(near.shape)
    runs = [mask.runs() for mask in first]
    for column, mask in enumerate(second):
        rows = np.flatnonzero(near[:, column])
        if rows.size == 0:
            continue
        before = _ForegroundBefore(mask)
        starts = np.concatenate([runs[row][0] for row in rows])
        stops = np.concatenate([runs[row][1] for row in rows])
        sizes = [runs[row][0].size for row in rows]
        offsets = np.cumsum([0, *sizes[:-1]])
        common[rows, column] = np.add.reduceat(before(stops) - before(starts), offsets)
    return common


class _ForegroundBefore:
    """How many foreground pixels of a mask come before a pixel number."""

    def __init__(self, mask: Rle) -> None:
        # The count is constant in background and rises by one a pixel in foreground; floats hold it exactly.
        self._at = np.concatenate(([0], np.cumsum(mask.counts, dtype=np.int64)))
        inside = mask.counts.astype(np.int64)
        inside[::2] = 0
        self._count = np.concatenate(([0], np.cumsum(inside)))

    def __call__(self, pixels: NDArray[np.int64]) -> NDArray[np.float64]:
        count: NDArray[np.float64] = np.interp(pixels, self._at, self._count)
        return count


def _pairwise_box_iou(first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
    low = np.maximum(first[:, None, :2], second[None, :, :2])
    high = np.minimum(first[:, None, 2:], second[None, :, 2:])
    common = np.clip(high - low, 0, None).prod(axis=2)
    union = _box_area(first)[:, None] + _box_area(second)[None, :] - common
    iou: NDArray[np.float64] = np.divide(common, union, out=np.zeros_like(common), where=union > 0)
    return iou


def _boxes(boxes: object) -> NDArray[np.float64]:
    try:
        array: NDArray[np.float64] = np.asarray(boxes, np.float64)
    except (TypeError, ValueError) as error:
        raise MaskError(f"boxes must be numbers (y0, x0, y1, x1): {error}") from error
    if array.size == 0:
        return array.reshape(0, 4)
    if array.ndim != 2 or array.shape[1] != 4 or not np.isfinite(array).all():
        raise MaskError(f"boxes must be rows of finite (y0, x0, y1, x1), got {boxes!r:.200}")
    return array


def _box_area(boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    area: NDArray[np.float64] = np.clip(boxes[:, 2:] - boxes[:, :2], 0, None).prod(axis=1)
    return area


def _areas(masks: Sequence[Rle]) -> NDArray[np.float64]:
    return np.array([mask.area for mask in masks], np.float64)


def _boxes_overlap(first: Sequence[Rle], second: Sequence[Rle]) -> NDArray[np.bool_]:
    a, b = _boxes([mask.box or (0, 0, 0, 0) for mask in first]), _boxes([mask.box or (0, 0, 0, 0) for mask in second])
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    return np.asarray((low < high).all(axis=2))


def _check_same_shape(masks: Sequence[Rle]) -> None:
    shapes = sorted({mask.shape for mask in masks})
    if len(shapes) > 1:
        raise MaskError(f"masks of different shapes cannot be compared: {shapes[0]} and {shapes[1]}")
