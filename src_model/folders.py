"""Where things are kept that can be computed again."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs


def cache_folder(name: str) -> Path:
    """Return a folder of that name in the one that ``SAM2V_CACHE`` names, or in the user's own for caches."""
    cache = os.environ.get("SAM2V_CACHE") or platformdirs.user_cache_dir("sam2v", appauthor=False)
    return Path(cache).expanduser() / name
