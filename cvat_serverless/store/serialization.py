"""Tracks as bytes: a JSON header and safetensors, whose reader checks every size and runs no code."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, ConfigDict, Field
from safetensors.torch import load, save

from cvat_serverless.coarse_mask import CoarseMask
from cvat_serverless.shapes import Shape, ShapeType
from cvat_serverless.stored_track import Sighting, StoredTrack
from src_model.masks.window import Window
from src_model.memory.entry import MemoryEntry
from src_model.memory.stored import StoredMemory
from src_model.memory.target_model import TargetSamples

if TYPE_CHECKING:
    from collections.abc import Mapping

    import torch
    from torch import Tensor

_PARTS = {"object_logits": 2, "pointer": 2, "memory": 4, "features": 3, "values": 2, "weights": 2}
"""Tensors of a frame, the samples of the target model among them, and how many axes each has."""
_SAMPLES = ("features", "values", "weights")


class _Window(BaseModel):
    model_config = ConfigDict(extra="forbid")

    box: tuple[int, int, int, int]
    size: int


class _Step(BaseModel):
    """A frame whose memory is kept, and the window it was made in; None: the whole image."""

    model_config = ConfigDict(extra="forbid")

    step: int
    window: _Window | None


class _Header(BaseModel):
    model_config = ConfigDict(extra="forbid")

    track_id: str
    step: int
    image: tuple[int, int]
    kind: ShapeType
    points: tuple[float, ...]
    sightings: Annotated[tuple[tuple[str, tuple[float, float, float, float], str], ...], Field(min_length=1)]
    conditioning: Annotated[tuple[_Step, ...], Field(min_length=1)]
    recent: tuple[_Step, ...]
    mask: tuple[list[int], str] | None


def pack_track(track: StoredTrack) -> bytes:
    """Write a track."""
    header = _Header(
        track_id=track.track_id,
        step=track.step,
        image=track.image,
        kind=track.shape.type,
        points=track.shape.points,
        sightings=tuple((s.image, s.box, s.fingerprint) for s in track.sightings),
        conditioning=_steps(track.memory.conditioning),
        recent=_steps(track.memory.recent),
        mask=None if track.mask is None else track.mask.to_json(),
    )
    tensors: dict[str, Tensor] = {}
    for group, entries in (("conditioning", track.memory.conditioning), ("recent", track.memory.recent)):
        for step, entry in entries.items():
            samples = (None,) * 3 if entry.samples is None else entry.samples.tensors
            named = zip(_PARTS, (entry.object_logits, entry.pointer, entry.memory, *samples), strict=True)
            tensors |= {f"{group}.{step}.{part}": x.contiguous().cpu() for part, x in named if x is not None}
    text = header.model_dump_json().encode()
    return len(text).to_bytes(4, "big") + text + save(tensors)


def unpack_track(data: bytes, device: torch.device) -> StoredTrack:
    """Read a track that :func:`pack_track` wrote.

    Raises
    ------
    ValueError
        If the bytes are something else.
    """
    try:
        return _unpacked(data, device)
    except Exception as error:  # safetensors has an error class of its own, KeyError is a missing tensor
        raise ValueError(f"these bytes are no track: {error}") from error


def _unpacked(data: bytes, device: torch.device) -> StoredTrack:
    length = int.from_bytes(data[:4], "big")
    header = _Header.model_validate(json.loads(data[4 : 4 + length]))
    tensors = {name: tensor.to(device) for name, tensor in load(data[4 + length :]).items()}
    conditioning, recent = (
        {each.step: _entry(tensors, f"{group}.{each.step}", each.window) for each in steps}
        for group, steps in (("conditioning", header.conditioning), ("recent", header.recent))
    )
    sightings = tuple(Sighting(*row) for row in header.sightings)
    shape = Shape(header.kind, header.points)
    mask = None if header.mask is None else CoarseMask.from_json(*header.mask, header.image)
    memory = StoredMemory(conditioning, recent)
    return StoredTrack(header.track_id, header.step, header.image, shape, memory, sightings, mask)


def _steps(entries: Mapping[int, MemoryEntry]) -> tuple[_Step, ...]:
    windows = {step: entry.window for step, entry in entries.items()}
    return tuple(
        _Step(step=step, window=None if window is None else _Window(box=window.box, size=window.size))
        for step, window in windows.items()
    )


def _entry(tensors: dict[str, Tensor], name: str, window: _Window | None) -> MemoryEntry:
    given = {part: tensors[f"{name}.{part}"] for part in _PARTS if f"{name}.{part}" in tensors}
    if any(tensor.dim() != _PARTS[part] or len(tensor) != 1 for part, tensor in given.items()):
        raise ValueError(f"the tensors {name} have the shapes {[tuple(tensor.shape) for tensor in given.values()]}")
    place = None if window is None else Window(window.box, window.size)
    samples = TargetSamples(*(given[part] for part in _SAMPLES)) if _SAMPLES[0] in given else None
    if samples is not None and not samples.is_whole:
        raise ValueError(f"the samples {name} have the shapes {[tuple(tensor.shape) for tensor in samples.tensors]}")
    entry = MemoryEntry(None, given["object_logits"], given["pointer"], given.get("memory"), place)
    entry.samples = samples
    return entry
