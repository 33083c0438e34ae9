"""A tracked object between two requests: its memory, its last shape, and where it was seen.

A stored track is a value. Going on from it makes another one, so a request that fails changes nothing, and going back
to an earlier frame costs nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from cvat_serverless.shapes import box_pixels
from src_model.masks import Masklet
from src_model.memory.stored import StoredMemory
from src_model.tracking.tracked_object import TrackedObject

if TYPE_CHECKING:
    from cvat_serverless.coarse_mask import CoarseMask
    from cvat_serverless.shapes import Shape, ShapeType
    from src_model.masks import Rle
    from src_model.prompts import PromptBox
    from src_model.tracking.settings import TrackingSettings

_MOTION_FRAMES = 2
"""A window is placed by the motion between the last two frames, so that only these need to count as tracked."""
_SIGHTINGS_KEPT = 256
"""CVAT's users step back some frames to correct an object, seldom more. A sighting takes about 256 bytes."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """The shape of an object on one frame, as CVAT gave it or was given it.

    Attributes
    ----------
    image
        Hash of the frame's image.
    box
        ``(y0, x0, y1, x1)`` around the shape, in pixels.
    fingerprint
        :attr:`~cvat_serverless.shapes.Shape.fingerprint` of the shape.
    """

    image: str
    box: PromptBox
    fingerprint: str


@dataclass(frozen=True, slots=True)
class TrackPosition:
    """Where a stored track was in an image: a shape drawn there may be a correction of it.

    Attributes
    ----------
    track_id
        Name of the track.
    step
        Number of the track's frame, from 0.
    kind
        Type of its shapes.
    box, fingerprint
        As in :class:`Sighting`.
    """

    track_id: str
    step: int
    kind: ShapeType
    box: PromptBox
    fingerprint: str


@dataclass(frozen=True, slots=True)
class StoredTrack:
    """A tracked object up to one frame.

    Attributes
    ----------
    track_id
        Its name in the store.
    step
        Number of its last frame; 0 is the frame that it was drawn on.
    image
        ``(Y, X)`` of the frames, in pixels.
    shape
        Its last shape; if the object is lost, the last one it had.
    memory
        What the network remembers of it.
    sightings
        Its shapes on the last frames, the newest last.
    mask
        Its last mask; None if it never had one.
    """

    track_id: str
    step: int
    image: tuple[int, int]
    shape: Shape
    memory: StoredMemory
    sightings: tuple[Sighting, ...]
    mask: CoarseMask | None = None

    @property
    def nbytes(self) -> int:
        """Bytes that its tensors and sightings take, those that other tracks share included."""
        tensors = sum(entry.nbytes + 512 for entry in self.memory.entries)
        return tensors + 256 * len(self.sightings) + 40 * len(self.shape.points)

    def sighting(self, step: int) -> Sighting | None:
        """Return the shape of a step; None if that is too long ago or yet to come."""
        index = step - self.step - 1
        return self.sightings[index] if -len(self.sightings) <= index < 0 else None

    def positions_in(self, image: str) -> list[TrackPosition]:
        """List where it was in an image (a hash), the latest step first."""
        newest_first = enumerate(reversed(self.sightings))
        return [
            TrackPosition(self.track_id, self.step - age, self.shape.type, sighting.box, sighting.fingerprint)
            for age, sighting in newest_first
            if sighting.image == image
        ]

    def restored(self, object_id: int, frame: int, settings: TrackingSettings, *, last: int) -> TrackedObject:
        """Make an object that can be tracked or corrected on the next frame.

        Parameters
        ----------
        object_id
            Number of the object in the request, from 1.
        frame
            Number that the image of the request has; the step ``last`` gets the number before.
        settings
            Tracking settings, with the policy of the memory bank.
        last
            The step to go on from, as if later ones had never been.
        """
        offset = frame - last - 1
        bank = self.memory.bank(settings.memory_policy, last=last, offset=offset)
        masklet = Masklet(object_id, self.image)
        held = sorted({*bank.conditioning, *bank.recent})
        for number in held:
            masklet.set(number, self._approximate_mask(number - offset))
        tracked_forwards = {number: False for number in held if number >= frame - _MOTION_FRAMES}
        return TrackedObject(object_id, bank, masklet, directions=tracked_forwards)

    def _approximate_mask(self, step: int) -> Rle:
        """Return about where it was, for placing windows: the box of its shape, or the window it was tracked in."""
        sighting = self.sighting(step)
        if sighting is not None:
            return box_pixels(sighting.box, self.image)
        entry = self.memory.conditioning.get(step) or self.memory.recent[step]
        return box_pixels((0, 0, *self.image) if entry.window is None else entry.window.box, self.image)

    def continued(self, item: TrackedObject, frame: int, shape: Shape, sighting: Sighting, *, last: int) -> StoredTrack:
        """Return what the object became on ``frame``, one step after ``last``; parameters as in :meth:`restored`."""
        earlier = tuple(
            s for step in range(self.step - len(self.sightings) + 1, last + 1) if (s := self.sighting(step))
        )
        return replace(
            self,
            step=last + 1,
            shape=shape,
            memory=StoredMemory.of(item.bank, frame, last + 1),
            sightings=(*earlier, sighting)[-_SIGHTINGS_KEPT:],
        )
