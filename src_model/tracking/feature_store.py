"""Image features on disk, for later passes, corrections, and the sessions of another day.

Each movie has a zarr array (format 3) with one chunk a frame, each an uncompressed record that names what it was made
from. Chunks are written here rather than through the package zarr, because a frame must be there as a whole or not at
all, and a damaged one must not be taken for features.
"""

from __future__ import annotations

import json
import logging
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING

import torch

from src_model.files import replacing

if TYPE_CHECKING:
    from pathlib import Path

    from src_model.nn import ImageFeatures
    from src_model.tracking.feature_folder import FeatureFolder
    from src_model.tracking.feature_identity import FeatureIdentity
    from src_model.tracking.feature_layout import FeatureLayout

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
