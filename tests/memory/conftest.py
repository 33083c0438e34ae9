"""The tiny network and the sessions of the tracking tests."""

from __future__ import annotations

from tests.tracking.conftest import clicked, movie, network, official, predictor, session, tracked

__all__ = ["clicked", "movie", "network", "official", "predictor", "session", "tracked"]
