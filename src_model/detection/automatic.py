"""Automatic masks: clicks on a grid, filtered by what the network thinks of its own masks.

The method is that of SAM (Kirillov et al. 2023, appendix B, "Automatic mask generation details").
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import numpy as np
import torch
from torch import Tensor

from src_model.detection.detector import EVERYTHING, Query
from src_model.detection.selection import suppress_overlaps
from src_model.detection.tiles import Part, Piece, crop_boxes, cut_sides, stitch, tile_boxes
from src_model.errors import MaskError, PromptError, StoppedError
from src_model.frames import Normalization, decide_normalization
from src_model.masks import Box, Detection, Rle, fill_holes, pairwise_box_iou, remove_specks
from src_model.masks.rle import check_box
from src_model.tracking.image_predictor import ImagePredictor, open_image
from src_model.tracking.rendering import render_mask
from src_model.tracking.results import shown_score

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import ArrayLike, NDArray

    from src_model.tracking.predictor import StreamingPredictor

_CUT_SHARE = 0.02
"""A mask that comes this near (of the crop's side) to an inner edge of its crop is taken for a piece of something."""

_SAME_OBJECT = 0.5
"""A mask put together from pieces is dropped where a whole one of a box of higher IoU was found."""

_LARGE = 2
"""Frames over so many tiles long are searched in tiles."""

_LEAST_TILE = 32
"""Smallest tile that may be asked for."""


@dataclass(frozen=True, slots=True)
class AutomaticOptions:
    """What is clicked and which masks are kept. The defaults are those of SAM, and the thresholds the checkpoint's.

    Attributes
    ----------
    points_per_side
        Clicks along each side of the image; their square is the number of clicks.
    points_per_batch
        Clicks that are answered at once: more take more memory, and progress comes in larger steps.
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
        Frames over twice as large are searched in overlapping tiles of this many pixels too, without seams where tiles
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
            "min_score": (-math.inf, math.inf),  # NaN is refused
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
class AutomaticDetection(Detection):
    """One mask that was found.

    Attributes
    ----------
    mask
        ``(Y, X)`` of the whole frame; its score is the predicted IoU.
    stability
        IoU of the mask cut higher and the mask cut lower, 0 to 1.
    point
        ``(y, x)`` in pixels of the click that found it.
    crop_box
        ``(y0, x0, y1, x1)`` in pixels of the part of the frame in which it was found.
    """

    mask: Rle
    stability: float = field(kw_only=True)
    point: tuple[float, float] = field(kw_only=True)
    crop_box: Box = field(kw_only=True)


class AutomaticDetector:
    """Finds everything in a frame.

    Memory is bounded: clicks are answered in batches, and of each answer only the run-length encoded masks stay.

    Parameters
    ----------
    predictor
        A loaded network with its device and settings.
    options
        What is clicked and kept; as SAM does and the checkpoint says if left out.

    Attributes
    ----------
    thresholds
        What a mask must reach: predicted IoU and stability.
    """

    name: Final = "automatic masks"

    def __init__(self, predictor: StreamingPredictor, options: AutomaticOptions | None = None) -> None:
        self.options = options or AutomaticOptions()
        asked = {"min_score": self.options.min_score, "min_stability": self.options.min_stability}
        given = {name: value for name, value in asked.items() if value is not None}
        self.thresholds = replace(predictor.mask_thresholds, **given)
        self._predictor = predictor

    def detect(
        self,
        image: ArrayLike,
        query: Query = EVERYTHING,
        normalization: Normalization | None = None,
        *,
        progress: Callable[[int, int], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> list[AutomaticDetection]:
        """Find all masks, the best first; parameters and errors are those of :meth:`Detector.detect`."""
        if not query.asks_for_everything:
            raise PromptError(f"{self.name} show everything there is; words and examples need another detector")
        source = open_image(image)
        pixels = source.read(0)
        shape = pixels.shape[0], pixels.shape[1]
        crops, tiles = self._parts(check_box(query.region or (0, 0, *shape), shape), _searched(query, shape))
        batches = sum(math.ceil(len(part.points) / self.options.points_per_batch) for part in crops + tiles)
        steps = _Steps(batches, progress, cancelled)
        search = _Search(self, self._predictor, pixels, normalization or decide_normalization(source))
        found = [item for crop in crops for item in search.click_through(crop, steps)[0]]
        if tiles:
            found = self._with_tiles(found, [search.click_through(tile, steps) for tile in tiles])
        if tiles or self.options.crop_layers:
            smallness = [-_area(item.crop_box) for item in found]
            kept = suppress_overlaps(_boxes(found), smallness, self.options.max_crop_box_overlap)
            found = [found[index] for index in kept]
        return sorted(found, key=lambda item: -item.score)

    @property
    def _tile(self) -> int:
        """Side of a tile in pixels; 0 where there are none."""
        tile = self._predictor.image_size if self.options.tile == "auto" else self.options.tile
        return tile or 0

    def _parts(self, region: Box, where: NDArray[np.bool_] | None) -> tuple[list[Part], list[Part]]:
        """List the crops of a region, and the tiles where it is large enough for them."""
        options, shape = self.options, (region[2] - region[0], region[3] - region[1])
        crops = [
            Part.of(_moved(box, region), max(1, options.points_per_side // options.crop_points_divisor**layer), where)
            for layer, box in crop_boxes(shape, options.crop_layers, options.crop_overlap)
        ]
        if not self._tile or max(shape) <= _LARGE * self._tile:
            return crops, []
        tiles = tile_boxes(shape, self._tile, options.tile_overlap)
        return crops, [Part.of(_moved(box, region), options.points_per_side, where) for box in tiles]

    def _with_tiles(self, found: list[AutomaticDetection], tiles: list[_Answer]) -> list[AutomaticDetection]:
        """Join what the whole region shows and what tiles show."""
        # What fits into the overlap lies whole in some tile, and the whole region shows it but coarsely.
        shared = self.options.tile_overlap * self._tile
        found = [item for item in found if max(item.box[2] - item.box[0], item.box[3] - item.box[1]) > shared]
        found += [item for whole, _ in tiles for item in whole]
        stitched = _stitched([piece for _, cut in tiles for piece in cut])
        # An object that one tile shows whole may be cut by others; the tile that shows it whole knows it better.
        return found + [item for item in stitched if not _resembles(item, found)]


_Answer: TypeAlias = tuple[list[AutomaticDetection], list[AutomaticDetection]]
"""The best masks of a part: those that it shows whole, and those that its edges cut."""


class _Steps:
    """Counts batches of clicks, tells how many are done, and stops where that is asked for."""

    def __init__(
        self, total: int, progress: Callable[[int, int], None] | None, cancelled: Callable[[], bool] | None
    ) -> None:
        self._done, self._total = 0, total
        self._progress, self._cancelled = progress, cancelled

    def begin(self) -> None:
        """Raise StoppedError if nothing more is wanted."""
        if self._cancelled is not None and self._cancelled():
            raise StoppedError(f"the search for objects was stopped after {self._done} of {self._total} steps")

    def end(self) -> None:
        """Count a step that is done."""
        self._done += 1
        if self._progress is not None:
            self._progress(self._done, self._total)


class _Search:
    """Clicks through parts of one frame."""

    def __init__(
        self,
        detector: AutomaticDetector,
        predictor: StreamingPredictor,
        pixels: NDArray[np.generic],
        normalization: Normalization,
    ) -> None:
        self._options, self._thresholds = detector.options, detector.thresholds
        self._images, self._settings = ImagePredictor(predictor), predictor.steps.settings
        self._pixels, self._normalization = pixels, normalization

    def click_through(self, part: Part, steps: _Steps) -> _Answer:
        """Answer all clicks of a part, a batch a step."""
        steps.begin()
        if not len(part.points):
            return [], []
        y0, x0, y1, x1 = part.box
        self._images.set_image(self._pixels[y0:y1, x0:x1], self._normalization)
        points = part.points
        whole: list[AutomaticDetection] = []
        cut: list[AutomaticDetection] = []
        for first in range(0, len(points), self._options.points_per_batch):
            steps.begin()
            for item, is_cut in self._answers(points[first : first + self._options.points_per_batch], part.box):
                (cut if is_cut else whole).append(item)
            steps.end()
        return self._best(whole), self._best(cut)

    def _best(self, found: list[AutomaticDetection]) -> list[AutomaticDetection]:
        """Keep the best of masks of one part whose boxes overlap."""
        kept = suppress_overlaps(_boxes(found), [item.score for item in found], self._options.max_box_overlap)
        return [found[index] for index in kept]

    def _answers(self, points: NDArray[np.float64], crop: Box) -> Iterator[tuple[AutomaticDetection, bool]]:
        """Give the masks of a batch of clicks that pass the filters, and whether edges of the crop cut them."""
        prediction = self._images.predict_each(points)
        stability = mask_stability(prediction.logits, self._options.stability_offset)
        good = (prediction.iou >= self._thresholds.min_score) & (stability >= self._thresholds.min_stability)
        for row, column in good.nonzero().tolist():
            rle = render_mask(prediction.logits[row, column], self._images.shape, self._settings)
            if rle.is_empty:
                continue
            placed = _placed(rle, crop, self._pixels.shape[:2], self._options.min_region_area)
            if placed.box is not None:
                item = AutomaticDetection(
                    placed.box,
                    shown_score(float(prediction.iou[row, column])),
                    placed,
                    stability=float(stability[row, column]),
                    point=(float(points[row, 0]) + crop[0], float(points[row, 1]) + crop[1]),
                    crop_box=crop,
                )
                yield item, _is_cut(rle, crop, self._pixels.shape)


def _searched(query: Query, shape: tuple[int, int]) -> NDArray[np.bool_] | None:
    if query.where is not None and query.where.shape != shape:
        raise MaskError(
            f"where is searched is a mask of {query.where.shape} pixels; expected those of the image, {shape}"
        )
    return None if query.where is None else query.where.decode()


def mask_stability(logits: Tensor, offset: float) -> Tensor:
    """IoU of masks cut at ``offset`` and at ``-offset``; 0 for masks that are empty at both.

    Parameters
    ----------
    logits
        ``(..., h, w)`` mask logits; above 0 is inside the object.
    offset
        Logits, at least 0.

    Returns
    -------
    Tensor
        ``(...)`` float32, 0 to 1.
    """
    inner = (logits > offset).sum(dim=(-2, -1)).float()
    outer = (logits > -offset).sum(dim=(-2, -1)).float()
    return torch.where(outer > 0, inner / outer.clamp(min=1.0), 0.0)


def _is_cut(rle: Rle, crop: Box, shape: tuple[int, ...]) -> bool:
    """Whether a mask reaches an edge of its crop that is no edge of the frame: elsewhere it is seen whole."""
    assert rle.box is not None, "empty masks are dropped before"
    near = max(1.0, _CUT_SHARE * rle.shape[0]), max(1.0, _CUT_SHARE * rle.shape[1])
    return bool(cut_sides(_moved(rle.box, crop), crop, shape, near))


def _resembles(item: AutomaticDetection, others: list[AutomaticDetection]) -> bool:
    return bool((pairwise_box_iou(_boxes([item]), _boxes(others)) > _SAME_OBJECT).any())


def _stitched(pieces: list[AutomaticDetection]) -> list[AutomaticDetection]:
    """Put together what the edges of tiles cut; a whole is as good as the worst of its pieces."""
    if not pieces:
        return []
    near = max(1.0, _CUT_SHARE * max(piece.crop_box[2] - piece.crop_box[0] for piece in pieces))
    found = []
    for mask, members in stitch([Piece(piece.mask, piece.crop_box) for piece in pieces], (near, near)):
        assert mask.box is not None, "pieces hold pixels"
        worst = min((pieces[number] for number in members), key=lambda piece: piece.score)
        tiles = np.array([pieces[number].crop_box for number in members])
        y0, x0, y1, x1 = (int(value) for value in (*tiles[:, :2].min(axis=0), *tiles[:, 2:].max(axis=0)))
        stability = min(pieces[number].stability for number in members)
        found.append(replace(worst, box=mask.box, mask=mask, stability=stability, crop_box=(y0, x0, y1, x1)))
    return found


def _placed(rle: Rle, crop: Box, shape: tuple[int, ...], min_area: int) -> Rle:
    """Move a mask from its crop to the image, without its small holes and loose parts."""
    box = rle.box
    assert box is not None, "empty masks are dropped before"
    piece = rle.crop(box)
    if min_area > 1:
        piece = remove_specks(fill_holes(piece, min_area - 1), min_area)
    return Rle.from_crop(piece, (crop[0] + box[0], crop[1] + box[1]), shape)


def _moved(box: Box, origin: tuple[int, ...]) -> Box:
    """Return a box that counts from ``origin`` (y, x) in pixels of the frame."""
    return box[0] + origin[0], box[1] + origin[1], box[2] + origin[0], box[3] + origin[1]


def _boxes(found: list[AutomaticDetection]) -> NDArray[np.float64]:
    return np.array([item.box for item in found], dtype=np.float64).reshape(-1, 4)


def _area(box: Box) -> int:
    return (box[2] - box[0]) * (box[3] - box[1])
