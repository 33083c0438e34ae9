"""Where the mask of a frame came from, and what is known of the frame."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from src_model.masks import MaskletFrame


class Origin(StrEnum):
    """Where a mask came from. The order is that of the codes in files: new ones come last."""

    PROMPTED = "prompted"
    """The model's answer to a prompt on this frame."""
    TRACKED = "tracked"
    """Tracked from an earlier frame."""
    TRACKED_BACK = "tracked-back"
    """Tracked from a later frame."""
    EDITED = "edited"
    """Painted or otherwise made by hand."""
    IMPORTED = "imported"
    """Taken from a file or another layer."""

    @property
    def is_tracked(self) -> bool:
        """Whether tracking made it, in either direction."""
        return self in (Origin.TRACKED, Origin.TRACKED_BACK)


ORIGINS: tuple[Origin, ...] = tuple(Origin)


@dataclass(frozen=True, slots=True)
class AnnotatedFrame(MaskletFrame):
    """An object on one frame, with where its mask came from.

    Attributes
    ----------
    origin
        Where the mask came from.
    """

    origin: Origin

    @classmethod
    def of(cls, entry: MaskletFrame, origin: Origin) -> AnnotatedFrame:
        """Return a masklet's entry together with its origin."""
        return cls(entry.mask, float(entry.score), float(entry.object_score), origin)

    @property
    def entry(self) -> MaskletFrame:
        """The mask and its scores alone."""
        return MaskletFrame(self.mask, self.score, self.object_score)


@dataclass(frozen=True, slots=True)
class FrameState:
    """What the document knows of an object on one frame, for a time strip.

    Attributes
    ----------
    frame
        Frame number, from 0.
    origin
        Where the mask came from; None where there is no mask.
    prompted
        Whether a prompt lies on the frame.
    locked
        Whether the frame is locked, alone or with the whole object.
    absent
        Whether the object is known not to be there: its mask is empty.
    score
        Predicted IoU, or None where there is no mask.
    object_score
        Probability that the object is in the frame, or None where there is no mask.
    """

    frame: int
    origin: Origin | None
    prompted: bool
    locked: bool
    absent: bool
    score: float | None
    object_score: float | None

    @property
    def is_open(self) -> bool:
        """Whether tracking made the mask, the object is in view, and nobody confirmed it."""
        is_tracked = self.origin is not None and self.origin.is_tracked
        return is_tracked and not (self.prompted or self.locked or self.absent)
