"""Turn a training run into a checkpoint that can be used and shipped."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from src_model.errors import TrainingError
from src_model.nn import MODEL_CONFIGS, build_network
from src_model.weights import save_checkpoint
from training_recipe.run_config import CONFIG_NAME, read_config
from training_recipe.runs import PROVENANCE_NAME
from training_recipe.trainer import CHECKPOINT_NAME

_ORIGIN = "MobileSAM (Apache-2.0): image encoder, prompt encoder, mask decoder"


@dataclass(frozen=True, slots=True)
class Exported:
    """A checkpoint file that was written, its bytes and its digest."""

    path: Path
    size: int
    sha256: str


def export_run(folder: Path, target: Path) -> Exported:
    """Write the averaged weights of a run as half floats, with the run's configuration and origin in the header.

    Raises
    ------
    TrainingError
        If the folder holds no run.
    CheckpointError
        If the target cannot be written.
    """
    checkpoint = folder / CHECKPOINT_NAME
    if not checkpoint.is_file():
        raise TrainingError(f"'{folder}' holds no run: there is no {CHECKPOINT_NAME} in it")
    config = read_config(folder / CONFIG_NAME) if (folder / CONFIG_NAME).exists() else None
    content = torch.load(checkpoint, map_location="cpu", weights_only=True)
    network = build_network(MODEL_CONFIGS["default" if config is None else config.model])
    network.load_state_dict(content["average"])
    notes = {"licence": "Apache-2.0", "derived_from": _ORIGIN, **_notes(folder)}
    save_checkpoint(network, target, dtype=torch.float16, metadata=notes)
    return Exported(target, target.stat().st_size, hashlib.sha256(target.read_bytes()).hexdigest())


def _notes(folder: Path) -> dict[str, str]:
    """Describe the run for the header: its configuration, and the origin of its weights and data."""
    notes = {}
    if (folder / CONFIG_NAME).exists():
        start = read_config(folder / CONFIG_NAME).start
        # Of a file only the name: where it lies on this machine is nobody else's business.
        notes["training"] = (folder / CONFIG_NAME).read_text(encoding="utf-8").replace(start, Path(start).name)
    if (folder / PROVENANCE_NAME).exists():
        entries: list[dict[str, Any]] = json.loads((folder / PROVENANCE_NAME).read_text(encoding="utf-8"))
        notes["provenance"] = json.dumps(entries)
    return notes
