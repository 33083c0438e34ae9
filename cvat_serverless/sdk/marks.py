"""Short names by which things are recognised again, and what tells whether somebody changed them.

CVAT keeps the number of what is changed, so that numbers say nothing about changes: content does.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def hash_of(text: str) -> str:
    """Return a short name for a text."""
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def mark_of(frame: int, kind: str, points: Iterable[float], *, outside: bool) -> str:
    """Return what the place of a keyframe or shape is recognised by, whatever else is said about it."""
    rounded = ",".join(f"{point:.1f}" for point in points)
    return f"{frame}:{kind}:{int(outside)}:{hash_of(rounded)}"


def place_mark(raw: Mapping[str, Any]) -> str:
    """Return :func:`mark_of` a shape or keyframe as CVAT writes it."""
    return mark_of(raw["frame"], raw["type"], raw["points"], outside=bool(raw.get("outside")))


def look_mark(raw: Mapping[str, Any]) -> str:
    """Return what a keyframe or shape is recognised by with all that a person can change about it."""
    told = [[value["spec_id"], value["value"]] for value in raw.get("attributes") or ()]
    rest = [bool(raw.get("occluded")), raw.get("z_order") or 0, raw.get("rotation") or 0.0, sorted(told)]
    return f"{place_mark(raw)}:{hash_of(json.dumps(rest))}"


def content_of(raw: Mapping[str, Any]) -> str:
    """Return what a shape or track is compared by: all of it but the numbers that CVAT gives."""
    return hash_of(json.dumps(without_ids(raw), sort_keys=True))


def without_ids(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Return a shape or track without the numbers that CVAT gives, to be written anew."""
    clean = {name: value for name, value in raw.items() if name != "id"}
    for inner in ("shapes", "elements"):
        if inner in clean:
            clean[inner] = [without_ids(each) for each in clean[inner]]
    return clean
