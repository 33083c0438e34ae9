"""Files and folders that appear under their names only when they are complete."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import typer

_ZARR_MARKERS = ("zarr.json", ".zarray", ".zgroup")


@contextmanager
def complete_file(path: Path) -> Iterator[Path]:
    """Give a name to write to, and rename it to ``path`` afterwards; after an error nothing is left.

    What is written may be a file or a folder.
    """
    part = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.part")
    try:
        yield part
        if path.is_dir():
            _replace_folder(part, path)
        else:
            os.replace(part, path)
    finally:
        _remove(part)


def check_writable(path: Path, option: str) -> None:
    """Find out before hours of work whether a file can be written.

    Raises
    ------
    typer.BadParameter
        If there is no such folder, it cannot be written to, or a folder that is no zarr store is in the way.
    """
    folder = path.absolute().parent
    if not folder.is_dir():
        raise typer.BadParameter(f"'{path}': there is no folder '{folder}'; make it first", param_hint=option)
    if not os.access(folder, os.W_OK):
        raise typer.BadParameter(f"'{path}': you may not write to the folder '{folder}'", param_hint=option)
    if path.is_dir() and not any((path / marker).is_file() for marker in _ZARR_MARKERS):
        raise typer.BadParameter(f"'{path}' is a folder and no zarr store; choose another name", param_hint=option)


def _replace_folder(part: Path, path: Path) -> None:
    """Put a new folder in the place of an old one, which is deleted last."""
    old = part.with_suffix(".old")
    os.replace(path, old)
    try:
        os.replace(part, path)
    except OSError:
        os.replace(old, path)
        raise
    _remove(old)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
