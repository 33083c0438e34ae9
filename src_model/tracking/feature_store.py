"""Image features on disk, for later passes, corrections, and the sessions of another day.

Each movie has a zarr array (format 3) with one chunk a frame, each an uncompressed record that names what it was made
from. Chunks are written here rather than through the package zarr, because a frame must be there as a whole or not at
all, and a damaged one must not be taken for features. The folder of all movies has a size budget: the records that were
not used longest are deleted, and nothing else is ever touched.
"""

from __future__ import annotations

import json
import logging
import os
import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from src_model.errors import FeatureStoreError
from src_model.files import replacing

if TYPE_CHECKING:
    from src_model.nn import ImageFeatures
    from src_model.tracking.feature_identity import FeatureIdentity
    from src_model.tracking.feature_layout import FeatureLayout

DEFAULT_STORE_BYTES = 20 * 2**30

_MOVIE = re.compile(r"[0-9a-f]{32}\.zarr")
_RECORD = re.compile(r"c\.[0-9]+\.0")
_PART = re.compile(r"\.c\.[0-9]+\.0\.[0-9a-f]{8}\.part")
_ABANDONED_SECONDS = 3600.0
_SHARE_KEPT = 0.9
"""How much of the budget is left full when something has to go, so that it does not have to for each frame."""
_UNSEEN_SHARE = 0.05
"""After so much of the budget was written the folder is looked through again: other sessions write to it too."""
_MOST_FRAMES = 2**31
"""Length of the arrays: a movie may grow, and chunks that are not there take no space."""
_WAITING_BYTES = 2**28
"""Features that wait for the disk; where it is slower than the tracker, some frames are not kept."""

_log = logging.getLogger(__name__)


class FeatureStore:
    """The features of one movie, made by one network in one way.

    Several sessions may use it at once. Whatever cannot be read, or is not what it should be, counts as not there.

    Parameters
    ----------
    folder
        Where the features of all movies are.
    identity
        What these features depend on.
    layout
        Their shapes and type.

    Attributes
    ----------
    hits, misses
        How often a frame was there, and was not.
    """

    def __init__(self, folder: FeatureFolder, identity: FeatureIdentity, layout: FeatureLayout) -> None:
        self.hits = 0
        self.misses = 0
        self.path: Path = folder.path / f"{identity.digest}.zarr"
        self._folder = folder
        self._identity = identity
        self._layout = layout
        self._writer = ThreadPoolExecutor(1, "sam2v features")
        self._waiting = 0
        self._lock = threading.Lock()
        self._is_broken = False

    def load(self, frame: int, checksum: int) -> ImageFeatures | None:
        """Return the features of a frame whose pixels have this checksum, on the CPU; None if they are not there."""
        path = self._record(frame)
        features = None
        with suppress(OSError), path.open("rb") as file:
            if os.fstat(file.fileno()).st_size == self._layout.record_bytes:
                record = torch.empty(self._layout.record_bytes, dtype=torch.uint8)
                file.readinto(record.numpy().data)
                features = self._layout.unpack(record, self._identity.digest, checksum)
        if features is None:
            self.misses += 1
            return None
        self.hits += 1
        with suppress(OSError):
            os.utime(path)  # so that it is not among the first to be deleted
        return features

    def save(self, frame: int, checksum: int, features: ImageFeatures) -> None:
        """Keep the features of a frame; they are written in the background and must not be changed."""
        size = self._layout.record_bytes
        with self._lock:
            if self._is_broken or self._waiting + size > max(_WAITING_BYTES, size):
                return
            self._waiting += size
        self._writer.submit(self._write, frame, checksum, features)

    def flush(self) -> None:
        """Wait until everything is written."""
        self._writer.submit(lambda: None).result()

    def _record(self, frame: int) -> Path:
        return self.path / f"c.{frame}.0"

    def _write(self, frame: int, checksum: int, features: ImageFeatures) -> None:
        try:
            parts = self._layout.pack(features, self._identity.digest, checksum)
            if parts is not None and not self._is_broken and self._folder.make_room(self._layout.record_bytes):
                self._describe()
                with replacing(self._record(frame), durable=False) as part, part.open("wb") as file:
                    file.writelines(parts)
        except OSError as error:
            self._is_broken = True
            _log.warning("no more image features are kept in '%s': %s", self.path, error)
        finally:
            with self._lock:
                self._waiting -= self._layout.record_bytes

    def _describe(self) -> None:
        """Write the array's metadata, which make it readable for others; nothing here depends on them."""
        path = self.path / "zarr.json"
        if not path.is_file():
            self.path.mkdir(exist_ok=True)
            with replacing(path, durable=False) as part:
                part.write_text(json.dumps(self._metadata(), indent=1), encoding="utf-8")

    def _metadata(self) -> dict[str, object]:
        size = self._layout.record_bytes
        maps = dict(zip(("embedding", "stride_4", "stride_8"), self._layout.stored_shapes, strict=True))
        return {
            "zarr_format": 3,
            "node_type": "array",
            "shape": [_MOST_FRAMES, size],
            "data_type": "uint8",
            "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [1, size]}},
            "chunk_key_encoding": {"name": "default", "configuration": {"separator": "."}},
            "fill_value": 0,
            "codecs": [{"name": "bytes"}],
            "dimension_names": ["frame", "byte"],
            "attributes": {
                "sam2v": {
                    "content": "image features, one record a frame: a header of 64 bytes, then the maps",
                    "maps": maps,
                    "dtype": str(self._layout.dtype).removeprefix("torch."),
                    "made_from": self._identity.to_dict(),
                }
            },
        }


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
