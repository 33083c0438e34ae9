"""What a person says of an event, as actions of the document that can be undone.

To fix an event is to prompt or paint, and to repair: then its frames are another matter, and it goes by itself.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from src_model.document import (
    ClearFrames,
    DeleteObject,
    Division,
    Group,
    LockFrames,
    MarkDivision,
    RemoveDivision,
    SetSettings,
    SplitObject,
)
from src_model.document.division_scores import (
    ACCEPTED,
    DECLINED,
    ScoredDivision,
    division_scores,
    with_division_scores,
)
from src_model.errors import AnnotationError
from src_model.workflow.review.events import ReviewKind

if TYPE_CHECKING:
    from src_model.document import Action, DocumentView
    from src_model.workflow.review.events import ReviewEvent


def accept(event: ReviewEvent, document: DocumentView) -> Action:
    """Say that what is doubtful is right: its frames are locked, a division is marked; nobody is asked again.

    Raises
    ------
    UnknownObjectError, AnnotationError
        If what the event speaks of is gone.
    """
    if event.kind is ReviewKind.DIVISION:
        return _accept_division(event, document)
    frames = range(event.start, min(event.stop, document.movie.length))
    concerned = [n for n in (event.object_id, *event.others) if not document.object(n).locked]
    if not concerned or not frames:
        raise AnnotationError(f"there is nothing to accept: '{event.kind}' was settled meanwhile")
    return Group(f"Accept: {event.kind}", tuple(LockFrames.span(number, frames) for number in concerned))


def reject(event: ReviewEvent, document: DocumentView) -> Action:
    """Say that what is doubtful is wrong: its masks go, an object that appears goes as a whole, a division is declined.

    Raises
    ------
    UnknownObjectError, AnnotationError
        If what the event speaks of is gone, or there is nothing that could be taken away: an object that is missing is
        prompted where it should be.
    """
    if event.kind in (ReviewKind.LOST, ReviewKind.DISAPPEARS):
        name = document.object(event.object_id).title
        raise AnnotationError(f"{name} has no mask here to reject: prompt it where it is, or accept that it is gone")
    if event.kind is ReviewKind.DIVISION:
        return _reject_division(event, document)
    label = f"Reject: {event.kind}"
    if event.kind is ReviewKind.APPEARS:
        return Group(label, (DeleteObject(event.object_id),))
    return Group(label, (ClearFrames(event.object_id, event.start, event.stop),))


def _accept_division(event: ReviewEvent, document: DocumentView) -> Action:
    known = _scored(event, document)
    actions: list[Action] = []
    daughters = known.daughters
    if document.divisions.get(known.parent) is None:
        if known.parent in daughters:  # the mother's track went on as one of them
            new = document.next_id()
            actions.append(SplitObject(known.parent, known.frame, new))
            daughters = (new, next(number for number in daughters if number != known.parent))
        actions.append(MarkDivision(Division(known.parent, known.frame, daughters)))
    said = replace(known, daughters=daughters, score=ACCEPTED)
    return Group("Accept: division", (*actions, _scores(document, known, said)))


def _reject_division(event: ReviewEvent, document: DocumentView) -> Action:
    known = _scored(event, document)
    marked: list[Action] = [] if document.divisions.get(known.parent) is None else [RemoveDivision(known.parent)]
    return Group("Reject: division", (*marked, _scores(document, known, replace(known, score=DECLINED))))


def _scored(event: ReviewEvent, document: DocumentView) -> ScoredDivision:
    for each in division_scores(document.project.settings):
        if (each.parent, each.frame, each.daughters) == (event.object_id, event.frame, event.others):
            return each
    name = document.object(event.object_id).title
    raise AnnotationError(f"the division of {name} on frame {event.frame} is not suggested any more")


def _scores(document: DocumentView, before: ScoredDivision, after: ScoredDivision) -> Action:
    settings = document.project.settings
    left = [each for each in division_scores(settings) if each != before]
    return SetSettings(with_division_scores(settings, (*left, after)))
