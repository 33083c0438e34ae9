"""The streaming predictor: prompts in, masklets out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from src_model.lazy import importer

if TYPE_CHECKING:
    from src_model.tracking.image_predictor import ImagePrediction, ImagePredictor
    from src_model.tracking.predictor import StreamingPredictor, choose_device
    from src_model.tracking.results import Candidate, FrameResult, PromptAnswer
    from src_model.tracking.session import Session
    from src_model.tracking.settings import PRESETS, TrackingSettings

_HOMES = {
    "src_model.tracking.image_predictor": ("ImagePrediction", "ImagePredictor"),
    "src_model.tracking.predictor": ("StreamingPredictor", "choose_device"),
    "src_model.tracking.results": ("Candidate", "FrameResult", "PromptAnswer"),
    "src_model.tracking.session": ("Session",),
    "src_model.tracking.settings": ("PRESETS", "TrackingSettings"),
}

__all__ = [
    "PRESETS",
    "Candidate",
    "FrameResult",
    "ImagePrediction",
    "ImagePredictor",
    "PromptAnswer",
    "Session",
    "StreamingPredictor",
    "TrackingSettings",
    "choose_device",
]

__getattr__ = importer(__name__, _HOMES)
