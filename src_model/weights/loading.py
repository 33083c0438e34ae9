"""From a name or a file to a network that is ready to use."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from src_model.errors import CheckpointError
from src_model.nn import build_network
from src_model.weights.download import get_checkpoint
from src_model.weights.hashing import file_sha256
from src_model.weights.mask_thresholds import MaskThresholds, noted_thresholds
from src_model.weights.reading import read_metadata, read_state_dict
from src_model.weights.recognition import recognise_config
from src_model.weights.registry import CheckpointInfo, architecture_thresholds, checkpoint_info, known_checkpoints

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from src_model.nn import Sam2Network

_SUFFIXES = (".pt", ".pth", ".safetensors")


@dataclass(frozen=True, slots=True)
class LoadedNetwork:
    """A network with the weights of a checkpoint.

    Attributes
    ----------
    network : Sam2Network
        In evaluation mode, in float32, on the device asked for.
    name : str
        The registered name it was asked for by, or the file name of a checkpoint given as a path.
    sha256 : str
        Digest of the checkpoint file.
    path : Path
        The checkpoint file.
    mask_thresholds : MaskThresholds or None
        What automatic masks must reach; None where nobody said.
    """

    network: Sam2Network
    name: str
    sha256: str
    path: Path
    mask_thresholds: MaskThresholds | None = None


def load_network(name_or_path: str | Path, *, device: torch.device | str, offline: bool | None = None) -> LoadedNetwork:
    """Build a network and fill it with the weights of a checkpoint.

    Parameters
    ----------
    name_or_path : str or Path
        A name, of a checkpoint that is downloaded on first use or of a custom one; or the path of a ``.pt`` or
        ``.safetensors`` file of any architecture in ``MODEL_CONFIGS``. A string that is a name always means that
        checkpoint.
    device : torch.device or str
        Where the network goes.
    offline : bool, optional
        True never to download; by default the environment variable ``HF_HUB_OFFLINE`` decides.

    Returns
    -------
    LoadedNetwork

    Raises
    ------
    CheckpointError
        The name is unknown, the file cannot be had, is damaged, or holds another model; the message says what it is
        and what was expected.
    """
    info, path = _locate(name_or_path, offline)
    state_dict = read_state_dict(path)
    config = recognise_config(state_dict, source=str(path))
    if info is not None and config.name != info.config:
        raise CheckpointError(f"{path} holds the model {config.name!r} instead of {info.config!r}.")
    _check_values(state_dict, path)
    network = build_network(config, initialize=False)
    # Copying casts weights that are stored in half precision to the float32 of the network.
    network.load_state_dict(state_dict, strict=True)
    name = path.name if info is None else info.name
    thresholds = noted_thresholds(read_metadata(path), path) or architecture_thresholds(config.name)
    return LoadedNetwork(network.to(device).eval(), name, file_sha256(path), path, thresholds)


def _locate(name_or_path: str | Path, offline: bool | None) -> tuple[CheckpointInfo | None, Path]:
    """Find the file, and the named checkpoint it should be (None for a file given by its path)."""
    if isinstance(name_or_path, str) and (info := known_checkpoints().get(name_or_path)) is not None:
        return info, get_checkpoint(name_or_path, offline=offline)
    path = Path(name_or_path).expanduser()
    looks_like_path = path.suffix in _SUFFIXES or os.sep in str(path) or path.exists()
    if isinstance(name_or_path, str) and not looks_like_path:
        checkpoint_info(name_or_path)  # no such name: its error lists those that exist
    return None, path


def _check_values(state_dict: Mapping[str, Tensor], path: Path) -> None:
    """Refuse weights that could be copied into the network and would only make nonsense there."""
    for name, tensor in state_dict.items():
        if not tensor.is_floating_point() or tensor.layout is not torch.strided or tensor.is_meta:
            raise CheckpointError(
                f"{path} cannot be used: its tensor {name} is {tensor.dtype}, {tensor.layout}, on {tensor.device}, "
                "instead of plain floating point."
            )
        if not bool(torch.isfinite(tensor).all()):
            raise CheckpointError(
                f"{path} cannot be used: its tensor {name} holds values that are not finite, "
                "as after a training that diverged."
            )
