"""Short names by which things are recognised again."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def hash_of(text: str) -> str:
    """Return a short name for a text."""
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def mark_of(frame: int, kind: str, points: Iterable[float], *, outside: bool) -> str:
    """Return what a keyframe or shape is recognised by after it was in CVAT, where its number changes."""
    rounded = ",".join(f"{point:.1f}" for point in points)
    return f"{frame}:{kind}:{int(outside)}:{hash_of(rounded)}"
