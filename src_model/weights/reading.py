"""Tensors and metadata out of checkpoint files, without running any code that a file may carry.

What a file is, is told from its first bytes before any library is asked to open it: a checkpoint comes from the
internet or from a colleague, the suffix proves nothing, and the libraries that read checkpoints report a web page saved
under the wrong name with messages about pickle opcodes.
"""

from __future__ import annotations

import pickle
import re
import warnings
import zipfile
from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from src_model.errors import CheckpointError
from src_model.weights.registry import REGISTRY

if TYPE_CHECKING:
    from collections.abc import Callable

_EXPECTED = "Expected a .pt or .safetensors checkpoint of SAM 2, SAM 2.1 or the default model."

_HEAD_BYTES = 512
_LENGTH_BYTES = 8  # a safetensors file begins with the length of its JSON header, eight bytes, little-endian
_SIGNATURES = (
    (b"version https://git-lfs", "a Git LFS pointer, which stands in for the file until 'git lfs pull' fetches it"),
    (b"\x89HDF\r\n", "an HDF5 file"),
    (b"\x89PNG", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"II*\x00", "a TIFF image"),
    (b"MM\x00*", "a TIFF image"),
    (b"GIF8", "a GIF image"),
    (b"\x1f\x8b", "a gzip archive (unpack it first)"),
    (b"7z\xbc\xaf", "a 7-Zip archive (unpack it first)"),
    (b"%PDF", "a PDF document"),
    (b"GGUF", "a GGUF model"),
    (b"\x93NUMPY", "a NumPy array"),
)

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
            f"{_complete_size_hint(path)}Get the file again."
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
            f"{_complete_size_hint(path)}Get the file again."
        ) from error


def _tensors_in(payload: object, path: Path) -> dict[str, Tensor]:
    """Find the state dict in what a torch file holds."""
    for key in _WRAPPERS:
        if isinstance(payload, Mapping) and isinstance(payload.get(key), Mapping):
            payload = payload[key]
            break
    if not isinstance(payload, Mapping):
        found = f"a single tensor of shape {tuple(payload.shape)}" if isinstance(payload, Tensor) else _kind(payload)
        raise CheckpointError(f"{path} holds {found} instead of named tensors. {_EXPECTED}")
    for name, value in payload.items():
        if not isinstance(name, str) or not isinstance(value, Tensor):
            raise CheckpointError(
                f"{path} holds no state dict: its entry {name!r} is {_kind(value)} instead of a tensor. {_EXPECTED}"
            )
    return dict(payload)


def _kind(value: object) -> str:
    return f"a value of type {type(value).__name__}"


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0][:200]}" if lines else type(error).__name__


class FileFormat(Enum):
    """The two kinds of file that are read."""

    TORCH = "torch"
    SAFETENSORS = "safetensors"


def detect_format(path: Path) -> FileFormat:
    """Tell which reader a checkpoint file needs.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    FileFormat

    Raises
    ------
    CheckpointError
        There is no such file, it cannot be read, or it is neither a complete torch nor a safetensors file; the
        message says what it is instead.
    """
    if path.is_dir():
        raise CheckpointError(f"{path} is a folder. {_EXPECTED}")
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES)
        size = path.stat().st_size
    except FileNotFoundError:
        raise CheckpointError(f"There is no file {path}. {_EXPECTED}") from None
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{str(path)!r} cannot be read: {error}.") from error
    if head.startswith(b"PK"):
        _check_torch_archive(path, size)
        return FileFormat.TORCH
    if head[_LENGTH_BYTES : _LENGTH_BYTES + 1] == b"{":
        _check_safetensors_length(path, head, size)
        return FileFormat.SAFETENSORS
    raise CheckpointError(f"{path} is {_describe_foreign(head, size)}. {_EXPECTED}")


def _check_torch_archive(path: Path, size: int) -> None:
    """Refuse ZIP files that torch.save did not write, and those that would need more memory than their own size."""
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise CheckpointError(
            f"{path} is a damaged or truncated torch checkpoint of {size:,} bytes ({error}). "
            f"{_complete_size_hint(path)}Get the file again."
        ) from error
    names = [entry.filename for entry in entries]
    if not any(name.endswith("/data.pkl") for name in names):
        first = f"its first entry is {names[0]!r}" if names else "it is empty"
        raise CheckpointError(f"{path} is a ZIP archive, but not a torch checkpoint: {first}. {_EXPECTED}")
    if any(name.endswith("/constants.pkl") for name in names):
        raise CheckpointError(
            f"{path} is a TorchScript archive, that is a program with its weights. {_EXPECTED} "
            "Save the weights alone: torch.save({'model': model.state_dict()}, path)."
        )
    compressed = any(entry.compress_type != zipfile.ZIP_STORED for entry in entries)
    if compressed or sum(entry.file_size for entry in entries) > size:
        raise CheckpointError(
            f"{path} is not a file that torch.save wrote: its archive is compressed or its parts overlap, so that it "
            "could fill the memory when opened. It is refused."
        )


def _check_safetensors_length(path: Path, head: bytes, size: int) -> None:
    header = int.from_bytes(head[:_LENGTH_BYTES], "little")
    if header + _LENGTH_BYTES > size:
        raise CheckpointError(
            f"{path} is a truncated safetensors file: it announces a header of {header:,} bytes and has {size:,} bytes "
            f"in all. {_complete_size_hint(path)}Get the file again."
        )


def _complete_size_hint(path: Path) -> str:
    """Say how long the complete file is, if the file has the name of a registered one; else the empty string."""
    for entry in REGISTRY.values():
        if entry.filename == path.name and entry.size is not None:
            return f"The complete {entry.filename} has {entry.size:,} bytes. "
    return ""


def _describe_foreign(head: bytes, size: int) -> str:
    """Name a kind of file by how it begins, as the end of the sentence "this is ..."."""
    if size == 0:
        return "an empty file"
    for signature, description in _SIGNATURES:
        if head.startswith(signature):
            return description
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith((b"<!doctype html", b"<html")):
        return "a web page (HTML) that was saved instead of the file it links to"
    if head[0] == 0x80 and len(head) > 1 and head[1] <= 5:
        return "a Python pickle, or a checkpoint in the format of torch before 1.6 (save it again with a newer torch)"
    text = _as_text(head)
    if text is not None:
        return f"a text file that begins with {text[:40]!r}"
    return f"a binary file of unknown format that begins with the bytes {head[:8].hex(' ')}"


def _as_text(head: bytes) -> str | None:
    # A character of up to four bytes may be cut in two where the head ends.
    text = head.decode("utf-8", errors="ignore")
    printable = sum(character.isprintable() or character.isspace() for character in text)
    return text if len(text.encode()) > len(head) - 4 and printable == len(text) else None
