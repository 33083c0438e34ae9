"""Crops and tiles of a large frame, the clicks in them, and the masks that their edges cut, put together again."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import combinations, product
from typing import TYPE_CHECKING

import numpy as np

from src_model.masks import Rle

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from src_model.masks import Box

_AGREEMENT = 0.5
"""Two pieces are of one object if their IoU where their tiles overlap is at least this."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a frame, ``(y0, x0, y1, x1)``, with the clicks in it: ``(N, 2)`` of (y, x) pixels of the part."""

    box: Box
    points: NDArray[np.float64]

    @classmethod
    def of(cls, box: Box, side: int, where: NDArray[np.bool_] | None) -> Part:
        """Spread ``side`` clicks along each side of a part, and keep those on pixels of the frame that are searched."""
        points = point_grid((box[2] - box[0], box[3] - box[1]), side)
        if where is not None:
            y, x = np.floor(points + 0.5).astype(int).T
            points = points[where[np.clip(y + box[0], 0, box[2] - 1), np.clip(x + box[1], 0, box[3] - 1)]]
        return cls(box, points)


@dataclass(frozen=True, slots=True)
class Piece:
    """A mask that an edge of its tile cuts.

    Attributes
    ----------
    mask
        The part inside the tile, ``(Y, X)`` of the whole image.
    tile
        ``(y0, x0, y1, x1)`` of the tile.
    """

    mask: Rle
    tile: Box


def point_grid(shape: tuple[int, ...], side: int) -> NDArray[np.float64]:
    """Spread ``side * side`` points evenly over an image: ``(side * side, 2)`` of (y, x) pixels."""
    steps = (np.arange(side) + 0.5) / side
    y, x = np.meshgrid(steps * shape[0] - 0.5, steps * shape[1] - 0.5, indexing="ij")
    return np.stack([y.ravel(), x.ravel()], axis=1)


def spans(length: int, count: int, shared: int) -> list[tuple[int, int]]:
    """Cut a length into ``count`` equal spans that share ``shared`` pixels with their neighbours."""
    size = math.ceil((length + shared * (count - 1)) / count)
    starts = [min(index * (size - shared), length - 1) for index in range(count)]
    return [(start, min(start + size, length)) for start in starts]


def crop_boxes(shape: tuple[int, ...], layers: int, overlap: float) -> list[tuple[int, Box]]:
    """List the crops of an image with their layer; layer 0 is the whole image.

    Parameters
    ----------
    shape
        ``(Y, X)`` of the frame, in pixels.
    layers
        Further layers; layer n has ``2 ** n`` crops along each side.
    overlap
        Overlap of neighbours in the first layer, as a share of the shorter side; half of it in the next, and so on.
    """
    crops: list[tuple[int, Box]] = [(0, (0, 0, shape[0], shape[1]))]
    for layer in range(1, layers + 1):
        shared = int(overlap * min(shape) / 2 ** (layer - 1))
        rows, columns = (spans(length, 2**layer, shared) for length in shape)
        crops += [(layer, (y0, x0, y1, x1)) for (y0, y1), (x0, x1) in product(rows, columns)]
    return crops


def tile_boxes(shape: tuple[int, ...], side: int, overlap: float) -> list[Box]:
    """Cover an image with tiles of at most ``side`` pixels.

    Parameters
    ----------
    shape
        ``(Y, X)`` of the frame, in pixels.
    side
        Of a tile, in pixels.
    overlap
        What neighbours share, as a share of the side, under 1.

    Returns
    -------
    list of Box
        Row by row; a single one if the image is no larger than a tile.
    """
    shared = min(int(overlap * side), side - 1)
    axes = [spans(length, max(1, math.ceil((length - shared) / (side - shared))), shared) for length in shape[:2]]
    return [(y0, x0, y1, x1) for (y0, y1), (x0, x1) in product(*axes)]


def cut_sides(mask_box: Box, tile: Box, shape: tuple[int, ...], near: tuple[float, float]) -> tuple[int, ...]:
    """List the edges of a tile that cut a mask: 0 top, 1 left, 2 bottom, 3 right; edges of the image cut nothing.

    Parameters
    ----------
    mask_box, tile
        ``(y0, x0, y1, x1)`` in the image.
    shape
        ``(Y, X)`` of the image.
    near
        (y, x) in pixels; a mask that comes this near to an edge is taken for cut.
    """
    cut = []
    for axis in (0, 1):
        if tile[axis] > 0 and mask_box[axis] - tile[axis] < near[axis]:
            cut.append(axis)
        if tile[axis + 2] < shape[axis] and tile[axis + 2] - mask_box[axis + 2] < near[axis]:
            cut.append(axis + 2)
    return tuple(cut)


def stitch(pieces: Sequence[Piece], near: tuple[float, float]) -> list[tuple[Rle, tuple[int, ...]]]:
    """Put together what tile edges cut.

    Pieces of different tiles that agree where the tiles overlap are of one object. What goes on beyond an edge without
    a piece on the other side stays away: nobody has seen the whole of it.

    Parameters
    ----------
    pieces
        Masks cut by the edges of their tiles.
    near
        (y, x) in pixels; a mask that comes this near to an edge of its tile is taken for cut.

    Returns
    -------
    list of tuple
        Each object's mask, ``(Y, X)``, and the numbers of its pieces.
    """
    group = list(range(len(pieces)))
    for first, second in combinations(range(len(pieces)), 2):
        if group[first] != group[second] and _agree(pieces[first], pieces[second]):
            old, new = group[second], group[first]
            group = [new if number == old else number for number in group]
    together: dict[int, list[int]] = {}
    for number, name in enumerate(group):
        together.setdefault(name, []).append(number)
    return [
        (_united([pieces[number].mask for number in members]), tuple(members))
        for members in together.values()
        if _is_complete([pieces[number] for number in members], near)
    ]


def _agree(first: Piece, second: Piece) -> bool:
    if first.tile == second.tile:
        return False
    shared = _intersection(first.tile, second.tile)
    boxes = [_intersection(piece.mask.box, shared) if piece.mask.box and shared else None for piece in (first, second)]
    if shared is None or boxes[0] is None or boxes[1] is None:
        return False
    one, other = first.mask.crop(shared), second.mask.crop(shared)
    union = int((one | other).sum())
    return union > 0 and int((one & other).sum()) / union >= _AGREEMENT


def _is_complete(members: Sequence[Piece], near: tuple[float, float]) -> bool:
    """Whether each edge that cuts a piece has another piece that goes on beyond it."""
    for piece in members:
        assert piece.mask.box is not None, "pieces hold pixels"
        for side in cut_sides(piece.mask.box, piece.tile, piece.mask.shape, near):
            sign = 1 if side >= 2 else -1
            if not any(sign * (other.tile[side] - piece.tile[side]) > 0 for other in members):
                return False
    return True


def _united(masks: Sequence[Rle]) -> Rle:
    boxes = np.array([mask.box for mask in masks])
    y0, x0, y1, x1 = (int(value) for value in (*boxes[:, :2].min(axis=0), *boxes[:, 2:].max(axis=0)))
    whole = np.any([mask.crop((y0, x0, y1, x1)) for mask in masks], axis=0)
    return Rle.from_crop(whole, (y0, x0), masks[0].shape)


def _intersection(one: Box, other: Box) -> Box | None:
    y0, x0 = max(one[0], other[0]), max(one[1], other[1])
    y1, x1 = min(one[2], other[2]), min(one[3], other[3])
    return (y0, x0, y1, x1) if y0 < y1 and x0 < x1 else None
