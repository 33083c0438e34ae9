"""Measures of masks, edges, tracks and scores against the truth; arrays in, numbers out, and no torch."""

from __future__ import annotations

from src_model.evaluation.metrics.calibration import Calibration, CalibrationBin, calibrate
from src_model.evaluation.metrics.contour import contour_accuracy
from src_model.evaluation.metrics.occlusion import OcclusionScores, occlusion_scores
from src_model.evaluation.metrics.region import region_similarity
from src_model.evaluation.metrics.surface import SurfaceDistances, surface_distances
from src_model.evaluation.metrics.tracking import CellTrackingScores, cell_tracking_scores

__all__ = [
    "Calibration",
    "CalibrationBin",
    "CellTrackingScores",
    "OcclusionScores",
    "SurfaceDistances",
    "calibrate",
    "cell_tracking_scores",
    "contour_accuracy",
    "occlusion_scores",
    "region_similarity",
    "surface_distances",
]
