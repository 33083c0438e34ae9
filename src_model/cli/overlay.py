"""Drawing masks over one frame: translucent fill, a smooth outline, and marks where somebody clicked."""

from __future__ import annotations

import colorsys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from src_model.masks import Rle

Picture = NDArray[np.uint8]
Color = tuple[float, float, float]

FILL = 0.36
"""How much of a mask's color covers the image."""

_PALETTE = ("ffb000", "3fa7ff", "ff5d8f", "2fd6a0", "b58cff", "ff7a2f", "6fe3ff", "c6e84a", "ff9be8", "f2e05c")
_GOLDEN_RATIO = 0.618034
"""Steps of it around the circle of hues never come close to one another for long."""


@dataclass(frozen=True, slots=True)
class Style:
    """How thick things are, in pixels of the picture.

    Attributes
    ----------
    line
        Width of outlines, above 0.
    mark
        Radius of the dots that mark clicks, above 0.
    """

    line: float = 2.0
    mark: float = 4.0


@dataclass(frozen=True, slots=True)
class Click:
    """Where somebody clicked.

    Attributes
    ----------
    y, x
        In pixels of the movie; a whole number is the centre of a pixel.
    positive
        Whether the click says "inside the object".
    """

    y: float
    x: float
    positive: bool = True


def color_of(object_id: int) -> Color:
    """Give each object a color that tells it from its neighbours: red, green, blue in 0..1."""
    if object_id <= len(_PALETTE):
        code = _PALETTE[object_id - 1]
        return int(code[:2], 16) / 255, int(code[2:4], 16) / 255, int(code[4:], 16) / 255
    lightness = 0.6 if object_id % 2 else 0.7
    return colorsys.hls_to_rgb(object_id * _GOLDEN_RATIO % 1.0, lightness, 0.85)


def draw_overlay(
    image: NDArray[np.floating],
    masks: Mapping[int, Rle],
    size: tuple[int, int],
    *,
    clicks: Sequence[Click] = (),
    style: Style | None = None,
) -> Picture:
    """Draw masks over a frame, brought to the size of the picture.

    Parameters
    ----------
    image
        ``(Y, X, 3)`` in 0..1, as :meth:`Normalization.apply <src_model.frames.Normalization.apply>` gives it.
    masks
        Mask ``(Y, X)`` by object id.
    size
        ``(height, width)`` of the picture.
    clicks
        Marks to draw on top.
    style
        Thickness of lines and marks.

    Returns
    -------
    numpy.ndarray
        ``(height, width, 3)`` uint8, red, green and blue.
    """
    chosen = style or Style()
    canvas = _enlarged(image, size)
    scale = size[0] / image.shape[0], size[1] / image.shape[1]
    for object_id, mask in masks.items():
        _paint(canvas, mask, scale, color_of(object_id), chosen)
    for click in clicks:
        _mark(canvas, ((click.y + 0.5) * scale[0], (click.x + 0.5) * scale[1]), click.positive, chosen.mark)
    return np.asarray(np.clip(canvas * 255 + 0.5, 0, 255), dtype=np.uint8)


def _enlarged(image: NDArray[np.floating], size: tuple[int, int]) -> NDArray[np.float32]:
    canvas = np.empty((*size, 3), np.float32)
    for channel in range(3):
        plane = Image.fromarray(np.ascontiguousarray(image[..., channel], dtype=np.float32))
        canvas[..., channel] = np.asarray(plane.resize(size[::-1], Image.Resampling.BICUBIC))
    # Bicubic curves overshoot at edges.
    np.clip(canvas, 0, 1, out=canvas)
    return canvas


def _paint(canvas: NDArray[np.float32], mask: Rle, scale: tuple[float, float], color: Color, style: Style) -> None:
    """Blend one mask into the canvas, touching only the pixels around it."""
    if mask.box is None:
        return
    region, coverage = _coverage(mask, mask.box, scale, canvas.shape[:2], margin=style.line + 1)
    # Distance to the smooth outline, positive inside: from the nearest pixels on either side of it.
    inside = coverage >= 0.5
    distance = ndimage.distance_transform_edt(inside) - ndimage.distance_transform_edt(~inside)
    distance = np.asarray(distance - np.sign(distance) * 0.5, dtype=np.float32)
    fill = np.clip(distance + 0.5, 0, 1)[..., None] * FILL
    # The line lies on the inner side, so that touching objects keep one line each.
    line = np.clip(np.minimum(distance + 0.5, style.line - distance + 0.5), 0, 1)[..., None]
    target = canvas[region]
    target += (np.array(color, np.float32) - target) * fill
    target += (np.array(color, np.float32) - target) * line


def _coverage(
    mask: Rle, box: tuple[int, int, int, int], scale: tuple[float, float], limits: tuple[int, ...], margin: float
) -> tuple[tuple[slice, slice], NDArray[np.float32]]:
    """Bring the part of a mask around its box to the size of the picture, with smooth edges."""
    pad = 2
    spans = []
    for axis in range(2):
        low = (box[axis] - pad) * scale[axis] - margin
        high = (box[axis + 2] + pad) * scale[axis] + margin
        spans.append(slice(max(0, int(np.floor(low))), min(limits[axis], int(np.ceil(high)))))
    rows, columns = (_samples(span, ratio) for span, ratio in zip(spans, scale, strict=True))
    y0, x0 = (int(np.floor(min(places.min(), box[axis]))) - pad for axis, places in enumerate((rows, columns)))
    y1, x1 = (int(np.ceil(max(places.max(), box[axis + 2]))) + pad for axis, places in enumerate((rows, columns)))
    source = np.zeros((y1 - y0, x1 - x0), np.float32)
    source[box[0] - y0 : box[2] - y0, box[1] - x0 : box[3] - x0] = mask.crop(box)
    # A pixel's worth of blur turns the staircase of an enlarged mask into a curve.
    smooth = ndimage.gaussian_filter(source, [max(0.7, 0.5 / ratio) for ratio in scale])
    grid = np.meshgrid(rows - y0, columns - x0, indexing="ij")
    coverage = ndimage.map_coordinates(smooth, grid, order=1, mode="nearest")
    return (spans[0], spans[1]), np.asarray(coverage, dtype=np.float32)


def _samples(span: slice, ratio: float) -> NDArray[np.float64]:
    """Places of the picture's pixels in the movie, where a whole number is the centre of a pixel."""
    return (np.arange(span.start, span.stop) + 0.5) / ratio - 0.5


def _mark(canvas: NDArray[np.float32], center: tuple[float, float], positive: bool, radius: float) -> None:
    """Draw a dot: white for a click inside the object, red for one outside, with a dark rim."""
    reach = int(np.ceil(radius * 1.6)) + 1
    rows = slice(max(0, int(center[0]) - reach), min(canvas.shape[0], int(center[0]) + reach + 1))
    columns = slice(max(0, int(center[1]) - reach), min(canvas.shape[1], int(center[1]) + reach + 1))
    y, x = np.mgrid[rows, columns] + 0.5
    distance = np.hypot(y - center[0], x - center[1])
    target = canvas[rows, columns]
    rim = np.clip(radius * 1.45 - distance + 0.5, 0, 1)[..., None] * 0.85
    target += (0.05 - target) * rim
    dot = np.clip(radius - distance + 0.5, 0, 1)[..., None]
    target += (np.array((1.0, 1.0, 1.0) if positive else (1.0, 0.2, 0.2), np.float32) - target) * dot
