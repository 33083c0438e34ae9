"""An object's mask made so small that CVAT can carry it from frame to frame."""

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
class Silhouette:
    """A mask as a few cells, and how much it had changed.

    Attributes
    ----------
    box
        ``(y0, x0, y1, x1)`` around it, in pixels.
    cells
        ``(rows, columns)`` that the box is divided into.
    bits
        Whether the mask fills a cell, eight to a byte along the rows.
    steadiness
        Likeness of the mask to that of the frame before; None if there was none.
    """

    box: tuple[int, int, int, int]
    cells: tuple[int, int]
    bits: bytes
    steadiness: float | None = None

    @classmethod
    def of(cls, mask: Rle, before: Silhouette | None = None) -> Silhouette | None:
        """Reduce a mask; None if it is empty.

        Parameters
        ----------
        mask
            ``(Y, X)``.
        before
            That of the frame before.
        """
        box = mask.box
        if box is None:
            return None
        crop = mask.crop(box)
        cells = (min(crop.shape[0], MOST_CELLS), min(crop.shape[1], MOST_CELLS))
        share = _resized(crop, cells, Image.Resampling.BOX)
        filled = share >= 128 if (share >= 128).any() else share > 0  # of a thin line no cell is half full
        steadiness = None if before is None else round(likeness(mask, before.mask(mask.shape)), 2)
        return cls(box, cells, np.packbits(filled).tobytes(), steadiness)

    def mask(self, image: tuple[int, int]) -> Rle:
        """Return about the mask it was made of, in the image ``(Y, X)``; not empty."""
        y0, x0, y1, x1 = self.box
        count = self.cells[0] * self.cells[1]
        filled = np.unpackbits(np.frombuffer(self.bits, np.uint8), count=count).reshape(self.cells) > 0
        crop = _resized(filled, (y1 - y0, x1 - x0), Image.Resampling.BILINEAR) >= 128
        return Rle.from_crop(crop, (y0, x0), image) if crop.any() else Rle.from_box(self.box, image)

    def packed(self) -> tuple[list[int], str]:
        """Write it as numbers and text for JSON."""
        percent = -1 if self.steadiness is None else round(self.steadiness * 100)
        return [*self.box, *self.cells, percent], b64encode(self.bits).decode()

    @classmethod
    def unpacked(cls, numbers: Sequence[int], text: str, image: tuple[int, int]) -> Silhouette:
        """Read what :meth:`packed` wrote.

        Raises
        ------
        RequestError
            If it is something else, or does not lie in the image ``(Y, X)``.
        """
        try:
            y0, x0, y1, x1, rows, columns, percent = numbers
            bits = b64decode(text, validate=True)
        except ValueError as error:
            raise RequestError(f"the silhouette in the tracker state cannot be read: {error}") from error
        is_inside = 0 <= y0 < y1 <= image[0] and 0 <= x0 < x1 <= image[1]
        is_small = 1 <= rows <= MOST_CELLS and 1 <= columns <= MOST_CELLS
        if not (is_inside and is_small and len(bits) == -(-rows * columns // 8) and -1 <= percent <= 100):
            raise RequestError("the silhouette in the tracker state does not fit its image; draw the object again")
        return cls((y0, x0, y1, x1), (rows, columns), bits, None if percent < 0 else percent / 100)


def likeness(mask: Rle, other: Rle) -> float:
    """Return the IoU of two masks where they are, or with their centroids together if that is larger; 0 to 1."""
    here, there = centroid(mask), centroid(other)
    if here is None or there is None:
        return 0.0
    y, x = (round(to - at) for at, to in zip(here, there, strict=True))
    return max(mask_iou(mask, other), mask_iou(_moved(mask, y, x), other))


def _moved(mask: Rle, y: int, x: int) -> Rle:
    """Move a mask; what leaves the image is lost."""
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
