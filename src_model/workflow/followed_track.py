"""What is known of one object while a whole movie is tracked: its latest masks, and whether it goes on."""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING

import numpy as np

from src_model.masks import Rle, centroid, mask_iou, moved_iou, pairwise_containment
from src_model.workflow.division_cues import diameter_of, distance_between

if TYPE_CHECKING:
    from src_model.document.snapshot import ObjectSnapshot
    from src_model.workflow.movie_outcome import DoubtReason

_SHRUNK = 0.75
"""Of the median area before; a mask that is smaller, and lies badly on the one before, may be one of two daughters."""

_MOVED = 0.65
"""IoU with the mask before below which an object that shrinks is suspected."""

_CHANGED = 0.7
"""IoU with the mask of three frames before, once that was moved onto it, below which an outline changed at once."""

_LARGE = 0.8
"""Of the masks that are held; the others are smaller than the usual area."""

EDGE = 3
"""Pixels; a mask that comes this near to the edge of the frame may go on beyond it."""


_FRAGMENT = 0.15
"""Of an object's own area before; less is a remnant of it, or a speck."""

_JUMP = 1.5
"""Diameters; what is so far from the mask before, and does not touch it, is another cell."""


@dataclass(slots=True)
class FollowedTrack:
    """One object.

    Attributes
    ----------
    object_id
        Its number.
    joins
        The first frame on which it is tracked.
    is_locked
        Whether it is not tracked, and claims the pixels of its masks.
    is_active
        Whether it is still tracked.
    is_daughter, has_divided
        Whether it began with a division, and whether it ended with one.
    recent
        Its latest masks by ascending frame, empty ones too.
    unseen
        Frames since it was seen.
    last_seen
        The last frame on which it was seen; -1: none.
    """

    object_id: int
    joins: int = 0
    is_locked: bool = False
    is_active: bool = True
    is_daughter: bool = False
    has_divided: bool = False
    recent: dict[int, Rle] = field(default_factory=dict)
    unseen: int = 0
    last_seen: int = -1

    @classmethod
    def of(cls, known: ObjectSnapshot) -> FollowedTrack:
        """Begin with an object of the document."""
        locked = known.is_locked
        return cls(known.object_id, min(known.prompts), is_locked=locked, is_active=not locked)

    @property
    def last_mask(self) -> Rle | None:
        """The latest mask that is not empty; None where there is none."""
        return next((mask for mask in reversed(self.recent.values()) if not mask.is_empty), None)

    @property
    def first_mask(self) -> Rle | None:
        """The earliest mask that is held."""
        return next(iter(self.recent.values()), None)

    def mask(self, frame: int) -> Rle:
        """Return the mask of a frame, empty where none is held."""
        return self.recent.get(frame) or _NOTHING

    def earlier(self, frame: int, count: int) -> list[Rle]:
        """Return the masks of so many frames before one that are held and not empty, the latest first."""
        masks = (self.recent.get(at) for at in range(frame - 1, frame - 1 - count, -1))
        return [mask for mask in masks if mask is not None and not mask.is_empty]

    def see(self, frame: int, mask: Rle, kept: int) -> None:
        """Take the mask of the next frame, and hold those of the ``kept`` latest frames."""
        self.recent[frame] = mask
        for old in [at for at in self.recent if at <= frame - kept and self.mask(at) is not self.last_mask]:
            del self.recent[old]
        self.unseen = self.unseen + 1 if mask.is_empty else 0
        if not mask.is_empty:
            self.last_seen = frame

    def see_before(self, frame: int, mask: Rle) -> None:
        """Take the mask of an earlier frame than all that are held."""
        self.recent = {frame: mask, **self.recent}
        self.joins = frame

    def split(self, frame: int, object_id: int) -> FollowedTrack:
        """Return the object that goes on with the masks from a frame on."""
        later = {at: mask for at, mask in self.recent.items() if at >= frame}
        return FollowedTrack(
            object_id, frame, is_daughter=True, recent=later, unseen=self.unseen, last_seen=self.last_seen
        )

    def end_before(self, frame: int) -> None:
        """End the track before a frame, on which its daughters begin."""
        self.recent = {at: mask for at, mask in self.recent.items() if at < frame}
        self.last_seen = max((at for at, mask in self.recent.items() if not mask.is_empty), default=-1)
        self.is_active, self.has_divided = False, True

    def is_daughter_on(self, frame: int) -> bool:
        """Whether it began with a division shortly before a frame: cells do not divide twice at once."""
        return self.is_daughter and frame - self.joins <= 2

    def has_shrunk(self, frame: int) -> bool:
        """Whether it lost so much of its area on a frame, or just was lost, that it may have divided."""
        earlier, mask = self.earlier(frame, 5), self.mask(frame)
        if not earlier:
            return False
        if mask.is_empty:
            return self.unseen == 1
        return mask.area < _SHRUNK * median(each.area for each in earlier) and mask_iou(mask, earlier[0]) < _MOVED

    def has_changed(self, frame: int) -> bool:
        """Whether it was seen and grew or changed its outline at once on a frame, wherever it moved."""
        earlier, mask = self.earlier(frame, 3), self.mask(frame)
        if not earlier or mask.is_empty:
            return False
        before, now = centroid(earlier[-1]), centroid(mask)
        assert before is not None, "it holds pixels"
        assert now is not None, "it holds pixels"
        way = round(now[0] - before[0]), round(now[1] - before[1])
        return moved_iou(earlier[-1], mask, way) < _CHANGED

    def usual_area(self, frame: int) -> float:
        """Return the area in pixels that it had before a frame while it was large; 0 where no mask is held.

        Cells condense before they divide, for some frames: what most masks have, or the latest, may be much less.
        """
        areas = [mask.area for at, mask in self.recent.items() if at < frame and not mask.is_empty]
        return float(np.quantile(areas, _LARGE)) if areas else 0.0

    def surroundings(self, diameters: float) -> tuple[int, int, int, int]:
        """Return the box ``(y0, x0, y1, x1)`` of the last mask, wider by so many diameters on each side."""
        mask = self.last_mask
        if mask is None or mask.box is None:
            return (0, 0, 0, 0)
        reach = round(diameters * diameter_of(mask.area))
        y0, x0, y1, x1 = mask.box
        return y0 - reach, x0 - reach, y1 + reach, x1 + reach

    def touches_edge(self, *, first: bool = False) -> bool:
        """Whether the last mask that was seen, or the first, reaches the edge of the frame."""
        mask = self.first_mask if first else self.last_mask
        if mask is None or mask.box is None:
            return False
        y0, x0, y1, x1 = mask.box
        return min(y0, x0, mask.shape[0] - y1, mask.shape[1] - x1) <= EDGE


_NOTHING = Rle.empty((1, 1))
"""Stands for a mask that is not held; nothing but whether it is empty is asked of it."""


def oddity(mask: Rle, before: Rle | None) -> DoubtReason | None:
    """Say why a mask cannot be that of an object whose last one, not empty, is ``before``; None where it can."""
    if before is None or mask.is_empty:
        return None
    if mask.area < _FRAGMENT * before.area:
        return "fragment"
    is_apart = not pairwise_containment([mask], [before]).any()
    if is_apart and distance_between(mask, before) > _JUMP * diameter_of(before.area):
        return "jumped"
    return None
