"""Checkpoints: named ones, downloaded on first use, and files of one's own; read without running code from them."""

from src_model.weights.download import (
    MODELS_VARIABLE,
    CheckpointStatus,
    ProgressCallback,
    get_checkpoint,
    list_checkpoints,
    models_folder,
)
from src_model.weights.hashing import file_sha256
from src_model.weights.loading import LoadedNetwork, load_network
from src_model.weights.reading import read_metadata, read_state_dict
from src_model.weights.recognition import recognise_config
from src_model.weights.registry import REGISTRY, CheckpointInfo, checkpoint_info
from src_model.weights.saving import save_checkpoint

__all__ = [
    "MODELS_VARIABLE",
    "REGISTRY",
    "CheckpointInfo",
    "CheckpointStatus",
    "LoadedNetwork",
    "ProgressCallback",
    "checkpoint_info",
    "file_sha256",
    "get_checkpoint",
    "list_checkpoints",
    "load_network",
    "models_folder",
    "read_metadata",
    "read_state_dict",
    "recognise_config",
    "save_checkpoint",
]
