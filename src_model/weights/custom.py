"""Custom checkpoints: networks that a user fine-tuned and gave a name, in a folder of the user."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import platformdirs
from pydantic import TypeAdapter, ValidationError

from src_model.files import replacing
from src_model.weights.mask_thresholds import MaskThresholds  # noqa: TC001 - pydantic asks for it

_MOST_BYTES = 1_000_000
"""Longest record that is read: they have some hundred bytes, and the folder may hold files of anybody."""


@dataclass(frozen=True, slots=True)
class CheckpointOrigin:
    """What a custom checkpoint was made from.

    Attributes
    ----------
    licence : str
        SPDX identifier of the licence of the weights, or a sentence where there is none.
    base : str
        Name of the checkpoint that the training began with.
    base_sha256 : str
        Hexadecimal digest of that checkpoint's file.
    data : str
        Name of the data set it was trained on.
    data_sha256 : str
        Hexadecimal digest of that data set's files.
    scores : dict of str to float
        Scores on held-out objects, 0 to 1, by name.
    note : str
        Anything else worth knowing, such as the licence of the data.
    mask_thresholds : MaskThresholds or None
        What automatic masks must reach, taken over from the base; None where nothing is known.
    """

    licence: str
    base: str
    base_sha256: str
    data: str
    data_sha256: str
    scores: dict[str, float] = field(default_factory=dict)
    note: str = ""
    mask_thresholds: MaskThresholds | None = None

    def notes(self) -> dict[str, str]:
        """Return what the header of the checkpoint's file says."""
        derived = {"licence": self.licence, "derived_from": f"{self.base} (SHA-256 {self.base_sha256})"}
        return derived if self.mask_thresholds is None else derived | self.mask_thresholds.notes()


@dataclass(frozen=True, slots=True)
class CustomCheckpoint:
    """What is known of a custom checkpoint; a JSON file beside the weights holds it.

    Attributes
    ----------
    name : str
        What users ask for, such as ``"my-cells"``.
    config : str
        The key of its architecture in ``src_model.nn.MODEL_CONFIGS``.
    size : int
        Bytes of the file of the weights.
    sha256 : str
        Hexadecimal digest of that file.
    made : str
        Date and time in UTC, ISO 8601.
    origin : CheckpointOrigin
        What it was made from.
    """

    name: str
    config: str
    size: int
    sha256: str
    made: str
    origin: CheckpointOrigin

    @property
    def filename(self) -> str:
        """Name of the file of the weights."""
        return f"{self.name}.safetensors"


_ADAPTER = TypeAdapter(CustomCheckpoint)


def custom_checkpoints_folder() -> Path:
    """Folder of the user's custom checkpoints; it need not exist."""
    return Path(platformdirs.user_data_dir("sam2v", appauthor=False)) / "checkpoints"


def custom_checkpoints() -> dict[str, CustomCheckpoint]:
    """List the user's custom checkpoints by name, in order of names; files that are no records are left out."""
    found = {}
    for path in sorted(custom_checkpoints_folder().glob("*.json")):
        try:
            if path.stat().st_size > _MOST_BYTES:
                continue
            record = _ADAPTER.validate_json(path.read_bytes())
        except (OSError, ValidationError):
            continue
        if record.name == path.stem:
            found[record.name] = record
    return found


def write_record(record: CustomCheckpoint) -> None:
    """Write what is known of a custom checkpoint beside its weights, replacing an older record."""
    with replacing(custom_checkpoints_folder() / f"{record.name}.json") as part:
        part.write_bytes(_ADAPTER.dump_json(record, indent=2))
