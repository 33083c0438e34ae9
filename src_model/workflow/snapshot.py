"""What the tracker needs to know of an object of the document, taken at one moment and never changing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from src_model.annotation.provenance import Origin
from src_model.annotation.state import Track

if TYPE_CHECKING:
    from collections.abc import Mapping

    from src_model.annotation import Annotation
    from src_model.annotation.prompts import Prompt
    from src_model.annotation.provenance import AnnotatedFrame


@dataclass(frozen=True, slots=True)
class ObjectSnapshot:
    """An object of the document at one moment.

    Attributes
    ----------
    object_id
        Its number.
    masks, prompts
        By frame.
    fixed
        Frames that tracking takes as they are: locked ones, and those painted by hand.
    """

    object_id: int
    masks: Mapping[int, AnnotatedFrame] = field(default_factory=dict)
    prompts: Mapping[int, Prompt] = field(default_factory=dict)
    fixed: frozenset[int] = frozenset()


def snapshot(track: Track) -> ObjectSnapshot:
    """Take an object of the document as it is now; masks are shared, so that this is quick."""
    masks = track.frames()
    edited = {frame for frame, entry in masks.items() if entry.origin is Origin.EDITED}
    locked = masks.keys() if track.info.locked else track.locked
    return ObjectSnapshot(track.info.object_id, masks, dict(track.prompts), frozenset(edited | set(locked)))


def snapshot_of(annotation: Annotation, object_id: int) -> ObjectSnapshot:
    """Take an object of a document by its id, or raise UnknownObjectError."""
    return snapshot(
        Track(
            annotation.object(object_id),
            annotation.masklet(object_id),
            dict(annotation.prompts(object_id)),
            set(annotation.locked_frames(object_id)),
        )
    )
