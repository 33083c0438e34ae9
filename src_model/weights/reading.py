"""Tensors and metadata out of checkpoint files, without running any code that a file may carry."""

from __future__ import annotations

import pickle
import re
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from src_model.errors import CheckpointError
from src_model.weights.file_format import EXPECTED, FileFormat, complete_size_hint, detect_format

if TYPE_CHECKING:
    from collections.abc import Callable

# Where training scripts put the weights among other things; the official checkpoints use the first.
_WRAPPERS = ("model", "state_dict")
_REFUSED_NAME = re.compile(r"GLOBAL ([A-Za-z_][\w.]*\.\w+)")


def read_state_dict(path: str | Path) -> dict[str, Tensor]:
    """Read the weights of a checkpoint file, on the CPU and in the types they are stored in.

    Parameters
    ----------
    path : str or Path
        A ``.pt`` file written by ``torch.save`` (a state dict, alone or under the key ``"model"`` or
        ``"state_dict"``) or a ``.safetensors`` file. The content counts, not the suffix.

    Returns
    -------
    dict of str to Tensor
        Tensors by name. They may be views of the file: copy them before the file is replaced.

    Raises
    ------
    CheckpointError
        The file is missing, truncated, of another format, or holds Python objects instead of tensors alone. Nothing
        in the file is ever run.
    """
    path = Path(path)
    if detect_format(path) is FileFormat.SAFETENSORS:
        tensors, _ = _open_safetensors(path, _all_tensors)
        return tensors
    return _tensors_in(_load_torch(path), path)


def read_metadata(path: str | Path) -> dict[str, str]:
    """Read the notes in the header of a safetensors file.

    Parameters
    ----------
    path : str or Path
        A checkpoint file. Torch files have no such notes.

    Returns
    -------
    dict of str to str
        For a file of ``save_checkpoint`` at least ``"format"`` (``"sam2v"``) and ``"config"``; empty for others.

    Raises
    ------
    CheckpointError
        The file is missing, truncated or of another format.
    """
    path = Path(path)
    if detect_format(path) is FileFormat.TORCH:
        return {}
    _, metadata = _open_safetensors(path, lambda _: {})
    return metadata


def _all_tensors(file: Any) -> dict[str, Tensor]:
    return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dictionary


def _open_safetensors(path: Path, read: Callable[[Any], dict[str, Tensor]]) -> tuple[dict[str, Tensor], dict[str, str]]:
    try:
        with safe_open(path, framework="pt", device="cpu") as file:
            return read(file), dict(file.metadata() or {})
    except (SafetensorError, ValueError, OSError, RuntimeError) as error:
        raise CheckpointError(
            f"{path} is a damaged or truncated safetensors file of {path.stat().st_size:,} bytes ({error}). "
            f"{complete_size_hint(path)}Get the file again."
        ) from error


def _load_torch(path: Path) -> Any:
    """Unpickle a torch archive with everything but tensors and plain containers forbidden."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            # Mapped, the weights are not held twice while a network copies them.
            return torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    # A file made to harm can make the unpickler fail in any way.
    except Exception as error:
        if isinstance(error, pickle.UnpicklingError):
            refused = _REFUSED_NAME.search(str(error))
            first = f" (the first: {refused[1]})" if refused else ""
            raise CheckpointError(
                f"{path} holds Python objects besides tensors{first}. They are not loaded, because opening them could "
                "run any code. Save the weights alone: "
                "torch.save({'model': model.state_dict()}, path)."
            ) from error
        raise CheckpointError(
            f"{path} is a damaged torch checkpoint ({_first_line(error)}). "
            f"{complete_size_hint(path)}Get the file again."
        ) from error


def _tensors_in(payload: object, path: Path) -> dict[str, Tensor]:
    """Find the state dict in what a torch file holds."""
    for key in _WRAPPERS:
        if isinstance(payload, Mapping) and isinstance(payload.get(key), Mapping):
            payload = payload[key]
            break
    if not isinstance(payload, Mapping):
        found = f"a single tensor of shape {tuple(payload.shape)}" if isinstance(payload, Tensor) else _kind(payload)
        raise CheckpointError(f"{path} holds {found} instead of named tensors. {EXPECTED}")
    for name, value in payload.items():
        if not isinstance(name, str) or not isinstance(value, Tensor):
            raise CheckpointError(
                f"{path} holds no state dict: its entry {name!r} is {_kind(value)} instead of a tensor. {EXPECTED}"
            )
    return dict(payload)


def _kind(value: object) -> str:
    return f"a value of type {type(value).__name__}"


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0][:200]}" if lines else type(error).__name__
