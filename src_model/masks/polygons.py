"""Masks as polygons with holes, and back, without loss.

Vertices are ``(y, x)`` at the corners of pixels: pixel ``(y, x)`` covers the square from ``(y, x)`` to
``(y + 1, x + 1)``, the same as in boxes. A polygon covers the pixels whose centres it encloses.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from src_model.errors import MaskError
from src_model.masks.cleaning import label_components
from src_model.masks.geometry import mask_box
from src_model.masks.rle import Mask, Rle, check_shape

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import ArrayLike, NDArray

_MAX_COORDINATE = 2.0**31
_MAX_CROSSINGS = 2**24


@dataclass(frozen=True, slots=True, eq=False)
class Polygon:
    """An outline and the holes in it. The last vertex of a ring joins the first, which is not repeated.

    Attributes
    ----------
    exterior
        ``(N, 2)`` float64 vertices ``(y, x)``, at least 3, read-only.
    holes
        Rings of the same kind.

    Raises
    ------
    MaskError
        If a ring has fewer than 3 vertices, another shape, or coordinates that are not finite.
    """

    exterior: NDArray[np.float64]
    holes: tuple[NDArray[np.float64], ...] = ()

    def __post_init__(self) -> None:
        """Check the rings and make them read-only."""
        object.__setattr__(self, "exterior", _ring(self.exterior))
        object.__setattr__(self, "holes", tuple(_ring(hole) for hole in self.holes))


def mask_to_polygons(mask: Mask) -> list[Polygon]:
    """Trace the outlines of a mask along its pixels.

    Rings do not cross or touch themselves. Pixels that touch only at a corner are in different polygons, or are
    joined elsewhere. Exteriors run clockwise on screen (y down), holes the other way.

    Parameters
    ----------
    mask
        ``(Y, X)`` bool or its run lengths.

    Returns
    -------
    list
        One :class:`Polygon` for each group of pixels joined by edges, in the order met from the top left;
        ``polygons_to_mask`` gives exactly the mask again.

    Raises
    ------
    MaskError
        If ``mask`` is neither run lengths nor a 2-D bool array.
    """
    box = mask_box(mask)
    if box is None:
        return []
    y0, x0, y1, x1 = box
    crop = mask.crop(box) if isinstance(mask, Rle) else mask[y0:y1, x0:x1]
    labels, count = label_components(crop, corners=False)
    vertices, owners, horizontal, vertical = _corners(np.pad(labels, 1))
    rings: list[list[NDArray[np.float64]]] = [[] for _ in range(count)]
    for path in _closed_paths(horizontal, vertical):
        ring = vertices[path]
        rings[owners[path[0]] - 1].extend(ring[part] + (y0, x0) for part in _simple_parts(ring))
    return [_polygon(group) for group in rings]


def polygons_to_mask(polygons: Iterable[Polygon], shape: Sequence[int]) -> NDArray[np.bool_]:
    """Fill polygons.

    Parameters
    ----------
    polygons
        What lies outside the image is cut off. A ring that crosses itself is filled by the even-odd rule.
    shape
        ``(Y, X)`` of the result.

    Returns
    -------
    numpy.ndarray
        ``(Y, X)`` bool: the pixels whose centre lies in any of the polygons and not in its holes.

    Raises
    ------
    MaskError
        If the shape cannot be, or the polygons have too many edges to be filled in reasonable memory.
    """
    size = check_shape(shape)
    result = np.zeros(size, bool)
    for polygon in polygons:
        filled = _fill(polygon, size)
        if (box := filled.box) is not None:
            result[box[0] : box[2], box[1] : box[3]] |= filled.crop(box)
    return result


def _ring(vertices: ArrayLike) -> NDArray[np.float64]:
    try:
        ring = np.array(vertices, np.float64)
    except (TypeError, ValueError) as error:
        raise MaskError(f"a polygon's vertices must be numbers (y, x): {error}") from error
    if ring.ndim != 2 or ring.shape[1] != 2 or len(ring) < 3:
        raise MaskError(f"a polygon needs at least 3 vertices (y, x), got an array of shape {ring.shape}")
    if not (np.abs(ring) <= _MAX_COORDINATE).all():
        raise MaskError(f"a polygon's coordinates must be finite and within +-{_MAX_COORDINATE:.0f}")
    ring.flags.writeable = False
    return ring


def _corners(labels: NDArray[np.int32]) -> tuple[NDArray[np.float64], list[int], list[int], list[int]]:
    """Find the corners of all outlines and how they join.

    ``labels`` is padded by one pixel of background. Returns vertices (N, 2), the component each belongs to, and for
    each corner the corner at the other end of its horizontal and of its vertical side.
    """
    top_left, top_right = labels[:-1, :-1], labels[:-1, 1:]
    bottom_left, bottom_right = labels[1:, :-1], labels[1:, 1:]
    falling = (top_left > 0) & (bottom_right > 0) & (top_right == 0) & (bottom_left == 0)
    rising = (top_right > 0) & (bottom_left > 0) & (top_left == 0) & (bottom_right == 0)
    odd = (top_left > 0) ^ (top_right > 0) ^ (bottom_left > 0) ^ (bottom_right > 0)
    any_label = np.maximum(np.maximum(top_left, top_right), np.maximum(bottom_left, bottom_right))
    # Where two pixels touch at a corner there are two corners: each keeps to its own pixel. The third and fourth
    # entry say whether the corner is the right, and the lower, of the two.
    groups = [
        (odd, any_label, 0, 0),
        (falling, top_left, 0, 0),
        (falling, bottom_right, 1, 1),
        (rising, top_right, 1, 0),
        (rising, bottom_left, 0, 1),
    ]
    points = [np.argwhere(where) for where, *_ in groups]
    vertices = np.concatenate(points)
    owners = np.concatenate([owner[where] for where, owner, *_ in groups])
    right = np.concatenate([np.full(len(p), g[2]) for p, g in zip(points, groups, strict=True)])
    lower = np.concatenate([np.full(len(p), g[3]) for p, g in zip(points, groups, strict=True)])
    y, x = vertices.T
    horizontal = _pair_up(np.lexsort((right, x, y)))
    vertical = _pair_up(np.lexsort((lower, y, x)))
    return vertices.astype(np.float64), owners.tolist(), horizontal, vertical


def _pair_up(order: NDArray[np.int64]) -> list[int]:
    """Along a grid line sides begin and end in turn, so neighbours in sorted order are the two ends of a side."""
    partner = np.empty_like(order)
    partner[order[::2]] = order[1::2]
    partner[order[1::2]] = order[::2]
    found: list[int] = partner.tolist()
    return found


def _closed_paths(horizontal: list[int], vertical: list[int]) -> Iterable[list[int]]:
    """Yield each outline as the corners it passes, going along horizontal and vertical sides in turn."""
    seen = bytearray(len(horizontal))
    for first in range(len(horizontal)):
        if seen[first]:
            continue
        path: list[int] = []
        corner = first
        while not seen[corner]:
            across = horizontal[corner]
            seen[corner] = seen[across] = 1
            path += (corner, across)
            corner = vertical[across]
        yield path


def _simple_parts(ring: NDArray[np.float64]) -> Iterable[list[int]]:
    """Cut a ring where it touches itself; yields the vertex numbers of each part."""
    path: list[int] = []
    at: dict[tuple[float, float], int] = {}
    points: list[tuple[float, float]] = [(y, x) for y, x in ring.tolist()]
    for number, point in enumerate(points):
        if point in at:
            start = at[point]
            yield path[start:]
            for other in path[start:]:
                del at[points[other]]
            del path[start:]
        at[point] = len(path)
        path.append(number)
    yield path


def _polygon(rings: list[NDArray[np.float64]]) -> Polygon:
    """Build the polygon of one component: its outline encloses all its other rings."""
    areas = [_signed_area(ring) for ring in rings]
    outline = int(np.argmax(np.abs(areas)))
    exterior = rings[outline] if areas[outline] > 0 else rings[outline][::-1]
    holes = [n for n in range(len(rings)) if n != outline]
    return Polygon(exterior, tuple(rings[n] if areas[n] < 0 else rings[n][::-1] for n in holes))


def _signed_area(ring: NDArray[np.float64]) -> float:
    """Return the area of a ring, positive if it runs clockwise on screen."""
    y, x = ring.T
    return float((x * np.roll(y, -1) - np.roll(x, -1) * y).sum() / 2)


def _fill(polygon: Polygon, shape: tuple[int, int]) -> Rle:
    """Fill one polygon: along each row, its rings' crossings switch between outside and inside."""
    crossings = np.concatenate([_crossings(ring, shape) for ring in (polygon.exterior, *polygon.holes)])
    crossings.sort()
    return Rle.from_runs(shape, crossings[::2], crossings[1::2])


