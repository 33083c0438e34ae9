"""Outlines that a person can edit: the largest part of a mask, with as few vertices as a pixel's accuracy needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from src_model.masks import Polygon, mask_to_polygons, polygons_to_mask

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from src_model.masks import Rle

_TOLERANCE = 0.75
"""Pixels by which an outline may leave the corners of pixels: enough to cut stairs, too little to be seen."""


def largest_outline(mask: Rle, tolerance: float = _TOLERANCE, vertices: int | None = None) -> NDArray[np.float64]:
    """Return the outline of the largest part of a mask, without its holes.

    Parameters
    ----------
    mask
        ``(Y, X)`` mask, not empty.
    tolerance
        Distance by which the outline may be off, in pixels.
    vertices
        The most vertices: the tolerance is doubled until they are enough. None: any number.

    Returns
    -------
    numpy.ndarray
        ``(N, 2)`` vertices ``(y, x)``, N >= 4.
    """
    rings = [polygon.exterior for polygon in mask_to_polygons(mask)]
    ring = max(rings, key=_area)
    outline = simplified(ring, tolerance)
    while vertices is not None and len(outline) > vertices:
        tolerance *= 2
        outline = simplified(ring, tolerance)
    if _covers_a_pixel(outline):
        return outline
    # A thin line that became even thinner: all of it if that may be, else the box around it
    (y0, x0), (y1, x1) = ring.min(axis=0), ring.max(axis=0)
    box = np.array([(y0, x0), (y0, x1), (y1, x1), (y1, x0)])
    return ring if vertices is None or len(ring) <= vertices else box


def simplified(ring: NDArray[np.float64], tolerance: float) -> NDArray[np.float64]:
    """Leave out vertices of a closed ring that lie within ``tolerance`` of the line (Douglas and Peucker, 1973).

    The vertices farthest apart along the diagonals are kept, so that at least three remain.
    """
    corners = {int((ring @ direction).argmax()) for direction in ((1, 1), (-1, -1), (1, -1), (-1, 1))}
    kept = sorted(corners)
    if len(kept) < 3:
        return ring
    closed = np.concatenate([ring, ring[: kept[0] + 1]])
    chosen = set(kept)
    pending = list(zip(kept, [*kept[1:], kept[0] + len(ring)], strict=True))
    while pending:
        first, last = pending.pop()
        if last - first < 2:
            continue
        distances = _distances(closed[first + 1 : last], closed[first], closed[last])
        farthest = int(distances.argmax())
        if distances[farthest] > tolerance:
            middle = first + 1 + farthest
            chosen.add(middle)
            pending += [(first, middle), (middle, last)]
    return closed[sorted(chosen)]


def _distances(
    points: NDArray[np.float64], start: NDArray[np.float64], end: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the distance of each point from the segment between two others."""
    line = end - start
    length = float(line @ line)
    along = np.clip((points - start) @ line / length, 0, 1) if length else np.zeros(len(points))
    away: NDArray[np.float64] = np.hypot(*(points - start - along[:, None] * line).T)
    return away


def _covers_a_pixel(ring: NDArray[np.float64]) -> bool:
    corner = np.floor(ring.min(axis=0))
    height, width = (int(side) for side in np.ceil(ring.max(axis=0)) - corner)
    return bool(polygons_to_mask([Polygon(ring - corner)], (height, width)).any())


def _area(ring: NDArray[np.float64]) -> float:
    y, x = ring.T
    return abs(float((x * np.roll(y, -1) - np.roll(x, -1) * y).sum()))
