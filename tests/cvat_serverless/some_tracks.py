"""Tracks made up for the stores."""

from __future__ import annotations

import torch

from cvat_serverless.coarse_mask import CoarseMask
from cvat_serverless.shapes import Shape
from cvat_serverless.stored_track import Sighting, StoredTrack
from src_model.memory.entry import MemoryEntry
from src_model.memory.stored import StoredMemory


def entry(value: float, numbers: int = 100) -> MemoryEntry:
    value = float(value)
    return MemoryEntry(
        None, torch.full((1, 1), value), torch.full((1, 8), value), torch.full((1, numbers, 1, 1), value)
    )


def track(name: str = "A" * 16, step: int = 0, numbers: int = 100, place: float = 5.0) -> StoredTrack:
    shape = Shape("rectangle", (place, 10.0, place + 20, 30.0))
    sightings = tuple(Sighting(f"image {number}", shape.box, shape.fingerprint) for number in range(step + 1))
    recent = {number: entry(number, numbers) for number in range(1, step + 1)}
    mask = CoarseMask.of(shape.place((40, 52)))
    return StoredTrack(name, step, (40, 52), shape, StoredMemory({0: entry(0.5, numbers)}, recent), sightings, mask)


def same(first: StoredTrack, second: StoredTrack) -> bool:
    """Whether two tracks are equal, tensors included."""

    def plain(item: StoredTrack) -> object:
        groups = [
            {step: [tensor.tolist() for tensor in e.tensors]}
            for group in (item.memory.conditioning, item.memory.recent)
            for step, e in group.items()
        ]
        return item.track_id, item.step, item.image, item.shape, item.sightings, item.mask, groups

    return plain(first) == plain(second)
