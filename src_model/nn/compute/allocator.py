"""What the process does with memory that tensors give back."""

from __future__ import annotations

import ctypes
import sys
from functools import lru_cache

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
"""Numbers of glibc's ``mallopt`` parameters (malloc.h)."""
_LARGEST_FROM_HEAP = 32 * 2**20
"""The most that glibc accepts: larger blocks are asked of the system one by one."""


@lru_cache(maxsize=1)
def keep_freed_memory(limit: int = 256 * 2**20) -> bool:
    """Let the process keep some freed memory for the next tensors instead of returning it to the system at once.

    By default glibc gives large blocks back and asks for them again in the next layer, and the system clears every page
    of them anew; on CPU that can take a fifth of the time of an image. It is a setting of the whole process.

    Parameters
    ----------
    limit
        Bytes at the end of the heap that may stay unused.

    Returns
    -------
    bool
        Whether it was possible: on Linux with glibc alone.
    """
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    return bool(mallopt(_TRIM_THRESHOLD, limit)) and bool(mallopt(_MMAP_THRESHOLD, _LARGEST_FROM_HEAP))
