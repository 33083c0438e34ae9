"""Checkpoints: named ones, downloaded on first use, and files of one's own; read without running code from them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from src_model.lazy import importer

if TYPE_CHECKING:
    from src_model.weights.download import (
        MODELS_VARIABLE,
        CheckpointStatus,
        ProgressCallback,
        get_checkpoint,
        list_checkpoints,
        models_folder,
    )
    from src_model.weights.hashing import file_sha256
    from src_model.weights.keeping import Origin, check_own_name, keep_checkpoint
    from src_model.weights.loading import LoadedNetwork, load_network
    from src_model.weights.mask_thresholds import MaskThresholds
    from src_model.weights.own import OwnCheckpoint, own_checkpoints, own_folder
    from src_model.weights.reading import read_metadata, read_state_dict
    from src_model.weights.recognition import recognise_config
    from src_model.weights.registry import (
        REGISTRY,
        CheckpointInfo,
        architecture_thresholds,
        checkpoint_info,
        known_checkpoints,
    )
    from src_model.weights.saving import save_checkpoint

_HOMES = {
    "src_model.weights.download": (
        "MODELS_VARIABLE",
        "CheckpointStatus",
        "ProgressCallback",
        "get_checkpoint",
        "list_checkpoints",
        "models_folder",
    ),
    "src_model.weights.hashing": ("file_sha256",),
    "src_model.weights.keeping": ("Origin", "check_own_name", "keep_checkpoint"),
    "src_model.weights.loading": ("LoadedNetwork", "load_network"),
    "src_model.weights.mask_thresholds": ("MaskThresholds",),
    "src_model.weights.own": ("OwnCheckpoint", "own_checkpoints", "own_folder"),
    "src_model.weights.reading": ("read_metadata", "read_state_dict"),
    "src_model.weights.recognition": ("recognise_config",),
    "src_model.weights.registry": (
        "REGISTRY",
        "CheckpointInfo",
        "architecture_thresholds",
        "checkpoint_info",
        "known_checkpoints",
    ),
    "src_model.weights.saving": ("save_checkpoint",),
}

__all__ = [
    "MODELS_VARIABLE",
    "REGISTRY",
    "CheckpointInfo",
    "CheckpointStatus",
    "LoadedNetwork",
    "MaskThresholds",
    "Origin",
    "OwnCheckpoint",
    "ProgressCallback",
    "architecture_thresholds",
    "check_own_name",
    "checkpoint_info",
    "file_sha256",
    "get_checkpoint",
    "keep_checkpoint",
    "known_checkpoints",
    "list_checkpoints",
    "load_network",
    "models_folder",
    "own_checkpoints",
    "own_folder",
    "read_metadata",
    "read_state_dict",
    "recognise_config",
    "save_checkpoint",
]

__getattr__ = importer(__name__, _HOMES)
