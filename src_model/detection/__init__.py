"""What proposes objects in a frame: a frame and a query go in, masks or boxes with scores and labels come out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from src_model.lazy import importer

if TYPE_CHECKING:
    from src_model.detection.automatic import AutomaticDetection, AutomaticDetector, AutomaticOptions
    from src_model.detection.detector import EVERYTHING, Detector, Example, Query
    from src_model.detection.selection import pick_objects
    from src_model.masks import Detection

_HOMES = {
    "src_model.detection.automatic": ("AutomaticDetection", "AutomaticDetector", "AutomaticOptions"),
    "src_model.detection.detector": ("EVERYTHING", "Detector", "Example", "Query"),
    "src_model.detection.selection": ("pick_objects",),
    "src_model.masks": ("Detection",),
}

__all__ = [
    "EVERYTHING",
    "AutomaticDetection",
    "AutomaticDetector",
    "AutomaticOptions",
    "Detection",
    "Detector",
    "Example",
    "Query",
    "pick_objects",
]

__getattr__ = importer(__name__, _HOMES)
