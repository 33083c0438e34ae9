"""An object's mask as a few cells, so small that CVAT can carry it in a tracker state from frame to frame."""

from __future__ import annotations

from base64 import b64decode, b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from src_model.errors import RequestError
from src_model.masks import Rle, centroid, mask_iou

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

MOST_CELLS = 24
"""Cells along a side: 72 bytes, and for most objects as good as the mask itself where memory is lost."""


@dataclass(frozen=True, slots=True)
class CoarseMask:
    """A mask as a grid of cells over its box, and how much it had changed.

    Attributes
    ----------
    box
        ``(y0, x0, y1, x1)`` around it, in pixels.
    cells
        ``(rows, columns)`` that the box is divided into.
    bits
        Whether the mask fills a cell, eight to a byte along the rows.
    stability
        :func:`aligned_iou` with the mask of the frame before, 0 to 1; None if there was none.
    """

    box: tuple[int, int, int, int]
    cells: tuple[int, int]
    bits: bytes
    stability: float | None = None

    @classmethod
    def of(cls, mask: Rle, before: CoarseMask | None = None) -> CoarseMask | None:
        """Reduce a mask to cells; None if it is empty.

        Parameters
        ----------
        mask
            ``(Y, X)`` mask of the object.
        before
            The object's coarse mask on the frame before, for the stability; None if there was none.
        """
        box = mask.box
        if box is None:
            return None
        crop = mask.crop(box)
        cells = (min(crop.shape[0], MOST_CELLS), min(crop.shape[1], MOST_CELLS))
        share = _resized(crop, cells, Image.Resampling.BOX)
        filled = share >= 128 if (share >= 128).any() else share > 0  # of a thin line no cell is half full
        stability = None if before is None else round(aligned_iou(mask, before.mask(mask.shape)), 2)
        return cls(box, cells, np.packbits(filled).tobytes(), stability)

    def mask(self, image: tuple[int, int]) -> Rle:
        """Return about the mask that it was made of, in an image of ``(Y, X)`` pixels; never empty."""
        y0, x0, y1, x1 = self.box
        count = self.cells[0] * self.cells[1]
        filled = np.unpackbits(np.frombuffer(self.bits, np.uint8), count=count).reshape(self.cells) > 0
        crop = _resized(filled, (y1 - y0, x1 - x0), Image.Resampling.BILINEAR) >= 128
        return Rle.from_crop(crop, (y0, x0), image) if crop.any() else Rle.from_box(self.box, image)

    def to_json(self) -> tuple[list[int], str]:
        """Write it for JSON: box, cells and stability in percent (-1: none) as numbers, the bits in base64."""
        percent = -1 if self.stability is None else round(self.stability * 100)
        return [*self.box, *self.cells, percent], b64encode(self.bits).decode()

    @classmethod
    def from_json(cls, numbers: Sequence[int], text: str, image: tuple[int, int]) -> CoarseMask:
        """Read what :meth:`to_json` wrote.

        Raises
        ------
        RequestError
            If it is something else, or does not lie in the image of ``(Y, X)`` pixels.
        """
        try:
            y0, x0, y1, x1, rows, columns, percent = numbers
            bits = b64decode(text, validate=True)
        except ValueError as error:
            raise RequestError(f"the coarse mask in the tracker state cannot be read: {error}") from error
        is_inside = 0 <= y0 < y1 <= image[0] and 0 <= x0 < x1 <= image[1]
        is_small = 1 <= rows <= MOST_CELLS and 1 <= columns <= MOST_CELLS
        if not (is_inside and is_small and len(bits) == -(-rows * columns // 8) and -1 <= percent <= 100):
            raise RequestError("the coarse mask in the tracker state does not fit its image; draw the object again")
        return cls((y0, x0, y1, x1), (rows, columns), bits, None if percent < 0 else percent / 100)


def aligned_iou(mask: Rle, other: Rle) -> float:
    """Return the IoU of two masks, 0 to 1: where they are, or with equal centroids if that is larger.

    So an object that moves without changing its form counts as unchanged.
    """
    here, there = centroid(mask), centroid(other)
    if here is None or there is None:
        return 0.0
    y, x = (round(to - at) for at, to in zip(here, there, strict=True))
    return max(mask_iou(mask, other), mask_iou(_shifted(mask, y, x), other))


def _shifted(mask: Rle, y: int, x: int) -> Rle:
    """Shift a mask by pixels; what leaves the image is lost."""
    box = mask.box
    assert box is not None, "masks with a centroid have a box"
    height, width = mask.shape
    y0, x0, y1, x1 = max(box[0], -y), max(box[1], -x), min(box[2], height - y), min(box[3], width - x)
    if y0 >= y1 or x0 >= x1:
        return Rle.empty(mask.shape)
    return Rle.from_crop(mask.crop((y0, x0, y1, x1)), (y0 + y, x0 + x), mask.shape)


def _resized(mask: NDArray[np.bool_], shape: tuple[int, int], how: Image.Resampling) -> NDArray[np.uint8]:
    picture = Image.fromarray(mask.astype(np.uint8) * 255)
    return np.asarray(picture.resize((shape[1], shape[0]), how))
