"""Simulated microscopy movies with exact labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from src_model.lazy import importer

if TYPE_CHECKING:
    from src_model.simulation.movie import SimulatedMovie, simulate_movie

__all__ = ["SIMULATED_KINDS", "SimulatedMovie", "simulate_movie"]

SIMULATED_KINDS = ("nuclei", "sheet", "rods", "phase", "vesicles")
"""What can be simulated. The place of a kind is part of its seeds, so that new ones come last."""

# Whoever only asks what there is needs no OpenCV.
__getattr__ = importer(__name__, {"src_model.simulation.movie": ("SimulatedMovie", "simulate_movie")})
