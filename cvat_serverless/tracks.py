"""An object's memory apart from any movie: what is kept of it between two requests.

A track is a value. Going on from it makes another one, which shares the tensors of all frames but the newest, so a
request that fails changes nothing, and going back to an earlier frame costs nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from cvat_serverless.shapes import box_pixels
from src_model.masks import Masklet
from src_model.memory.bank import MemoryBank
from src_model.memory.retention import Retention
from src_model.tracking.tracked_object import TrackedObject

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cvat_serverless.shapes import Shape, ShapeType
    from cvat_serverless.silhouette import Silhouette
    from src_model.masks import Rle
    from src_model.memory.entry import MemoryEntry
    from src_model.tracking.prompts import Box
    from src_model.tracking.settings import TrackingSettings

_RETENTION = Retention(span=14, memories=10, conditioning=6, for_corrections=False)
"""Six recent spatial memories are attended to; the others are for going back, as no earlier image is at hand from which
they could be made again. Corrections start from the shape that CVAT sends."""
_MOTION_FRAMES = 2
"""Frames from which the motion of an object is told."""
_SIGHTINGS_KEPT = 256


@dataclass(frozen=True, slots=True)
class Sighting:
    """What was said of an object on one frame.

    Attributes
    ----------
    image
        Hash of the frame.
    box
        Around the shape that CVAT gave or was given.
    mark
        What the shape is recognised by.
    """

    image: str
    box: Box
    mark: str


@dataclass(frozen=True, slots=True)
class TrackPosition:
    """A place where a kept track was, for recognising a correction.

    Attributes
    ----------
    track_id, step
        Which track, on which of its frames.
    kind
        Type of its shapes.
    box, mark
        As in :class:`Sighting`.
    """

    track_id: str
    step: int
    kind: ShapeType
    box: Box
    mark: str


@dataclass(frozen=True, slots=True)
class StoredTrack:
    """An object up to one frame.

    Attributes
    ----------
    track_id
        Its name.
    step
        Number of its last frame; 0 is the one it was drawn on.
    image
        ``(Y, X)`` of the frames.
    shape
        Its last shape; of a lost object the last one it had.
    conditioning
        Memories of frames it was drawn or corrected on, by step.
    recent
        Memories of the last tracked frames, by step.
    sightings
        What was said on the last frames, the newest last.
    silhouette
        Its last mask; None if there never was one.
    """

    track_id: str
    step: int
    image: tuple[int, int]
    shape: Shape
    conditioning: Mapping[int, MemoryEntry]
    recent: Mapping[int, MemoryEntry]
    sightings: tuple[Sighting, ...]
    silhouette: Silhouette | None = None

    @property
    def nbytes(self) -> int:
        """Memory that its tensors and sightings take, those shared with other tracks included."""
        entries = (*self.conditioning.values(), *self.recent.values())
        return sum(entry.nbytes + 512 for entry in entries) + 256 * len(self.sightings) + 40 * len(self.shape.points)

    def sighting(self, step: int) -> Sighting | None:
        """Return what was said on a frame; None if that is too long ago or yet to come."""
        index = step - self.step - 1
        return self.sightings[index] if -len(self.sightings) <= index < 0 else None

    def seen_in(self, image: str) -> list[TrackPosition]:
        """List where it was in an image, the latest step first."""
        newest_first = enumerate(reversed(self.sightings))
        return [
            TrackPosition(self.track_id, self.step - age, self.shape.type, sighting.box, sighting.mark)
            for age, sighting in newest_first
            if sighting.image == image
        ]

    def renamed(self, track_id: str) -> StoredTrack:
        """Return it under another name."""
        return replace(self, track_id=track_id)

    def awake(self, object_id: int, now: int, settings: TrackingSettings, *, last: int | None = None) -> TrackedObject:
        """Make an object of it that can be tracked or corrected on frame ``now``.

        Parameters
        ----------
        object_id
            Its number among the objects of the request.
        now
            Number that the frame of the request has there.
        settings
            Of the memory bank.
        last
            The step to go on from, as if later ones had never been; its last one if left out.
        """
        last = self.step if last is None else last
        offset = now - last - 1
        bank = new_bank(settings)
        bank.conditioning |= {step + offset: entry for step, entry in self.conditioning.items() if step <= last}
        bank.recent |= {step + offset: entry for step, entry in self.recent.items() if step <= last}
        masklet = Masklet(object_id, self.image)
        held = sorted({*bank.conditioning, *bank.recent})
        for frame in held:
            masklet.set(frame, self._place(frame - offset))
        moved = {frame: False for frame in held if frame >= now - _MOTION_FRAMES}
        return TrackedObject(object_id, bank, masklet, directions=moved)

    def _place(self, step: int) -> Rle:
        """Return about where it was, for placing windows: the box of a shape, or the window it was seen in."""
        sighting = self.sighting(step)
        if sighting is not None:
            return box_pixels(sighting.box, self.image)
        entry = self.conditioning.get(step) or self.recent[step]
        return box_pixels((0, 0, *self.image) if entry.window is None else entry.window.box, self.image)

    def followed(self, item: TrackedObject, now: int, shape: Shape, sighting: Sighting, *, last: int) -> StoredTrack:
        """Return what it became: ``item`` after frame ``now``, which is the one after step ``last``."""
        earlier = tuple(
            s for step in range(self.step - len(self.sightings) + 1, last + 1) if (s := self.sighting(step))
        )
        return asleep(item, now, self.track_id, shape, (*earlier, sighting), self.image, step=last + 1)


def new_bank(settings: TrackingSettings) -> MemoryBank:
    """Make an empty memory bank that keeps what requests to come may go on from."""
    return MemoryBank(settings.memory_policy, _RETENTION)


def asleep(
    item: TrackedObject,
    now: int,
    track_id: str,
    shape: Shape,
    sightings: tuple[Sighting, ...],
    image: tuple[int, int],
    *,
    step: int = 0,
) -> StoredTrack:
    """Keep of an object what later frames may need, and count its frames so that ``now`` is ``step``."""
    item.bank.retain(now)
    offset = step - now
    return StoredTrack(
        track_id,
        step,
        image,
        shape,
        {number + offset: _at_rest(e) for number, e in sorted(item.bank.conditioning.items()) if e is not None},
        {number + offset: _at_rest(entry) for number, entry in sorted(item.bank.recent.items())},
        sightings[-_SIGHTINGS_KEPT:],
    )


def _at_rest(entry: MemoryEntry) -> MemoryEntry:
    """Drop the whole frame's memory besides that of a window: it was for another look at the same frame."""
    return entry if entry.overview is None else replace(entry, overview=None)
