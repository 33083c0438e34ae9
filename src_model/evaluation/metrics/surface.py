"""Distances between the edges of two masks, in the unit of the pixel spacing."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.spatial import KDTree

from src_model.errors import MaskError
from src_model.evaluation.metrics.checking import check_masks
from src_model.masks import mask_box

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class SurfaceDistances:
    """How far apart the edges of two masks are.

    Parameters
    ----------
    hd95
        95 % Hausdorff distance: of each edge, the distance to the other that 95 % of its pixels stay within; the
        larger of the two.
    assd
        Average symmetric surface distance: the mean over the pixels of both edges of the distance to the other.
    nsd
        Normalised surface distance: the share of the pixels of both edges within the tolerance of the other, 0..1.
    """

    hd95: float
    assd: float
    nsd: float


def surface_distances(
    predicted: NDArray[np.bool_],
    truth: NDArray[np.bool_],
    *,
    spacing: tuple[float, float] = (1.0, 1.0),
    tolerance: float = 2.0,
) -> SurfaceDistances:
    """Compare the edges of two masks of one frame.

    An edge pixel is a pixel of the mask with background, or the outside of the image, above, below, left or right of
    it; so a mask has an edge unless it is empty. Distances are between pixel centres. Two empty masks agree: 0, 0
    and 1. If one alone is empty, both distances are the diagonal of the image, and the share is 0.

    Parameters
    ----------
    predicted, truth
        ``(Y, X)`` bool, of one shape.
    spacing
        Size of a pixel ``(y, x)``, for instance in micrometres. Distances and tolerance are in its unit.
    tolerance
        Largest distance at which an edge pixel counts as met.

    Raises
    ------
    MaskError
        If the masks are not 2-D bool arrays of one shape, the spacing is not positive, or the tolerance is negative.

    Notes
    -----
    Maier-Hein, Reinke et al., "Metrics reloaded: recommendations for image analysis validation", Nature Methods 2024,
    with pixels in place of pieces of surface.
    """
    check_masks(predicted, truth)
    if predicted.ndim != 2:
        raise MaskError(f"masks of one frame (Y, X) are compared, got {predicted.shape}: call once a frame")
    if len(spacing) != 2 or not all(0 < step < math.inf for step in spacing) or not tolerance >= 0:
        raise MaskError(f"spacing must be two positive sizes and tolerance 0 or more, got {spacing} and {tolerance}")
    first, second = _edge(predicted, spacing), _edge(truth, spacing)
    if len(first) == 0 and len(second) == 0:
        return SurfaceDistances(0.0, 0.0, 1.0)
    if len(first) == 0 or len(second) == 0:
        diagonal = math.hypot(predicted.shape[0] * spacing[0], predicted.shape[1] * spacing[1])
        return SurfaceDistances(diagonal, diagonal, 0.0)
    there, back = _distances(first, second), _distances(second, first)
    both = np.concatenate((there, back))
    return SurfaceDistances(
        hd95=float(max(np.percentile(there, 95), np.percentile(back, 95))),
        assd=float(both.mean()),
        # A hair more, so that three pixels of 0.65 are within 1.95 in spite of rounding.
        nsd=float((both <= tolerance * (1 + 1e-9)).mean()),
    )


def _edge(mask: NDArray[np.bool_], spacing: tuple[float, float]) -> NDArray[np.float64]:
    """Return the ``(N, 2)`` places ``(y, x)`` of the edge pixels, in the unit of the spacing."""
    box = mask_box(mask)
    if box is None:
        return np.empty((0, 2))
    y0, x0, y1, x1 = box
    around = np.pad(mask[y0:y1, x0:x1], 1)
    inner = around[:-2, 1:-1] & around[2:, 1:-1] & around[1:-1, :-2] & around[1:-1, 2:]
    edge: NDArray[np.float64] = (np.argwhere(around[1:-1, 1:-1] & ~inner) + np.array((y0, x0))) * np.array(spacing)
    return edge


def _distances(pixels: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the ``(N,)`` distance of each of ``pixels`` to the nearest of ``others``."""
    # Edges are asked for once and lie on a grid, so that a balanced tree takes longer to build than it saves.
    distances: NDArray[np.float64] = KDTree(others, balanced_tree=False, compact_nodes=False).query(pixels)[0]
    return distances
