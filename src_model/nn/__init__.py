"""The network of SAM 2: tensors in, tensors out; no files, no movies, no state."""

from src_model.nn.config import MODEL_CONFIGS, ModelConfig
from src_model.nn.mask_decoder import ABSENT_LOGIT, MaskPrediction
from src_model.nn.memory_tokens import MemoryTokens
from src_model.nn.network import ImageFeatures, Sam2Network, build_network
from src_model.nn.prior import Gate, Prior
from src_model.nn.prompt_encoder import PromptTensors

__all__ = [
    "ABSENT_LOGIT",
    "MODEL_CONFIGS",
    "Gate",
    "ImageFeatures",
    "MaskPrediction",
    "MemoryTokens",
    "ModelConfig",
    "Prior",
    "PromptTensors",
    "Sam2Network",
    "build_network",
]
