"""Measures of tracked objects through time: area, speed, mean intensity, score. No torch, no files."""

from __future__ import annotations

from src_model.measures.intensity import mean_intensity
from src_model.measures.meter import Measurement, SeriesMeter
from src_model.measures.motion import steps
from src_model.measures.series import QUANTITIES, MeasureUnits, TrackSeries

__all__ = ["QUANTITIES", "MeasureUnits", "Measurement", "SeriesMeter", "TrackSeries", "mean_intensity", "steps"]
