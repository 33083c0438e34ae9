"""Whether there is a place to write to."""

from __future__ import annotations

import os
from pathlib import Path

import typer

_ZARR_MARKERS = ("zarr.json", ".zarray", ".zgroup")


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
