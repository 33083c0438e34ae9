"""What a file is, told from its bytes before any library is asked to open it.

A checkpoint comes from the internet or from a colleague: the suffix proves nothing, and the libraries that read
checkpoints report a web page saved under the wrong name with messages about pickle opcodes.
"""

from __future__ import annotations

import zipfile
from enum import Enum
from typing import TYPE_CHECKING

from src_model.errors import CheckpointError
from src_model.weights.registry import REGISTRY

if TYPE_CHECKING:
    from pathlib import Path

EXPECTED = "Expected a .pt or .safetensors checkpoint of SAM 2, SAM 2.1 or the default model."

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
        raise CheckpointError(f"{path} is a folder. {EXPECTED}")
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES)
        size = path.stat().st_size
    except FileNotFoundError:
        raise CheckpointError(f"There is no file {path}. {EXPECTED}") from None
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{str(path)!r} cannot be read: {error}.") from error
    if head.startswith(b"PK"):
        _check_torch_archive(path, size)
        return FileFormat.TORCH
    if head[_LENGTH_BYTES : _LENGTH_BYTES + 1] == b"{":
        _check_safetensors_length(path, head, size)
        return FileFormat.SAFETENSORS
    raise CheckpointError(f"{path} is {_describe_foreign(head, size)}. {EXPECTED}")


def _check_torch_archive(path: Path, size: int) -> None:
    """Refuse ZIP files that torch.save did not write, and those that would need more memory than their own size."""
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise CheckpointError(
            f"{path} is a damaged or truncated torch checkpoint of {size:,} bytes ({error}). "
            f"{complete_size_hint(path)}Get the file again."
        ) from error
    names = [entry.filename for entry in entries]
    if not any(name.endswith("/data.pkl") for name in names):
        first = f"its first entry is {names[0]!r}" if names else "it is empty"
        raise CheckpointError(f"{path} is a ZIP archive, but not a torch checkpoint: {first}. {EXPECTED}")
    if any(name.endswith("/constants.pkl") for name in names):
        raise CheckpointError(
            f"{path} is a TorchScript archive, that is a program with its weights. {EXPECTED} "
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
            f"in all. {complete_size_hint(path)}Get the file again."
        )


def complete_size_hint(path: Path) -> str:
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