def _crossings(ring: NDArray[np.float64], shape: tuple[int, int]) -> NDArray[np.int64]:
    """Return where a ring crosses the middle lines of pixel rows, as the number of the first pixel behind."""
    height, width = shape
    y, x = ring.T
    next_y, next_x = np.roll(y, -1), np.roll(x, -1)
    first = np.clip(np.ceil(np.minimum(y, next_y) - 0.5), 0, height).astype(np.int64)
    stop = np.clip(np.ceil(np.maximum(y, next_y) - 0.5), 0, height).astype(np.int64)
    rows_crossed = stop - first
    total = int(rows_crossed.sum())
    if total > _MAX_CROSSINGS:
        raise MaskError(f"a polygon of {len(ring)} vertices crosses {total} pixel rows; at most {_MAX_CROSSINGS}")
    edge = np.repeat(np.arange(len(ring)), rows_crossed)
    row = np.arange(total) - np.repeat(np.cumsum(rows_crossed) - rows_crossed, rows_crossed) + first[edge]
    slope = (next_x[edge] - x[edge]) / (next_y[edge] - y[edge])
    crossing = x[edge] + (row + 0.5 - y[edge]) * slope
    column = np.clip(np.ceil(crossing - 0.5), 0, width).astype(np.int64)
    position: NDArray[np.int64] = row * width + column
    return position
