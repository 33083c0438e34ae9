"""Boxes as prompts."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from src_model.masks import Rle
    from src_model.tracking.prompts import Box


def tight_box(mask: Rle) -> Box:
    """Return the smallest box (y0, x0, y1, x1) around a mask; of an empty one, that of the whole image."""
    y0, x0, y1, x1 = mask.box or (0, 0, *mask.shape)
    return float(y0), float(x0), float(y1), float(x1)
