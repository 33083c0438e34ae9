"""CVAT's shapes and what they mean: rectangles, polygons and masks, as flat lists of x and y."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from cvat_serverless.outline import largest_outline
from src_model.errors import MaskError, RequestError
from src_model.masks import Polygon, Rle, polygons_to_mask

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from src_model.prompts import PromptBox

ShapeType = Literal["rectangle", "polygon", "mask"]
SHAPE_TYPES: tuple[ShapeType, ...] = ("rectangle", "polygon", "mask")

_MAX_COORDINATE = 1e6
"""Pixels; no side of an image that is decoded is as long."""


@dataclass(frozen=True, slots=True)
class Shape:
    """A shape that lies in its image.

    Attributes
    ----------
    type
        CVAT's name of its type.
    points
        As CVAT writes them: ``x, y`` pairs in pixels, pixel corners being whole numbers; a mask's run lengths with
        ``left, top, right, bottom``, both ends included.
    """

    type: ShapeType
    points: tuple[float, ...]

    @property
    def box(self) -> PromptBox:
        """``(y0, x0, y1, x1)`` around it, in pixels."""
        if self.type == "mask":
            left, top, right, bottom = self.points[-4:]
            return top, left, bottom + 1, right + 1
        x, y = self.points[::2], self.points[1::2]
        return min(y), min(x), max(y), max(x)

    @property
    def fingerprint(self) -> str:
        """What the shape is recognised by when it comes back; CVAT may round it on its way."""
        rounded = ",".join(f"{point:.1f}" for point in self.points)
        return hashlib.blake2b(f"{self.type}:{rounded}".encode(), digest_size=8).hexdigest()

    def mask(self, image: tuple[int, int]) -> Rle:
        """Return the pixels that it covers in an image of ``(Y, X)`` pixels.

        Raises
        ------
        RequestError
            If it covers no pixel.
        """
        mask = _decoded(self.points, image) if self.type == "mask" else _filled(self, image)
        if mask.is_empty:
            raise RequestError(f"the {self.type} covers no pixel of the image; draw it larger")
        return mask

    def place(self, image: tuple[int, int]) -> Rle:
        """Return the pixels that it covers, or where it covers none those of the box around it."""
        mask = _decoded(self.points, image) if self.type == "mask" else _filled(self, image)
        return box_pixels(self.box, image) if mask.is_empty else mask


def box_pixels(box: PromptBox, image: tuple[int, int]) -> Rle:
    """Fill a box ``(y0, x0, y1, x1)``, at least one pixel of it inside the image ``(Y, X)``."""
    top, left = (min(max(0, math.floor(box[axis])), image[axis] - 1) for axis in (0, 1))
    bottom, right = (min(max(low + 1, math.ceil(box[axis + 2])), image[axis]) for axis, low in ((0, top), (1, left)))
    return Rle.from_box((top, left, bottom, right), image)


def make_shape(kind: str, points: Sequence[float], image: tuple[int, int], *, may_cover_nothing: bool = False) -> Shape:
    """Check a shape from outside and bring it into the image.

    Parameters
    ----------
    kind
        CVAT's name of its type, which may be one that cannot be tracked.
    points
        As in :class:`Shape`, but they may lie outside of the image.
    image
        ``(Y, X)`` of the image, in pixels.
    may_cover_nothing
        Whether a shape of which nothing can be seen in the image is brought to its border or to the size of a pixel,
        instead of being refused.

    Raises
    ------
    RequestError
        If the type is unknown, the points cannot be meant, or none of the shape lies in the image.
    """
    if not all(-_MAX_COORDINATE <= point <= _MAX_COORDINATE for point in points):  # NaN fails here too
        raise RequestError(f"the {kind[:20]}'s points must be finite numbers within the image")
    match kind:
        case "rectangle":
            return Shape(kind, _clamped_rectangle(points, image, may_cover_nothing))
        case "polygon":
            shape = _clamped_polygon(points, image)
            if not may_cover_nothing:
                shape.mask(image)
            return shape
        case "mask":
            shape = Shape(kind, tuple(points))
            _decoded(shape.points, image)
            return shape
    raise RequestError(
        f"shapes of the type {kind[:40]!r} cannot be tracked; choose one of {', '.join(SHAPE_TYPES)}", 422
    )


def shape_of(mask: Rle, kind: ShapeType) -> Shape | None:
    """Describe a mask as a shape; None if it is empty.

    A polygon is the outline of the largest part, without its holes: CVAT's polygons have one ring.
    """
    box = mask.box
    if box is None:
        return None
    y0, x0, y1, x1 = box
    match kind:
        case "rectangle":
            return Shape(kind, (float(x0), float(y0), float(x1), float(y1)))
        case "polygon":
            return Shape(kind, tuple(largest_outline(mask)[:, ::-1].ravel().tolist()))
        case "mask":
            runs = _run_lengths(mask.crop(box))
            return Shape(kind, (*runs, x0, y0, x1 - 1, y1 - 1))


def _clamped_rectangle(
    points: Sequence[float], image: tuple[int, int], may_cover_nothing: bool
) -> tuple[float, float, float, float]:
    if len(points) != 4:
        raise RequestError(f"a rectangle has 4 points x1, y1, x2, y2, not {len(points)}")
    left, right = sorted(points[::2])
    top, bottom = sorted(points[1::2])
    height, width = image
    if not may_cover_nothing and (left == right or top == bottom):
        raise RequestError(f"the rectangle {tuple(points)} has no area; draw it around the object")
    if not may_cover_nothing and (right <= 0 or bottom <= 0 or left >= width or top >= height):
        raise RequestError(f"the rectangle {tuple(points)} lies outside the image of {width} x {height} pixels")
    left, right = _clamped_span(left, right, width)
    top, bottom = _clamped_span(top, bottom, height)
    return left, top, right, bottom


def _clamped_span(low: float, high: float, size: int) -> tuple[float, float]:
    """Bring a span into ``0..size``, at least one pixel long."""
    low, high = max(low, 0.0), min(high, float(size))
    if high - low < 1:
        low = min(max((low + high) / 2 - 0.5, 0.0), size - 1.0)
        high = low + 1
    return low, high


def _clamped_polygon(points: Sequence[float], image: tuple[int, int]) -> Shape:
    if len(points) < 6 or len(points) % 2:
        raise RequestError(f"a polygon has at least 3 pairs x, y; got {len(points)} numbers")
    height, width = image
    x = np.clip(np.asarray(points[::2], float), 0, width)
    y = np.clip(np.asarray(points[1::2], float), 0, height)
    return Shape("polygon", tuple(np.stack([x, y], axis=1).ravel().tolist()))


def _filled(shape: Shape, image: tuple[int, int]) -> Rle:
    try:
        if shape.type == "rectangle":
            y0, x0, y1, x1 = shape.box
            ring = np.array([(y0, x0), (y0, x1), (y1, x1), (y1, x0)])
        else:
            ring = np.asarray(shape.points).reshape(-1, 2)[:, ::-1]
        return Rle.encode(polygons_to_mask([Polygon(ring)], image))
    except MaskError as error:
        raise RequestError(f"the {shape.type} cannot be used: {error}") from error


def _decoded(points: Sequence[float], image: tuple[int, int]) -> Rle:
    """Read CVAT's run lengths: along the rows of the box, background first, then the box itself."""
    if len(points) < 5 or not all(point == math.floor(point) and point >= 0 for point in points):
        raise RequestError("a mask has run lengths and then left, top, right, bottom, all of them whole numbers from 0")
    *lengths, left, top, right, bottom = (int(point) for point in points)
    rows, columns = bottom - top + 1, right - left + 1
    if rows < 1 or columns < 1 or right >= image[1] or bottom >= image[0]:
        raise RequestError(
            f"the mask's box {left, top, right, bottom} does not lie in the image of {image[1]} x {image[0]} pixels"
        )
    if sum(lengths) != rows * columns:
        raise RequestError(f"the mask's run lengths sum to {sum(lengths)}, but its box has {rows * columns} pixels")
    values = np.repeat(np.arange(len(lengths)) % 2 == 1, lengths)
    return Rle.from_crop(values.reshape(rows, columns), (top, left), image)


def _run_lengths(crop: NDArray[np.bool_]) -> tuple[int, ...]:
    flat = crop.ravel()
    edges = np.flatnonzero(np.diff(flat)) + 1
    lengths = np.diff(np.concatenate(([0], edges, [flat.size])))
    return (*([0] if flat[0] else []), *lengths.tolist())
