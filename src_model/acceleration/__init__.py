"""Other programs than torch for the two heavy parts of the network, where they are installed and faster."""

from src_model.acceleration.choosing import BACKENDS, BackendName, backend_reason, choose_engine
from src_model.acceleration.engine import Engine

__all__ = ["BACKENDS", "BackendName", "Engine", "backend_reason", "choose_engine"]
