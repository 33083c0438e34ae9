"""How a session keeps image features, and whether it reads ahead."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from src_model.tracking.feature_store import DEFAULT_STORE_BYTES

if TYPE_CHECKING:
    from pathlib import Path

DEFAULT_CACHE_BYTES = 512 * 2**20


@dataclass(frozen=True, slots=True)
class FeatureOptions:
    """Choices that change how fast a session is, and never what it computes.

    Attributes
    ----------
    cache_bytes
        Memory for features that are kept for corrections and later passes.
    cache_dir
        Folder in which features are kept for later sessions too. None: nowhere.
    cache_dir_bytes
        Size of that folder at most; what was not used longest goes first.
    read_ahead
        Whether propagation reads and prepares the frames to come in a background thread. None: for movies that may be
        read from several threads, as all those that are opened by path or from an array.
    """

    cache_bytes: int = DEFAULT_CACHE_BYTES
    cache_dir: Path | None = None
    cache_dir_bytes: int = DEFAULT_STORE_BYTES
    read_ahead: bool | None = None
