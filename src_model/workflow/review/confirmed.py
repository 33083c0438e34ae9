"""Which frames a person confirmed, so that nobody is asked again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from src_model.document.provenance import ORIGINS, Origin

if TYPE_CHECKING:
    from src_model.document import DocumentView, Prompt
    from src_model.workflow.review.measures import TrackMeasures

_EDITED, _PROMPTED = ORIGINS.index(Origin.EDITED), ORIGINS.index(Origin.PROMPTED)


def confirmed_frames(view: DocumentView, object_id: int, measures: TrackMeasures) -> frozenset[int] | None:
    """Return the frames that are prompted, painted or locked; None where the whole object is locked."""
    track = view.track(object_id)
    if track.info.locked:
        return None
    edited = measures.frames[measures.origins == _EDITED].tolist()
    prompted = (frame for frame, prompt in track.prompts.items() if _is_by_a_person(prompt, frame, measures))
    return frozenset({*track.locked, *edited, *prompted})


def _is_by_a_person(prompt: Prompt, frame: int, measures: TrackMeasures) -> bool:
    """Whether a person made a prompt, and not a detector, whose masks are prompts too but have its score.

    A mask that a person gives is taken as it is, with a score of 1.
    """
    row = measures.row(frame)
    if prompt.points or prompt.box is not None or row is None or not measures.seen[row]:
        return True
    return bool(measures.origins[row] != _PROMPTED or measures.scores[row] >= 1)
