"""What may be an object in a frame: clicks on a grid, and of their masks the good ones, each once."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

import cv2
import numpy as np

from src_model.masks import fill_holes, remove_specks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from training_recipe.clips.clip import BoolArray, ByteArray, FloatArray
    from training_recipe.pseudo_labels.segmenter import Answers, EncodedFrame, Segmenter

_INTERLEAVED = 5
_SMALL_SHARE = 0.05
_NEAR = (5, 5)
"""Pixels around one whose colors are compared across a border."""


@dataclass(frozen=True, slots=True)
class ProposalSettings:
    """Which masks are kept.

    Attributes
    ----------
    points
        Clicks along the longer side of the frame.
    min_score, min_stability
        Least predicted IoU, and least IoU of the mask cut higher and lower.
    min_share, max_share
        Share of the frame that an object covers.
    min_contrast
        Least change of colors across the border, of 0..255.
    max_overlap
        IoU from which two masks are the same object.
    most
        Masks kept, the best ones.
    """

    points: int = 16
    min_score: float = 0.84
    min_stability: float = 0.86
    min_share: float = 0.005
    max_share: float = 0.4
    min_contrast: float = 11.0
    max_overlap: float = 0.6
    most: int = 40


@dataclass(frozen=True, slots=True)
class Proposal:
    """A mask (Y, X) and how good it seems, about 0..1."""

    mask: BoolArray
    score: float


def propose(segmenter: Segmenter, frame: EncodedFrame, image: ByteArray, settings: ProposalSettings) -> list[Proposal]:
    """Find what may be objects in a frame, best first; `image` (Y, X, 3) has the size of the masks."""
    found: list[Proposal] = []
    points = _grid(frame.shape, settings.points)
    # Interleaved, so that later clicks go where no object was found yet.
    for first in range(_INTERLEAVED):
        wanted = [point for point in points[first::_INTERLEAVED] if not _is_covered(point, found)]
        if wanted:
            found += _good(segmenter.click(frame, np.stack(wanted)), settings)
    different = distinct(found, settings.max_overlap)
    sharp = (one for one in different if border_contrast(image, one.mask) >= settings.min_contrast)
    return list(islice(sharp, settings.most))


def distinct(proposals: list[Proposal], max_overlap: float) -> list[Proposal]:
    """Keep those that overlap no better one too much, best first."""
    kept: list[Proposal] = []
    for proposal in sorted(proposals, key=lambda one: -one.score):
        if all(overlap(proposal.mask, other.mask) <= max_overlap for other in kept):
            kept.append(proposal)
    return kept


def overlap(first: BoolArray, second: BoolArray) -> float:
    """IoU of two masks; 0 if both are empty."""
    union = int((first | second).sum())
    return int((first & second).sum()) / union if union else 0.0


def cleaned(mask: BoolArray) -> BoolArray | None:
    """Fill small holes and drop specks; None for a mask in pieces, which is rarely one object."""
    area = int(mask.sum())
    if area == 0:
        return None
    # Up to a hundredth of the object is a slip of the pen.
    slip = max(4, area // 100)
    mended = remove_specks(fill_holes(mask, slip), slip)
    largest = remove_specks(mended, max(slip, int(0.85 * mended.sum())))
    return mended if largest.any() else None


def border_contrast(image: ByteArray, mask: BoolArray) -> float:
    """How much (of 0..255) colors change from just inside a mask (Y, X) to just outside of it, at half of its border.

    Little for blobs of what is out of focus: their border lies anywhere.
    """
    inner, outer = mask.astype(np.float32), (~mask).astype(np.float32)
    inside, outside = (_local_mean(image, weight) for weight in (inner, outer))
    border = mask & (cv2.erode(mask.astype(np.uint8), np.ones((3, 3), np.uint8), borderValue=1) == 0)
    change = np.abs(inside - outside)[border]
    return float(np.median(change.max(axis=1))) if len(change) else 0.0


def _local_mean(image: ByteArray, weight: FloatArray) -> FloatArray:
    """Mean color (Y, X, 3) of the pixels around each one, of those that count."""
    total = cv2.boxFilter(image.astype(np.float32) * weight[..., None], -1, _NEAR)
    share = np.maximum(cv2.boxFilter(weight, -1, _NEAR), 1e-3)[..., None]
    return np.asarray(total / share, np.float32)


def _grid(shape: tuple[int, int], along: int) -> NDArray[np.float64]:
    step = max(shape) / along
    rows, columns = (np.arange(step / 2, side, step) for side in shape)
    return np.stack(np.meshgrid(rows, columns, indexing="ij"), axis=-1).reshape(-1, 2)


def _is_covered(point: NDArray[np.float64], found: list[Proposal]) -> bool:
    """Whether a click would meet a small object found before; inside a large one there may be others."""
    y, x = int(point[0]), int(point[1])
    return any(one.mask[y, x] and one.mask.mean() < _SMALL_SHARE for one in found)


def _good(answers: Answers, settings: ProposalSettings) -> Iterator[Proposal]:
    good = (answers.scores >= settings.min_score) & (answers.stability >= settings.min_stability)
    for row, reading in np.argwhere(good):
        mask = cleaned(answers.logits[row, reading] > 0)
        if mask is None or not settings.min_share <= mask.mean() <= settings.max_share or _is_backdrop(mask):
            continue
        yield Proposal(mask, float(answers.scores[row, reading] * answers.stability[row, reading]))


def _is_backdrop(mask: BoolArray) -> bool:
    """Whether a mask lies along two opposite sides, or much of the frame's border: sky, floor, wall."""
    sides = [float(side.mean()) for side in (mask[0], mask[-1], mask[:, 0], mask[:, -1])]
    return min(sides[2:]) > 0.05 or min(sides[:2]) > 0.3 or max(sides) > 0.75
