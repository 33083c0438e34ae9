"""Checkpoints of one's own that have a name: a folder of the user, with what is known of each beside it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import platformdirs
from pydantic import TypeAdapter, ValidationError

from src_model.files import replacing

_MOST_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class OwnCheckpoint:
    """What is known of a checkpoint of one's own.

    Attributes
    ----------
    name
        What it is asked for by.
    config
        The key of its architecture in ``src_model.nn.MODEL_CONFIGS``.
    licence
        Of the weights.
    size, sha256
        Bytes and digest of the file.
    base, base_sha256
        The checkpoint it was made from.
    data, data_sha256
        What it was trained on.
    made
        Date and time, ISO 8601.
    scores
        On what was held out, by name.
    note
        Anything else worth knowing, such as where its data may be used.
    """

    name: str
    config: str
    licence: str
    size: int
    sha256: str
    base: str
    base_sha256: str
    data: str
    data_sha256: str
    made: str
    scores: dict[str, float] = field(default_factory=dict)
    note: str = ""

    @property
    def filename(self) -> str:
        """Name of its file."""
        return f"{self.name}.safetensors"


_ADAPTER = TypeAdapter(OwnCheckpoint)


def own_folder() -> Path:
    """Folder of the user's own named checkpoints; it need not exist."""
    return Path(platformdirs.user_data_dir("sam2v", appauthor=False)) / "checkpoints"


def own_checkpoints() -> dict[str, OwnCheckpoint]:
    """List the user's own checkpoints by name, in order of names; files that are not theirs are left out."""
    found = {}
    for path in sorted(own_folder().glob("*.json")):
        try:
            if path.stat().st_size > _MOST_BYTES:
                continue
            record = _ADAPTER.validate_json(path.read_bytes())
        except (OSError, ValidationError):
            continue
        if record.name == path.stem:
            found[record.name] = record
    return found


def write_record(record: OwnCheckpoint) -> Path:
    """Write what is known of a checkpoint beside its file, replacing what was there in one step."""
    path = own_folder() / f"{record.name}.json"
    with replacing(path) as part:
        part.write_bytes(_ADAPTER.dump_json(record, indent=2))
    return path
