"""Everything in an image at once: clicks on a grid, filtered by what the network thinks of its own masks.

The method is that of SAM (Kirillov et al. 2023, appendix B, "Automatic mask generation details").
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import product
from typing import TYPE_CHECKING, Literal

import numpy as np
import torch
from torch import Tensor

from src_model.errors import PromptError
from src_model.frames import Normalization, decide_normalization
from src_model.masks import Box, Rle, fill_holes, pairwise_box_iou, remove_specks
from src_model.tracking.image_predictor import ImagePredictor, open_image
from src_model.tracking.rendering import render_mask
from src_model.tracking.results import shown_score
from src_model.tracking.tiles import Piece, spans, stitch, tile_boxes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import ArrayLike, NDArray

    from src_model.tracking.predictor import StreamingPredictor

_CUT_SHARE = 0.02
"""A mask that comes this near (of the crop's side) to an inner edge of its crop is taken for a piece of something."""

_SAME_OBJECT = 0.5
"""A mask put together from pieces is dropped where a whole one of a box of higher IoU was found."""

_LARGE = 2
"""Images over so many tiles long are searched in tiles."""

_LEAST_TILE = 32
"""Smallest tile that may be asked for."""


@dataclass(frozen=True, slots=True)
class AutomaticSettings:
    """What is clicked and which masks are kept. The defaults are those of SAM, and the thresholds the checkpoint's.

    Attributes
    ----------
    points_per_side
        Clicks along each side of the image; their square is the number of clicks.
    points_per_batch
        Clicks that are answered at once: more take more memory.
    min_score
        Masks of a lower predicted IoU are dropped. None: what suits the checkpoint.
    min_stability
        Masks whose IoU with themselves, cut higher and cut lower, is less are dropped. None: what suits the checkpoint.
    stability_offset
        Logits by which that cut is moved up and down.
    max_box_overlap
        Of two masks whose boxes have a higher IoU, the one of lower score is dropped.
    crop_layers
        Layers of crops that are searched besides the whole image; layer n has ``2 ** n`` crops a side.
    crop_overlap
        Overlap of the crops of the first layer as a share of the image's shorter side; halved from layer to layer.
    crop_points_divisor
        ``points_per_side`` is divided by this from layer to layer.
    max_crop_box_overlap
        As ``max_box_overlap``, between masks of different crops: those of smaller crops stay.
    min_region_area
        Holes and loose parts of fewer pixels are mended. 0: none.
    tile
        Images over twice as large are searched in overlapping tiles of this many pixels too, without seams where tiles
        meet. ``"auto"``: the side of the network's input, so that small objects are seen at native resolution. None:
        never.
    tile_overlap
        What neighbouring tiles share, as a share of their side: larger than any object that only tiles show.

    Raises
    ------
    PromptError
        If a value cannot be meant.
    """

    points_per_side: int = 32
    points_per_batch: int = 64
    min_score: float | None = None
    min_stability: float | None = None
    stability_offset: float = 1.0
    max_box_overlap: float = 0.7
    crop_layers: int = 0
    crop_overlap: float = 512 / 1500
    crop_points_divisor: int = 1
    max_crop_box_overlap: float = 0.7
    min_region_area: int = 0
    tile: int | Literal["auto"] | None = "auto"
    tile_overlap: float = 0.25

    def __post_init__(self) -> None:
        ranges = {
            "points_per_side": (1, 1024),
            "points_per_batch": (1, 65536),
            "min_stability": (0, 1),
            "stability_offset": (0, math.inf),
            "max_box_overlap": (0, 1),
            "crop_layers": (0, 8),
            "crop_overlap": (0, 1),
            "crop_points_divisor": (1, 1024),
            "max_crop_box_overlap": (0, 1),
            "min_region_area": (0, math.inf),
            "tile_overlap": (0, 0.9),
        }
        for name, (low, high) in ranges.items():
            value = getattr(self, name)
            if value is not None and not low <= value <= high:
                raise PromptError(f"{name}={value} cannot be used; it must be in {low}..{high}")
        if self.tile not in ("auto", None) and not (isinstance(self.tile, int) and self.tile >= _LEAST_TILE):
            raise PromptError(
                f"tile={self.tile!r} cannot be used; it must be 'auto', None or from {_LEAST_TILE} pixels"
            )


@dataclass(frozen=True, slots=True)
class AutomaticMask:
    """One mask that was found.

    Attributes
    ----------
    rle
        The mask, ``(Y, X)`` of the whole image.
    box
        ``(y0, x0, y1, x1)`` in pixels.
    score
        Predicted IoU.
    stability
        IoU of the mask cut higher and the mask cut lower, 0..1.
    point
        ``(y, x)`` of the click that found it.
    crop_box
        ``(y0, x0, y1, x1)`` of the crop it was found in.
    """

    rle: Rle
    box: Box
    score: float
    stability: float
    point: tuple[float, float]
    crop_box: Box

    @property
    def mask(self) -> NDArray[np.bool_]:
        """The mask, ``(Y, X)`` bool."""
        return self.rle.decode()


class AutomaticMaskGenerator:
    """Finds the masks of everything in an image.

    Memory is bounded: clicks are answered in batches, and of each answer only the run-length encoded masks stay.

    Parameters
    ----------
    predictor
        A loaded network.
    settings
        What is clicked and kept.

    Attributes
    ----------
    thresholds
        What a mask must reach.
    """

    def __init__(self, predictor: StreamingPredictor, settings: AutomaticSettings | None = None) -> None:
        self.settings = settings or AutomaticSettings()
        asked = {"min_score": self.settings.min_score, "min_stability": self.settings.min_stability}
        given = {name: value for name, value in asked.items() if value is not None}
        self.thresholds = replace(predictor.mask_thresholds, **given)
        self._steps = predictor.steps
        self._images = ImagePredictor(predictor)

    def generate(self, image: ArrayLike, normalization: Normalization | None = None) -> list[AutomaticMask]:
        """Find all masks of an image, best first.

        Parameters
        ----------
        image
            ``(Y, X)`` or ``(Y, X, 3)``.
        normalization
            How pixel values become 0..1; decided from the whole image if left out.

        Raises
        ------
        MovieError
            If this is no image.
        """
        source = open_image(image)
        chosen = normalization or decide_normalization(source)
        pixels = source.read(0)
        tiles = self._tiles(pixels.shape)
        found: list[AutomaticMask] = []
        for layer, crop in crop_boxes(pixels.shape[:2], self.settings.crop_layers, self.settings.crop_overlap):
            found += self._best([mask for mask, is_cut in self._search(pixels, chosen, layer, crop) if not is_cut])
        if tiles:
            # What fits into the overlap lies whole in some tile, and the whole image shows it but coarsely.
            shared = self.settings.tile_overlap * self._tile
            found = [mask for mask in found if _longer_side(mask.box) > shared]
        pieces: list[AutomaticMask] = []
        for tile in tiles:
            inside = list(self._search(pixels, chosen, 0, tile))
            found += self._best([mask for mask, is_cut in inside if not is_cut])
            pieces += self._best([mask for mask, is_cut in inside if is_cut])
        # An object that one tile shows whole may be cut by others; the tile that shows it whole knows it better.
        found += [mask for mask in _stitched(pieces) if not _resembles(mask, found)]
        if self.settings.crop_layers or tiles:
            smallness = [-_area(mask.crop_box) for mask in found]
            kept = suppress_overlaps(_boxes(found), smallness, self.settings.max_crop_box_overlap)
            found = [found[index] for index in kept]
        return sorted(found, key=lambda mask: -mask.score)

    def _best(self, masks: list[AutomaticMask]) -> list[AutomaticMask]:
        """Keep the best of masks of one crop whose boxes overlap."""
        kept = suppress_overlaps(_boxes(masks), [mask.score for mask in masks], self.settings.max_box_overlap)
        return [masks[index] for index in kept]

    @property
    def _tile(self) -> int:
        """Side of a tile; 0 where there are none."""
        tile = self._steps.image_size if self.settings.tile == "auto" else self.settings.tile
        return tile or 0

    def _tiles(self, shape: tuple[int, ...]) -> list[Box]:
        """List the tiles of an image that is large enough for them."""
        if not self._tile or max(shape[:2]) <= _LARGE * self._tile:
            return []
        return tile_boxes(shape, self._tile, self.settings.tile_overlap)

    def _search(
        self, pixels: NDArray[np.generic], normalization: Normalization, layer: int, crop: Box
    ) -> Iterator[tuple[AutomaticMask, bool]]:
        """Click through one crop and give the masks that pass the filters, and whether its edges cut them."""
        y0, x0, y1, x1 = crop
        self._images.set_image(pixels[y0:y1, x0:x1], normalization)
        side = max(1, self.settings.points_per_side // self.settings.crop_points_divisor**layer)
        points = point_grid((y1 - y0, x1 - x0), side)
        for first in range(0, len(points), self.settings.points_per_batch):
            yield from self._answers(points[first : first + self.settings.points_per_batch], crop, pixels.shape[:2])

    def _answers(
        self, points: NDArray[np.float64], crop: Box, shape: tuple[int, ...]
    ) -> Iterator[tuple[AutomaticMask, bool]]:
        prediction = self._images.predict_each(points)
        stability = mask_stability(prediction.logits, self.settings.stability_offset)
        good = (prediction.iou >= self.thresholds.min_score) & (stability >= self.thresholds.min_stability)
        for row, column in good.nonzero().tolist():
            rle = render_mask(prediction.logits[row, column], self._images.shape, self._steps.settings)
            if rle.is_empty:
                continue
            is_cut = _is_cut(rle, crop, shape)
            placed = _placed(rle, crop, shape, self.settings.min_region_area)
            if placed.box is not None:
                mask = AutomaticMask(
                    placed,
                    placed.box,
                    shown_score(float(prediction.iou[row, column])),
                    float(stability[row, column]),
                    (float(points[row, 0]) + crop[0], float(points[row, 1]) + crop[1]),
                    crop,
                )
                yield mask, is_cut


def point_grid(shape: tuple[int, ...], side: int) -> NDArray[np.float64]:
    """Spread ``side * side`` points evenly over an image: ``(side * side, 2)`` of (y, x) pixels."""
    steps = (np.arange(side) + 0.5) / side
    y, x = np.meshgrid(steps * shape[0] - 0.5, steps * shape[1] - 0.5, indexing="ij")
    return np.stack([y.ravel(), x.ravel()], axis=1)


def crop_boxes(shape: tuple[int, ...], layers: int, overlap: float) -> list[tuple[int, Box]]:
    """List the crops of an image with their layer; layer 0 is the whole image.

    Parameters
    ----------
    shape
        ``(Y, X)``.
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


def suppress_overlaps(boxes: ArrayLike, priorities: ArrayLike, limit: float) -> list[int]:
    """Keep boxes that overlap no box of higher priority (non-maximum suppression).

    Parameters
    ----------
    boxes
        ``(N, 4)`` of (y0, x0, y1, x1).
    priorities
        ``(N,)``; of equal ones the first goes first.
    limit
        IoU above which two boxes are the same object.

    Returns
    -------
    list of int
        Numbers of the boxes kept, by falling priority.
    """
    places = np.asarray(boxes, dtype=np.float64).reshape(-1, 4)
    left = np.argsort(-np.asarray(priorities, dtype=np.float64), kind="stable")
    kept: list[int] = []
    while left.size:
        best, left = int(left[0]), left[1:]
        kept.append(best)
        left = left[pairwise_box_iou(places[best : best + 1], places[left])[0] <= limit]
    return kept


def mask_stability(logits: Tensor, offset: float) -> Tensor:
    """IoU of masks cut at ``offset`` and at ``-offset``; 0 for masks that are empty at both.

    Parameters
    ----------
    logits
        ``(..., h, w)``.
    offset
        At least 0.

    Returns
    -------
    Tensor
        ``(...)`` in 0..1.
    """
    inner = (logits > offset).sum(dim=(-2, -1)).float()
    outer = (logits > -offset).sum(dim=(-2, -1)).float()
    return torch.where(outer > 0, inner / outer.clamp(min=1.0), 0.0)


def _is_cut(rle: Rle, crop: Box, shape: tuple[int, ...]) -> bool:
    """Whether a mask reaches an edge of its crop that is no edge of the image: elsewhere it is seen whole."""
    box = rle.box
    assert box is not None, "empty masks are dropped before"
    for axis in (0, 1):
        near = max(1.0, _CUT_SHARE * rle.shape[axis])
        if crop[axis] > 0 and box[axis] < near:
            return True
        if crop[axis + 2] < shape[axis] and box[axis + 2] > rle.shape[axis] - near:
            return True
    return False


def _resembles(mask: AutomaticMask, others: list[AutomaticMask]) -> bool:
    return bool((pairwise_box_iou(_boxes([mask]), _boxes(others)) > _SAME_OBJECT).any())


def _stitched(pieces: list[AutomaticMask]) -> list[AutomaticMask]:
    """Put together what the edges of tiles cut; a whole is as good as the worst of its pieces."""
    if not pieces:
        return []
    near = max(1.0, _CUT_SHARE * max(piece.crop_box[2] - piece.crop_box[0] for piece in pieces))
    found = []
    for rle, members in stitch([Piece(piece.rle, piece.crop_box) for piece in pieces], near):
        assert rle.box is not None, "pieces hold pixels"
        worst = min((pieces[number] for number in members), key=lambda piece: piece.score)
        tiles = np.array([pieces[number].crop_box for number in members])
        y0, x0, y1, x1 = (int(value) for value in (*tiles[:, :2].min(axis=0), *tiles[:, 2:].max(axis=0)))
        stability = min(pieces[number].stability for number in members)
        found.append(AutomaticMask(rle, rle.box, worst.score, stability, worst.point, (y0, x0, y1, x1)))
    return found


def _placed(rle: Rle, crop: Box, shape: tuple[int, ...], min_area: int) -> Rle:
    """Move a mask from its crop to the image, without its small holes and loose parts."""
    box = rle.box
    assert box is not None, "empty masks are dropped before"
    piece = rle.crop(box)
    if min_area > 1:
        piece = remove_specks(fill_holes(piece, min_area - 1), min_area)
    return Rle.from_crop(piece, (crop[0] + box[0], crop[1] + box[1]), shape)


def _boxes(masks: list[AutomaticMask]) -> NDArray[np.float64]:
    return np.array([mask.box for mask in masks], dtype=np.float64).reshape(-1, 4)


def _longer_side(box: Box) -> int:
    return max(box[2] - box[0], box[3] - box[1])


def _area(box: Box) -> int:
    return (box[2] - box[0]) * (box[3] - box[1])
