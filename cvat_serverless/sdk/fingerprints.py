"""Short texts by which shapes and tracks are recognised, and which tell whether somebody changed them.

CVAT keeps the id of what is changed, so ids say nothing about changes: content does.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def text_hash(text: str) -> str:
    """Return 16 hexadecimal digits that stand for a text."""
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def geometry_key(frame: int, kind: str, points: Iterable[float], *, outside: bool) -> str:
    """Return what a shape or keyframe is recognised by if only its place counts: frame, type and rounded points."""
    rounded = ",".join(f"{point:.1f}" for point in points)
    return f"{frame}:{kind}:{int(outside)}:{text_hash(rounded)}"


def geometry_key_of(raw: Mapping[str, Any]) -> str:
    """Return the :func:`geometry_key` of a shape or keyframe as CVAT writes it."""
    return geometry_key(raw["frame"], raw["type"], raw["points"], outside=bool(raw.get("outside")))


def shape_key_of(raw: Mapping[str, Any]) -> str:
    """Return what a shape or keyframe is recognised by with all that a person can change about it."""
    attributes = [[value["spec_id"], value["value"]] for value in raw.get("attributes") or ()]
    rest = [bool(raw.get("occluded")), raw.get("z_order") or 0, raw.get("rotation") or 0.0, sorted(attributes)]
    return f"{geometry_key_of(raw)}:{text_hash(json.dumps(rest))}"


def content_of(raw: Mapping[str, Any]) -> str:
    """Return what a shape or track is compared by: all of it but the ids that CVAT gives."""
    return text_hash(json.dumps(without_ids(raw), sort_keys=True))


def without_ids(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Return a shape or track without the ids that CVAT gives, to be written anew."""
    clean = {name: value for name, value in raw.items() if name != "id"}
    for inner in ("shapes", "elements"):
        if inner in clean:
            clean[inner] = [without_ids(each) for each in clean[inner]]
    return clean
