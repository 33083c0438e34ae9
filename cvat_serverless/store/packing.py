"""Tracks as bytes: safetensors, whose reader checks every size and runs no code."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict
from safetensors.torch import load, save

from cvat_serverless.shapes import Shape, ShapeType
from cvat_serverless.tracks import Sighting, Track
from src_model.tracking.memory_bank import MemoryEntry

if TYPE_CHECKING:
    import torch
    from torch import Tensor

_PARTS = ("logits", "object_logits", "pointer", "memory")


class _Header(BaseModel):
    model_config = ConfigDict(extra="forbid")

    track_id: str
    step: int
    image: tuple[int, int]
    kind: ShapeType
    points: tuple[float, ...]
    sightings: tuple[tuple[str, tuple[float, float, float, float], str], ...]
    conditioning: tuple[int, ...]
    recent: tuple[int, ...]


def pack_track(track: Track) -> bytes:
    """Write a track."""
    header = _Header(
        track_id=track.track_id,
        step=track.step,
        image=track.image,
        kind=track.shape.type,
        points=track.shape.points,
        sightings=tuple((s.image, s.box, s.mark) for s in track.sightings),
        conditioning=tuple(track.conditioning),
        recent=tuple(track.recent),
    )
    tensors: dict[str, Tensor] = {}
    for group, entries in (("conditioning", track.conditioning), ("recent", track.recent)):
        for step, entry in entries.items():
            named = zip(_PARTS, (entry.logits, entry.object_logits, entry.pointer, entry.memory), strict=True)
            tensors |= {f"{group}.{step}.{part}": x.contiguous().cpu() for part, x in named if x is not None}
    text = header.model_dump_json().encode()
    return len(text).to_bytes(4, "big") + text + save(tensors)


def unpack_track(data: bytes, device: torch.device) -> Track:
    """Read a track that :func:`pack_track` wrote.

    Raises
    ------
    ValueError
        If the bytes are something else.
    """
    length = int.from_bytes(data[:4], "big")
    header = _Header.model_validate(json.loads(data[4 : 4 + length]))
    try:
        tensors = {name: tensor.to(device) for name, tensor in load(data[4 + length :]).items()}
        groups = [
            {step: _entry(tensors, f"{group}.{step}") for step in steps}
            for group, steps in (("conditioning", header.conditioning), ("recent", header.recent))
        ]
    except Exception as error:  # safetensors has an error class of its own, KeyError is a missing tensor
        raise ValueError(f"the tensors of track {header.track_id} are damaged: {error}") from error
    sightings = tuple(Sighting(*row) for row in header.sightings)
    return Track(
        header.track_id, header.step, header.image, Shape(header.kind, header.points), groups[0], groups[1], sightings
    )


def _entry(tensors: dict[str, Tensor], name: str) -> MemoryEntry:
    logits, object_logits, pointer = (tensors[f"{name}.{part}"] for part in _PARTS[:3])
    return MemoryEntry(logits, object_logits, pointer, tensors.get(f"{name}.memory"))
