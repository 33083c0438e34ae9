"""Which frames a person confirmed, so that nobody is asked again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from src_model.document.provenance import ORIGINS, Origin

if TYPE_CHECKING:
    from src_model.document import DocumentView, Prompt
    from src_model.document.store import MaskFacts


def confirmed_frames(view: DocumentView, object_id: int) -> frozenset[int] | None:
    """Return the frames that are prompted, painted or locked; None where the whole object is locked."""
    track = view.track(object_id)
    if track.info.locked:
        return None
    facts = {fact.frame: fact for fact in track.masks.facts()}
    edited = {frame for frame, fact in facts.items() if ORIGINS[fact.origin] is Origin.EDITED}
    prompted = {frame for frame, prompt in track.prompts.items() if _is_by_a_person(prompt, facts.get(frame))}
    return frozenset({*track.locked, *edited, *prompted})


def _is_by_a_person(prompt: Prompt, answer: MaskFacts | None) -> bool:
    """Whether a person made a prompt, and not a detector, whose masks are prompts too but have its score.

    A mask that a person gives is taken as it is, with a score of 1.
    """
    if prompt.points or prompt.box is not None or answer is None or answer.is_empty:
        return True
    return ORIGINS[answer.origin] is not Origin.PROMPTED or answer.score >= 1
