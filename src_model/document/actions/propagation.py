"""Taking tracked masks into the document: what is locked or painted by hand stays as it is, and is reported."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from src_model.document.actions.base import ActionPlan, Skipped, SkipReason, frame_number
from src_model.document.actions.frames import check_entry
from src_model.document.patch import Patch
from src_model.document.provenance import AnnotatedFrame, Origin

if TYPE_CHECKING:
    from collections.abc import Mapping

    from src_model.document.event_log import EventKind
    from src_model.document.state import State, Track
    from src_model.masks import MaskletFrame


@dataclass(frozen=True, slots=True)
class PropagateSpan:
    """Take tracked masks of any objects on any frames into the document.

    Attributes
    ----------
    masks
        By object id and frame.
    reverse
        Whether they were tracked towards earlier frames.
    keep_edited
        Leave frames painted by hand as they are; else only locked frames and objects are left.
    """

    masks: Mapping[int, Mapping[int, MaskletFrame]]
    reverse: bool = False
    keep_edited: bool = True

    event: ClassVar[EventKind] = "track"

    @property
    def label(self) -> str:
        """What the step is called."""
        objects = f"object {next(iter(self.masks))}" if len(self.masks) == 1 else f"{len(self.masks)} objects"
        return f"Track {objects}{' backwards' if self.reverse else ''}"

    def plan(self, state: State) -> ActionPlan:
        """Take them; FrameRangeError or MaskError if one does not fit the movie."""
        kept: dict[int, dict[int, AnnotatedFrame | None]] = {}
        skipped: list[Skipped] = []
        state.read_together(self.masks)
        for object_id, frames in self.masks.items():
            track = state.tracks.get(object_id)
            for frame, entry in frames.items():
                number = frame_number(frame, state)
                reason = self._reason_to_skip(track, number)
                if track is None or reason is not None:
                    skipped.append(Skipped(object_id, number, reason or "object removed"))
                    continue
                tracked = Origin.TRACKED_BACK if self.reverse else Origin.TRACKED
                annotated = AnnotatedFrame.of(entry, Origin.PROMPTED if number in track.prompts else tracked)
                check_entry(annotated, object_id, number, state)
                kept.setdefault(object_id, {})[number] = annotated
        return ActionPlan(Patch(masks=kept), tuple(skipped))

    def _reason_to_skip(self, track: Track | None, frame: int) -> SkipReason | None:
        if track is None:
            return "object removed"
        if track.info.locked:
            return "object locked"
        if frame in track.locked:
            return "frame locked"
        entry = track.masks.get(frame)
        if self.keep_edited and entry is not None and entry.origin is Origin.EDITED:
            return "edited by hand"
        return None
