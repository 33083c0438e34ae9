"""Weights written as checkpoints: to a file, or among the user's custom checkpoints under a name."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from safetensors.torch import save_file

from src_model.errors import CheckpointError
from src_model.files import replacing
from src_model.nn import MODEL_CONFIGS
from src_model.weights.custom import CustomCheckpoint, custom_checkpoints_folder, write_record
from src_model.weights.hashing import file_sha256
from src_model.weights.recognition import layout_difference, layout_of, network_layout
from src_model.weights.registry import REGISTRY

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from src_model.nn import Sam2Network
    from src_model.weights.custom import CheckpointOrigin

FORMAT = "sam2v"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_SUFFIXES = (".pt", ".pth", ".safetensors", ".json")
_DTYPES = (torch.float16, torch.bfloat16, torch.float32)


def save_checkpoint(
    network: Sam2Network,
    path: str | Path,
    *,
    dtype: torch.dtype = torch.float16,
    metadata: Mapping[str, str] | None = None,
) -> Path:
    """Write the weights of a network as a safetensors file that ``load_network`` reads.

    The file appears under its name only when it is complete: an interrupted call leaves what was there before.

    Parameters
    ----------
    network : Sam2Network
        A network of one of ``MODEL_CONFIGS``, on any device. It is left as it is.
    path : str or Path
        Where to write, with the suffix ``.safetensors``. An existing file is replaced.
    dtype : torch.dtype, default: torch.float16
        Type to store weights in: float16, bfloat16 or float32.
    metadata : mapping of str to str, optional
        Notes for the header of the file, such as a licence. ``"format"`` and ``"config"`` are added.

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    CheckpointError
        The path has another suffix or its folder does not exist, the type is another, a note is not text, the network
        is of no known architecture, or a weight is not finite in the type asked for.
    """
    path = Path(path)
    if path.suffix != ".safetensors":
        raise CheckpointError(f"A checkpoint is saved as a .safetensors file, not as {path.name!r}.")
    if not path.parent.is_dir():
        raise CheckpointError(f"The checkpoint cannot be saved: there is no folder {path.parent}.")
    notes = _header(network, metadata or {})
    tensors = _as_stored(network.state_dict(), dtype)
    with replacing(path) as part:
        save_file(tensors, part, notes)
    return path


def check_custom_name(name: str) -> None:
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


def save_custom_checkpoint(network: Sam2Network, name: str, origin: CheckpointOrigin) -> CustomCheckpoint:
    """Save a network among the user's custom checkpoints; one that has the name is replaced.

    Parameters
    ----------
    network : Sam2Network
        A network of one of ``MODEL_CONFIGS``, on any device.
    name : str
        What it will be asked for by, such as ``"my-cells"``.
    origin : CheckpointOrigin
        What it was made from.

    Returns
    -------
    CustomCheckpoint
        What was written beside the weights.

    Raises
    ------
    CheckpointError
        If the name cannot be used or the network cannot be saved.
    """
    check_custom_name(name)
    folder = custom_checkpoints_folder()
    folder.mkdir(parents=True, exist_ok=True)
    path = save_checkpoint(network, folder / f"{name}.safetensors", metadata=origin.notes())
    made = datetime.now(UTC).isoformat(timespec="seconds")
    record = CustomCheckpoint(name, network.config.name, path.stat().st_size, file_sha256(path), made, origin)
    write_record(record)
    return record


def _header(network: Sam2Network, metadata: Mapping[str, str]) -> dict[str, str]:
    name = network.config.name
    if name not in MODEL_CONFIGS:
        raise CheckpointError(
            f"A network of the architecture {name!r} could not be loaded again. Known: {', '.join(MODEL_CONFIGS)}."
        )
    difference = layout_difference(network_layout(MODEL_CONFIGS[name]), layout_of(network.state_dict()))
    if difference.count:
        raise CheckpointError(f"The network is no plain {name!r} and could not be loaded again. Tensors {difference}.")
    for key, value in metadata.items():
        if not isinstance(key, str) or not isinstance(value, str):
            raise CheckpointError(f"The metadata {key!r}: {value!r} cannot be saved: both must be text.")
    return {**metadata, "format": FORMAT, "config": name}


def _as_stored(state_dict: Mapping[str, Tensor], dtype: torch.dtype) -> dict[str, Tensor]:
    if dtype not in _DTYPES:
        raise CheckpointError(f"Weights cannot be stored as {dtype}: choose one of {', '.join(map(str, _DTYPES))}.")
    stored = {}
    for name, tensor in state_dict.items():
        # A copy of its own, because safetensors refuses tensors that share memory.
        stored[name] = tensor.detach().to("cpu", dtype, copy=True).contiguous()
        if not bool(torch.isfinite(stored[name]).all()):
            raise CheckpointError(f"The tensor {name} holds values that are not finite in {dtype}; nothing was saved.")
    return stored
