"""Masks and how they are stored, cleaned, compared and converted; NumPy and SciPy only.

A mask is a ``(Y, X)`` bool array, or an :class:`Rle`, which takes a few kilobytes whatever the size of the image.
Boxes are ``(y0, x0, y1, x1)`` with ``y1`` and ``x1`` excluded.
"""

from __future__ import annotations

from src_model.masks.cleaning import fill_holes, remove_specks
from src_model.masks.detection import Detection
from src_model.masks.geometry import (
    box_iou,
    centroid,
    intersection_area,
    mask_box,
    mask_iou,
    moved_iou,
    pairwise_box_iou,
    pairwise_containment,
    pairwise_mask_iou,
)
from src_model.masks.labels import Overlap, labels_at, labels_from_masks, masks_from_labels
from src_model.masks.masklet import Masklet, MaskletFrame
from src_model.masks.polygons import Polygon, mask_to_polygons, polygons_to_mask
from src_model.masks.rle import MAX_PIXELS, Box, Mask, Rle, as_array, as_rle, check_mask
from src_model.masks.typical_size import TypicalSize, typical_size

__all__ = [
    "MAX_PIXELS",
    "Box",
    "Detection",
    "Mask",
    "Masklet",
    "MaskletFrame",
    "Overlap",
    "Polygon",
    "Rle",
    "TypicalSize",
    "as_array",
    "as_rle",
    "box_iou",
    "centroid",
    "check_mask",
    "fill_holes",
    "intersection_area",
    "labels_at",
    "labels_from_masks",
    "mask_box",
    "mask_iou",
    "mask_to_polygons",
    "masks_from_labels",
    "moved_iou",
    "pairwise_box_iou",
    "pairwise_containment",
    "pairwise_mask_iou",
    "polygons_to_mask",
    "remove_specks",
    "typical_size",
]
