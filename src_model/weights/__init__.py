"""Checkpoints: named ones, downloaded on first use, custom ones, and files; read without running code from them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from src_model.lazy import importer

if TYPE_CHECKING:
    from src_model.weights.custom import (
        CheckpointOrigin,
        CustomCheckpoint,
        custom_checkpoints,
        custom_checkpoints_folder,
    )
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
    from src_model.weights.mask_thresholds import MaskThresholds
    from src_model.weights.reading import read_metadata, read_state_dict
    from src_model.weights.recognition import recognise_config
    from src_model.weights.registry import (
        REGISTRY,
        CheckpointInfo,
        architecture_thresholds,
        checkpoint_info,
        known_checkpoints,
    )
    from src_model.weights.saving import check_custom_name, save_checkpoint, save_custom_checkpoint

_HOMES = {
    "src_model.weights.custom": (
        "CheckpointOrigin",
        "CustomCheckpoint",
        "custom_checkpoints",
        "custom_checkpoints_folder",
    ),
    "src_model.weights.download": (
        "MODELS_VARIABLE",
        "CheckpointStatus",
        "ProgressCallback",
        "get_checkpoint",
        "list_checkpoints",
        "models_folder",
    ),
    "src_model.weights.hashing": ("file_sha256",),
    "src_model.weights.loading": ("LoadedNetwork", "load_network"),
    "src_model.weights.mask_thresholds": ("MaskThresholds",),
    "src_model.weights.reading": ("read_metadata", "read_state_dict"),
    "src_model.weights.recognition": ("recognise_config",),
    "src_model.weights.registry": (
        "REGISTRY",
        "CheckpointInfo",
        "architecture_thresholds",
        "checkpoint_info",
        "known_checkpoints",
    ),
    "src_model.weights.saving": ("check_custom_name", "save_checkpoint", "save_custom_checkpoint"),
}

__all__ = [
    "MODELS_VARIABLE",
    "REGISTRY",
    "CheckpointInfo",
    "CheckpointOrigin",
    "CheckpointStatus",
    "CustomCheckpoint",
    "LoadedNetwork",
    "MaskThresholds",
    "ProgressCallback",
    "architecture_thresholds",
    "check_custom_name",
    "checkpoint_info",
    "custom_checkpoints",
    "custom_checkpoints_folder",
    "file_sha256",
    "get_checkpoint",
    "known_checkpoints",
    "list_checkpoints",
    "load_network",
    "models_folder",
    "read_metadata",
    "read_state_dict",
    "recognise_config",
    "save_checkpoint",
    "save_custom_checkpoint",
]

__getattr__ = importer(__name__, _HOMES)
