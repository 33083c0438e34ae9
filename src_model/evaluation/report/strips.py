"""Strips: a masklet on a few frames, right, missed and wrongly covered pixels in colors of their own."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw
from scipy.ndimage import binary_erosion

from src_model.frames import decide_normalization
from src_model.masks import Rle

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from src_model.datasets import LabelledMovie
    from src_model.evaluation.records import UnitRecord
    from src_model.evaluation.scoring import ObjectScores

RIGHT, MISSED, COVERED = (64, 196, 128), (255, 176, 0), (232, 62, 140)
"""Colors that differ in brightness too, for those who do not tell red from green."""

_TILE = 168
_GAP = 4
_FILL = 0.42
_CAPTION = 18


@dataclass(frozen=True, slots=True)
class Strip:
    """A picture of one masklet.

    Attributes
    ----------
    rank
        "best", "median" or "worst".
    movie, object_id
        Name of the movie, and number of the object in it.
    j
        Mean J of the masklet, 0 to 1.
    frames
        Numbers of the frames that are shown, from 0.
    picture
        A PNG as an address ("data:image/png;base64,..."), so that the page needs no other file.
    """

    rank: str
    movie: str
    object_id: int
    j: float
    frames: tuple[int, ...]
    picture: str


def ranked(records: Sequence[UnitRecord]) -> list[tuple[str, UnitRecord, ObjectScores, float]]:
    """Choose the best, the median and the worst masklet by mean J, without repeating one."""
    scored = [(float(np.mean(each.j)), record, each) for record in records for each in record.objects if each.j]
    scored.sort(key=lambda item: item[0])
    if not scored:
        return []
    places = {"best": len(scored) - 1, "median": len(scored) // 2, "worst": 0}
    kept: dict[int, str] = {}
    for rank, place in places.items():
        kept.setdefault(place, rank)
    return [(rank, scored[place][1], scored[place][2], scored[place][0]) for place, rank in kept.items()]


def draw_strip(rank: str, movie: LabelledMovie, scores: ObjectScores, j: float) -> Strip:
    """Draw one masklet on the frames whose masks were kept."""
    size = list(movie.movie.shape[1:3])
    masks = {frame: Rle.from_coco({"size": size, "counts": counts}) for frame, counts in sorted(scores.strip.items())}
    picture = draw_masks(movie, scores.object_id, masks)
    return Strip(rank, movie.name, scores.object_id, j, tuple(masks), _data_address(picture))


def draw_masks(movie: LabelledMovie, object_id: int, masks: Mapping[int, Rle]) -> NDArray[np.uint8]:
    """Draw masks of an object beside its true ones, a tile for each frame; ``(H, W, 4)``."""
    shape = movie.movie.shape[1:3]
    truth = [movie.mask(object_id, frame) for frame in masks]
    window = _window(truth, (int(shape[0]), int(shape[1])))
    normalization = decide_normalization(movie.movie)
    tiles = []
    for (frame, mask), true in zip(masks.items(), truth, strict=True):
        image = normalization.apply(movie.movie.read(frame))[window]
        tiles.append(_tile(image, mask.decode()[window], true[window]))
    return _side_by_side(tiles)


def captioned(pictures: Sequence[tuple[str, NDArray[np.uint8]]]) -> Image.Image:
    """Put pictures ``(H, W, 4)`` under one another, each below its caption."""
    canvas = Image.new(
        "RGB",
        (max(picture.shape[1] for _, picture in pictures), sum(picture.shape[0] + _CAPTION for _, picture in pictures)),
        "white",
    )
    draw, top = ImageDraw.Draw(canvas), 0
    for caption, picture in pictures:
        draw.text((2, top + 3), caption, fill="black")
        canvas.paste(Image.fromarray(picture).convert("RGB"), (0, top + _CAPTION))
        top += _CAPTION + picture.shape[0]
    return canvas


def _window(truth: Sequence[NDArray[np.bool_]], shape: tuple[int, int]) -> tuple[slice, slice]:
    """Cut out a square with the way the object takes and some of what is around it, as far as the image goes."""
    rows, columns = np.nonzero(np.any(truth, axis=0))
    if not rows.size:
        return slice(0, shape[0]), slice(0, shape[1])
    extents = [(int(places.min()), int(places.max()) + 1) for places in (rows, columns)]
    side = max(48, 2 * max(high - low for low, high in extents))
    spans = []
    for (low, high), length in zip(extents, shape, strict=True):
        start = min(max(0, (low + high - side) // 2), max(0, length - side))
        spans.append(slice(start, min(length, start + side)))
    return spans[0], spans[1]


def _tile(image: NDArray[np.floating], found: NDArray[np.bool_], truth: NDArray[np.bool_]) -> NDArray[np.uint8]:
    scale = _TILE / max(image.shape[:2])
    size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
    picture = Image.fromarray(np.asarray(image * 255 + 0.5, np.uint8)).resize(size, Image.Resampling.BICUBIC)
    canvas = np.asarray(picture, np.float32).copy()
    mask, true = (np.asarray(Image.fromarray(each).resize(size, Image.Resampling.NEAREST)) for each in (found, truth))
    for region, color in ((mask & true, RIGHT), (true & ~mask, MISSED), (mask & ~true, COVERED)):
        canvas[region] += (np.array(color, np.float32) - canvas[region]) * _FILL
    canvas[true & ~binary_erosion(true, border_value=1)] = 255
    return canvas.astype(np.uint8)


def _side_by_side(tiles: Sequence[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    height, width = tiles[0].shape[:2]
    sheet = np.zeros((height, len(tiles) * (width + _GAP) - _GAP, 4), np.uint8)
    for number, tile in enumerate(tiles):
        left = number * (width + _GAP)
        sheet[:, left : left + width, :3] = tile
        sheet[:, left : left + width, 3] = 255
    return sheet


def _data_address(picture: NDArray[np.uint8]) -> str:
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
