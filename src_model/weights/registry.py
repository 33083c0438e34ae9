"""The checkpoints that can be asked for by name."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from src_model.errors import CheckpointError
from src_model.weights.custom import custom_checkpoints, custom_checkpoints_folder
from src_model.weights.mask_thresholds import SAM_THRESHOLDS, MaskThresholds

if TYPE_CHECKING:
    from collections.abc import Mapping

DATA_FOLDER = Path(__file__).parent / "data"


@dataclass(frozen=True, slots=True)
class CheckpointInfo:
    """What is known of a checkpoint before it is on disk.

    Attributes
    ----------
    name : str
        What users ask for, such as ``"sam2.1-tiny"``.
    config : str
        The key of its architecture in ``src_model.nn.MODEL_CONFIGS``.
    licence : str
        SPDX identifier of the licence of the weights.
    filename : str
        Name of the file, at its source and in a folder of hand-downloaded files.
    repo : str or None
        Repository on huggingface.co; None for a bundled checkpoint.
    size : int or None
        Bytes of the complete file, where known.
    sha256 : str or None
        Hexadecimal digest of the complete file, where known.
    folder : Path or None
        Where the file of a custom checkpoint is; None for those that come with sam2v.
    mask_thresholds : MaskThresholds
        What automatic masks must reach, unless the file says otherwise.
    """

    name: str
    config: str
    licence: str
    filename: str
    repo: str | None = None
    size: int | None = None
    sha256: str | None = None
    folder: Path | None = None
    mask_thresholds: MaskThresholds = SAM_THRESHOLDS

    @property
    def bundled(self) -> bool:
        """Whether the file comes with the package, so that nothing is ever downloaded."""
        return self.repo is None and self.folder is None

    @property
    def custom(self) -> bool:
        """Whether it is one of the user's custom checkpoints."""
        return self.folder is not None

    @property
    def source(self) -> str:
        """Where the file comes from: repository and file name, or its path on this machine."""
        folder = self.folder or DATA_FOLDER
        return str(folder / self.filename) if self.repo is None else f"{self.repo}/{self.filename}"

    @property
    def url(self) -> str | None:
        """The public address to get the file from by hand; None where it is never downloaded."""
        return None if self.repo is None else f"https://huggingface.co/{self.repo}/resolve/main/{self.filename}"


def checkpoint_info(name: str) -> CheckpointInfo:
    """Look a checkpoint up by name.

    Parameters
    ----------
    name : str
        One of the keys of ``REGISTRY``, or the name of a custom checkpoint.

    Returns
    -------
    CheckpointInfo

    Raises
    ------
    CheckpointError
        No checkpoint has this name; the message lists those that exist.
    """
    if name in REGISTRY:
        return REGISTRY[name]
    known = known_checkpoints()
    if name in known:
        return known[name]
    close = difflib.get_close_matches(name, known, n=1)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    raise CheckpointError(f"There is no checkpoint named {name!r}.{hint} Known names: {', '.join(known)}.")


def known_checkpoints() -> dict[str, CheckpointInfo]:
    """List every checkpoint with a name: those of ``REGISTRY``, then the user's custom ones."""
    custom = {
        name: CheckpointInfo(
            name=name,
            config=record.config,
            licence=record.origin.licence,
            filename=record.filename,
            size=record.size,
            sha256=record.sha256,
            folder=custom_checkpoints_folder(),
        )
        for name, record in custom_checkpoints().items()
        if name not in REGISTRY
    }
    return {**REGISTRY, **custom}


def _official(version: str, variant: str, size: int, sha256: str) -> CheckpointInfo:
    name = f"{version}-{variant}"
    return CheckpointInfo(
        name=name,
        config=name,
        licence="Apache-2.0",
        filename=f"{version}_hiera_{variant.replace('-', '_')}.pt",
        repo=f"facebook/{version}-hiera-{variant}",
        size=size,
        sha256=sha256,
    )


_ENTRIES = (
    CheckpointInfo(
        name="default",
        config="default",
        licence="Apache-2.0",
        filename="default.safetensors",
        size=26_973_148,
        sha256="c7bbf7fc8dd4a4e4cf704586e7e8735f6f9931b25ca1d8c5b46aafab1e281b07",
        mask_thresholds=MaskThresholds(0.65, 0.85),  # see "Automatic masks" in its model card
    ),
    _official("sam2.1", "tiny", 156_008_466, "7402e0d864fa82708a20fbd15bc84245c2f26dff0eb43a4b5b93452deb34be69"),
    _official("sam2.1", "small", 184_416_285, "6d1aa6f30de5c92224f8172114de081d104bbd23dd9dc5c58996f0cad5dc4d38"),
    _official("sam2.1", "base-plus", 323_606_802, "a2345aede8715ab1d5d31b4a509fb160c5a4af1970f199d9054ccfb746c004c5"),
    _official("sam2.1", "large", 898_083_611, "2647878d5dfa5098f2f8649825738a9345572bae2d4350a2468587ece47dd318"),
    _official("sam2", "tiny", 155_906_050, "65b50056e05bcb13694174f51bb6da89c894b57b75ccdf0ba6352c597c5d1125"),
    _official("sam2", "small", 184_309_650, "95949964d4e548409021d47b22712d5f1abf2564cc0c3c765ba599a24ac7dce3"),
    _official("sam2", "base-plus", 323_493_298, "d0bb7f236400a49669ffdd1be617959a8b1d1065081789d7bbff88eded3a8071"),
    _official("sam2", "large", 897_952_466, "7442e4e9b732a508f80e141e7c2913437a3610ee0c77381a66658c3a445df87b"),
)

_BY_NAME = {entry.name: entry for entry in _ENTRIES}

REGISTRY: Mapping[str, CheckpointInfo] = MappingProxyType(_BY_NAME)
"""Every checkpoint that comes with sam2v or is downloaded, the bundled one first."""


def architecture_thresholds(config: str) -> MaskThresholds:
    """Say what automatic masks must reach where nothing is known of a network but its architecture.

    They are those of the checkpoint that comes with sam2v and has it: most others were trained on from that one.
    """
    return REGISTRY[config].mask_thresholds if config in REGISTRY else SAM_THRESHOLDS
