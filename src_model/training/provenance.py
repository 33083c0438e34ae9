"""Versions and data of a training, so that it can be told apart and repeated."""

from __future__ import annotations

import hashlib
import os
import platform
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from src_model import __version__
from src_model.evaluation.report.document import package_versions

if TYPE_CHECKING:
    from collections.abc import Iterator

_PACKAGES = ("torch", "numpy", "scipy", "lightning-fabric", "opencv-python-headless")
_MOST_BYTES = 8 * 2**30


@dataclass(frozen=True, slots=True)
class DataFingerprint:
    """A digest of the files of a folder, or of one file.

    Attributes
    ----------
    name
        Name of the folder, without where it lies.
    files, size
        Number of files, and their bytes in all.
    sha256
        64 hexadecimal digits, over names and contents in the order of names; over names and sizes only where
        ``complete`` is False, as for folders too large to be read for this.
    """

    name: str
    files: int
    size: int
    sha256: str
    complete: bool


def fingerprint(path: Path, *, most_bytes: int = _MOST_BYTES) -> DataFingerprint:
    """Compute the digest of a folder or a file; hidden files do not count, linked folders do."""
    files = [path] if path.is_file() else sorted(_files_in(path))
    sizes = [file.stat().st_size for file in files]
    complete = sum(sizes) <= most_bytes
    digest = hashlib.sha256()
    for file, size in zip(files, sizes, strict=True):
        name = file.name if file == path else file.relative_to(path).as_posix()
        digest.update(f"{name}\0{size}\0".encode())
        if complete:
            with file.open("rb") as stream:
                digest.update(hashlib.file_digest(stream, "sha256").digest())
    return DataFingerprint(path.resolve().name, len(files), sum(sizes), digest.hexdigest(), complete)


def _files_in(folder: Path) -> Iterator[Path]:
    # Data is often put together from links, which Path.rglob does not follow.
    for place, _, names in os.walk(folder, followlinks=True):
        yield from (Path(place, name) for name in names if name[0] != ".")


def versions() -> dict[str, str]:
    """Versions of what computes, by name."""
    own = {"sam2v": __version__, "Python": platform.python_version()}
    return own | package_versions(_PACKAGES)
