"""A folder of image features with a size budget: what was not used longest is deleted, nothing else is ever touched."""

from __future__ import annotations

import os
import re
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from src_model.errors import FeatureStoreError

DEFAULT_STORE_BYTES = 20 * 2**30

_MOVIE = re.compile(r"[0-9a-f]{32}\.zarr")
_RECORD = re.compile(r"c\.[0-9]+\.0")
_PART = re.compile(r"\.c\.[0-9]+\.0\.[0-9a-f]{8}\.part")
_ABANDONED_SECONDS = 3600.0
_SHARE_KEPT = 0.9
"""How much of the budget is left full when something has to go, so that it does not have to for each frame."""
_UNSEEN_SHARE = 0.05
"""After so much of the budget was written the folder is looked through again: other sessions write to it too."""


@dataclass(frozen=True, slots=True)
class _Held:
    path: Path
    size: int
    used: float


class FeatureFolder:
    """Where features of all movies lie, and the care for its size.

    Parameters
    ----------
    path
        Made if it is not there.
    byte_budget
        Bytes of features at most.

    Raises
    ------
    FeatureStoreError
        If there can be no such folder, or the budget makes no sense.
    """

    def __init__(self, path: Path, byte_budget: int = DEFAULT_STORE_BYTES) -> None:
        if byte_budget < 0:
            raise FeatureStoreError(f"a budget of {byte_budget} bytes for image features is none; give 0 or more")
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise FeatureStoreError(
                f"image features cannot be kept in '{path}' ({error}); choose a folder that can be written to"
            ) from error
        self.path = path
        self.byte_budget = byte_budget
        self._seen: int | None = None
        self._written = 0

    def make_room(self, size: int) -> bool:
        """Delete what was not used longest until ``size`` more bytes fit in; False if they never will.

        Raises
        ------
        OSError
            If the folder cannot be read.
        """
        if size > self.byte_budget:
            return False
        self._written += size
        if self._seen is None or self._written > self.byte_budget * _UNSEEN_SHARE:
            self._seen, self._written = self.bytes_used(), size
        if self._seen + self._written > self.byte_budget:
            self._seen, self._written = self._shrink(int(self.byte_budget * _SHARE_KEPT) - size), size
        return True

    def bytes_used(self) -> int:
        """Add up the features that are there."""
        return sum(held.size for held in self._held())

    def _shrink(self, wanted: int) -> int:
        held = sorted(self._held(), key=lambda each: each.used)
        total = sum(each.size for each in held)
        for each in held:
            if total <= max(0, wanted):
                break
            with suppress(OSError):  # another session may have deleted it, or be reading it
                each.path.unlink()
                total -= each.size
        return total

    def _held(self) -> list[_Held]:
        found = []
        with os.scandir(self.path) as movies:
            folders = [entry.path for entry in movies if _MOVIE.fullmatch(entry.name)]
        for folder in folders:
            with suppress(OSError), os.scandir(folder) as entries:
                for entry in entries:
                    if _RECORD.fullmatch(entry.name):
                        found += _stat(entry)
                    elif _PART.fullmatch(entry.name):
                        _remove_abandoned(entry)
        return found


def _stat(entry: os.DirEntry[str]) -> list[_Held]:
    with suppress(OSError):
        status = entry.stat(follow_symlinks=False)
        return [_Held(Path(entry.path), status.st_size, status.st_mtime)]
    return []


def _remove_abandoned(entry: os.DirEntry[str]) -> None:
    """Delete what a process left that ended while it was writing."""
    with suppress(OSError):
        if time.time() - entry.stat(follow_symlinks=False).st_mtime > _ABANDONED_SECONDS:
            os.unlink(entry.path)
