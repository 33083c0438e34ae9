"""Whether something may be written where a user says. Nothing that sam2v did not write is replaced without being asked.

What is there and carries our mark (see :mod:`~src_model.formats.marks`) is replaced; another file only with ``force``;
a folder that is neither ours nor empty never. Nothing is ever written onto, into or around what is being read.
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

import tifffile

from src_model.errors import FormatError
from src_model.formats.marks import entries_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

_ZARR_METADATA: Final = ("zarr.json", ".zgroup", ".zarray", ".zattrs")
_COMPANION_BYTES: Final = 2**26
"""Bytes of a metadata file beside an OME-TIFF; a larger one is not read into memory to find names in it."""


def check_target(
    path: Path,
    is_ours: Callable[[Path], bool],
    *,
    folder: bool = False,
    sources: Collection[Path] = (),
    force: bool = False,
) -> None:
    """Find out whether a file or folder may be written; to be asked before any long work.

    Parameters
    ----------
    path
        Where it goes; a link stands for what it leads to.
    is_ours
        Tells whether what is there was written by sam2v, in the same format.
    folder
        Whether a folder is written.
    sources
        Movies, documents and other files in use: never written onto, nor into, nor around, not even by force.
    force
        Replace a file of other origin.

    Raises
    ------
    FormatError
        If it may not be written there, or cannot be.
    """
    check_apart(path, sources)
    parent = path.absolute().parent
    if not parent.is_dir():
        raise FormatError(f"'{path}' cannot be written: there is no folder '{parent}'; make it first")
    target = path.resolve()
    if not os.access(target.parent, os.W_OK):
        raise FormatError(f"'{path}' cannot be written: you may not write to the folder '{target.parent}'")
    if not target.exists():
        return
    if target.is_dir():
        _check_folder(path, is_ours, folder=folder, sources=sources)
    elif folder:
        raise FormatError(f"'{path}' is a file, and a folder would be written: choose another name")
    elif not target.is_file():
        raise FormatError(f"'{path}' is neither a file nor a folder: choose another name")
    elif not force and not is_ours(target):
        raise FormatError(
            f"'{path}' is there already, and sam2v did not write it as such: choose another name, or replace it with "
            "force=True"
        )


def files_of_movie(path: Path) -> tuple[Path, ...]:
    """Return what a movie consists of: itself, the zarr store around it, the other files of an OME-TIFF."""
    files = [path]
    files += [parent for parent in path.absolute().parents if any((parent / name).is_file() for name in _ZARR_METADATA)]
    if path.is_file() and path.suffix.lower() in (".tif", ".tiff"):
        files += _companions(path)
    return tuple(files)


def _check_folder(path: Path, is_ours: Callable[[Path], bool], *, folder: bool, sources: Collection[Path]) -> None:
    if not folder:
        raise FormatError(f"'{path}' is a folder, and a file would be written: choose another name")
    for source in sources:
        if source.exists() and _lies_in(source, path):
            raise FormatError(
                f"'{path}' has '{source}' in it, which is in use here, and would be replaced: choose another name"
            )
    entries = entries_of(path)
    if any(here.samefile(path) for here in (Path.cwd(), *Path.cwd().parents)):
        raise FormatError(f"'{path}' is the folder you are in, and would be replaced: choose another name")
    if entries and not is_ours(path):
        raise FormatError(
            f"'{path}' is a folder with '{entries[0].name}' in it and is not, or not only, what sam2v wrote there: "
            "choose another name, or remove the folder yourself"
        )


def check_apart(path: Path, sources: Iterable[Path]) -> None:
    """Find out whether a place is apart from files that are in use.

    Raises
    ------
    FormatError
        If it is one of them or lies in one.
    """
    apart = "nothing is ever written there; choose another name"
    for source in sources:
        if not source.exists():
            continue
        if path.exists() and path.samefile(source):
            named = "" if str(path) == str(source) else f" as '{source}'"
            raise FormatError(f"'{path}' is in use here{named}: {apart}")
        if source.is_dir() and _lies_in(path, source):
            raise FormatError(f"'{path}' lies in '{source}', which is in use here: {apart}")


def _lies_in(inner: Path, outer: Path) -> bool:
    place = inner.absolute().parent.resolve()  # which is elsewhere than what it leads to, where it is a link
    return any(_is_same(folder, outer) for folder in (place, *place.parents, *inner.resolve().parents))


def _is_same(one: Path, other: Path) -> bool:
    with suppress(OSError):  # a folder that may not be looked at
        return one.samefile(other)
    return False


def _companions(path: Path) -> Iterator[Path]:
    """Find the files that the metadata of an OME-TIFF names."""
    try:
        with tifffile.TiffFile(path) as tiff:
            described = tiff.ome_metadata or ""
    except (tifffile.TiffFileError, OSError, ValueError, IndexError):
        return
    for name in re.findall(r'MetadataFile="([^"]+)"', described):
        companion = path.parent / name
        if companion.is_file() and companion.stat().st_size <= _COMPANION_BYTES:
            yield companion
            described += companion.read_text(encoding="utf-8", errors="replace")
    for name in dict.fromkeys(re.findall(r'FileName="([^"]+)"', described)):
        yield path.parent / name
