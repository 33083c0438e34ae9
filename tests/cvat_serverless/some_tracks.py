"""Tracks made up for the stores."""

from __future__ import annotations

import torch

from cvat_serverless.shapes import Shape
from cvat_serverless.silhouette import Silhouette
from cvat_serverless.tracks import Sighting, StoredTrack
from src_model.memory.entry import MemoryEntry


def entry(value: float, numbers: int = 100) -> MemoryEntry:
    value = float(value)
    return MemoryEntry(
        None, torch.full((1, 1), value), torch.full((1, 8), value), torch.full((1, numbers, 1, 1), value)
    )


def track(name: str = "A" * 16, step: int = 0, numbers: int = 100, place: float = 5.0) -> StoredTrack:
    shape = Shape("rectangle", (place, 10.0, place + 20, 30.0))
    sightings = tuple(Sighting(f"image {number}", shape.box, shape.mark) for number in range(step + 1))
    recent = {number: entry(number, numbers) for number in range(1, step + 1)}
    silhouette = Silhouette.of(shape.place((40, 52)))
    return StoredTrack(name, step, (40, 52), shape, {0: entry(0.5, numbers)}, recent, sightings, silhouette)


def same(first: StoredTrack, second: StoredTrack) -> bool:
    """Whether two tracks are equal, tensors included."""

    def plain(item: StoredTrack) -> object:
        groups = [
            {step: [None if x is None else x.tolist() for x in (e.object_logits, e.pointer, e.memory)]}
            for group in (item.conditioning, item.recent)
            for step, e in group.items()
        ]
        return item.track_id, item.step, item.image, item.shape, item.sightings, item.silhouette, groups

    return plain(first) == plain(second)
