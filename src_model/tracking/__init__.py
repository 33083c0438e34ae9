"""The streaming predictor: prompts in, masklets out."""

from src_model.tracking.automatic import AutomaticMask, AutomaticMaskGenerator, AutomaticSettings
from src_model.tracking.image_predictor import ImagePrediction, ImagePredictor
from src_model.tracking.predictor import StreamingPredictor, choose_device
from src_model.tracking.prompts import Prompt
from src_model.tracking.results import Candidate, FrameResult, PromptAnswer
from src_model.tracking.session import Session
from src_model.tracking.settings import PRESETS, TrackingSettings

__all__ = [
    "PRESETS",
    "AutomaticMask",
    "AutomaticMaskGenerator",
    "AutomaticSettings",
    "Candidate",
    "FrameResult",
    "ImagePrediction",
    "ImagePredictor",
    "Prompt",
    "PromptAnswer",
    "Session",
    "StreamingPredictor",
    "TrackingSettings",
    "choose_device",
]
