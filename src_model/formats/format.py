"""What a format is: its name, what it keeps of an annotation, where it may be written."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from src_model.errors import FormatError
from src_model.formats.report import Part

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from src_model.formats.run import ExportRun

ZARR_ENTRIES: Final = re.compile(r"zarr\.json|\.zgroup|\.zattrs|\.zmetadata|[^.].*")
_LITTER: Final = frozenset({".DS_Store", "Thumbs.db", "desktop.ini"})
"""What file managers leave in folders."""
_ZARR_MARKERS: Final = frozenset({"zarr.json", ".zgroup", ".zattrs", ".zarray"})


@dataclass(frozen=True, slots=True)
class Format:
    """A format.

    Attributes
    ----------
    name
        By which it is chosen: ``"ctc"``.
    title
        For people: ``"Cell Tracking Challenge folder"``.
    hint
        What it is good for, in a sentence.
    suffixes
        How a file's name may end; empty for folders, which may be called anything.
    write
        Writes a run to a path where nothing is.
    keeps
        What of an annotation it has a place for.
    folder
        For formats that are folders, what entries they have: an existing folder with others is never replaced.
    extra
        The extra that has to be installed; empty if none.
    package
        The package that this extra brings.
    """

    name: str
    title: str
    hint: str
    suffixes: tuple[str, ...]
    write: Callable[[ExportRun, Path], None]
    keeps: frozenset[Part] = frozenset()
    folder: re.Pattern[str] | None = None
    extra: str = ""
    package: str = ""

    @property
    def loses(self) -> tuple[Part, ...]:
        """What of an annotation it has no place for."""
        return tuple(part for part in Part if part not in self.keeps)

    def check_path(self, path: Path) -> None:
        """Find out whether a file or folder can be written there.

        Raises
        ------
        FormatError
            If its name ends otherwise, its folder is not there or not writable, or something else is in the way.
        """
        if self.suffixes and not path.name.lower().endswith(self.suffixes):
            raise FormatError(f"'{path.name}' has to end in {' or '.join(self.suffixes)} as {self.title}")
        parent = path.absolute().parent
        if not parent.is_dir():
            raise FormatError(f"'{path}' cannot be written: there is no folder '{parent}'; make it first")
        if not os.access(parent, os.W_OK):
            raise FormatError(f"'{path}' cannot be written: you may not write to the folder '{parent}'")
        if path.is_dir():
            foreign = _foreign_entries(path, self.folder)
            if self.folder is None or foreign:
                what = f", with '{foreign[0]}' in it" if foreign else ""
                raise FormatError(f"'{path}' is a folder{what}, and would be replaced: choose another name")
        elif self.folder is not None and path.exists():
            raise FormatError(f"'{path}' is a file, and {self.title} is a folder: choose another name")


def _foreign_entries(folder: Path, expected: re.Pattern[str] | None) -> list[str]:
    """Entries of a folder that an export would not have made."""
    entries = sorted(entry.name for entry in folder.iterdir() if entry.name not in _LITTER)
    if expected is None:
        return []
    if expected is ZARR_ENTRIES and entries and not _ZARR_MARKERS & set(entries):
        return entries
    return [name for name in entries if not expected.fullmatch(name)]
