"""Keeping a network under a name of its own, by which it can be loaded from then on."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from src_model.errors import CheckpointError
from src_model.weights.hashing import file_sha256
from src_model.weights.own import OwnCheckpoint, own_folder, write_record
from src_model.weights.registry import REGISTRY
from src_model.weights.saving import save_checkpoint

if TYPE_CHECKING:
    from src_model.nn import Sam2Network
    from src_model.weights.mask_thresholds import MaskThresholds

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_SUFFIXES = (".pt", ".pth", ".safetensors", ".json")


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a checkpoint comes from; the attributes are those of :class:`~src_model.weights.own.OwnCheckpoint`.

    What automatic masks must reach (``mask_thresholds``) it has from its base.
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
        """Return what the header of its file says."""
        derived = {"licence": self.licence, "derived_from": f"{self.base} (SHA-256 {self.base_sha256})"}
        return derived if self.mask_thresholds is None else derived | self.mask_thresholds.notes()


def check_own_name(name: str) -> None:
    """Find out before a training whether its result can have a name.

    Raises
    ------
    CheckpointError
        If the name belongs to a checkpoint that comes with sam2v, or cannot be a file's.
    """
    if name in REGISTRY:
        raise CheckpointError(f"{name!r} is the name of a checkpoint that comes with sam2v: choose another one")
    if _NAME.fullmatch(name) is None or name.endswith(_SUFFIXES):
        raise CheckpointError(
            f"{name!r} cannot be the name of a checkpoint: use letters, digits, '-', '_' and '.', such as 'my-cells'"
        )


def keep_checkpoint(network: Sam2Network, name: str, origin: Origin) -> OwnCheckpoint:
    """Save a network among the user's own checkpoints; one that has the name is replaced.

    Parameters
    ----------
    network
        Of one of ``MODEL_CONFIGS``.
    name
        What it will be asked for by.
    origin
        What is to be remembered of it.

    Raises
    ------
    CheckpointError
        If the name cannot be used or the network cannot be saved.
    """
    check_own_name(name)
    folder = own_folder()
    folder.mkdir(parents=True, exist_ok=True)
    path = save_checkpoint(network, folder / f"{name}.safetensors", metadata=origin.notes())
    record = OwnCheckpoint(
        name=name,
        config=network.config.name,
        licence=origin.licence,
        size=path.stat().st_size,
        sha256=file_sha256(path),
        base=origin.base,
        base_sha256=origin.base_sha256,
        data=origin.data,
        data_sha256=origin.data_sha256,
        made=datetime.now(UTC).isoformat(timespec="seconds"),
        scores=origin.scores,
        note=origin.note,
    )
    write_record(record)
    return record
