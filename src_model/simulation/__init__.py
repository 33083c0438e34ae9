"""Simulated microscopy movies with exact labels."""

from src_model.simulation.movie import SIMULATED_KINDS, SimulatedMovie, simulate_movie

__all__ = ["SIMULATED_KINDS", "SimulatedMovie", "simulate_movie"]
