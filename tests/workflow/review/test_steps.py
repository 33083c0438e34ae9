"""What a person says of an event: each is one step that can be undone, and the event does not come back."""

from __future__ import annotations

import pytest

from src_model.document import Division, LockObject, MarkDivision, SetSettings, load, save
from src_model.document.division_scores import ScoredDivision, division_scores, with_division_scores
from src_model.errors import AnnotationError, UnknownObjectError
from src_model.workflow.review import ReviewKind, accept, reject
from tests.workflow.review.movies import LENGTH, disk, document, events, found, standing, track

MIDDLE = range(3, LENGTH)


def weak():
    annotation = document(standing())
    track(annotation, 1, {4: disk(20, 20), 5: disk(20, 20)}, 0.4)
    return annotation


def suggested(*daughters):
    """Object 1 goes on, or ends, where 2 and 3 begin beside it."""
    goes_on = 1 in daughters
    annotation = document(
        standing(frames=range(LENGTH if goes_on else 3)), standing(20, 12, MIDDLE), standing(20, 32, MIDDLE)
    )
    settings = with_division_scores(annotation.project.settings, [ScoredDivision(1, daughters, 3, 0.5)])
    annotation.do(SetSettings(settings))
    return annotation


def only(annotation, kind):
    (event,) = [each for each in found(annotation) if each.kind is kind]
    return event


def test_what_is_accepted_is_locked_and_not_asked_again_until_that_is_undone():
    annotation = weak()
    annotation.do(accept(only(annotation, ReviewKind.SCORE), annotation))
    assert annotation.locked_frames(1) == (4, 5)
    assert events(annotation) == []
    assert annotation.undo() == "Accept: low score"
    assert events(annotation) == [("low score", 1, 4, 5)]


def test_an_accepted_gap_is_locked_as_not_there():
    annotation = document(standing(frames=[*range(4), *range(6, LENGTH)]))
    annotation.do(accept(only(annotation, ReviewKind.LOST), annotation))
    assert annotation.locked_frames(1) == (4, 5)
    assert annotation.frame(1, 4) is None
    assert events(annotation) == []


@pytest.mark.parametrize("kind", [ReviewKind.APPEARS, ReviewKind.DISAPPEARS])
def test_an_accepted_beginning_or_ending_is_not_asked_again(kind):
    frames = MIDDLE if kind is ReviewKind.APPEARS else range(3)
    annotation = document(standing(), standing(50, 60, frames))
    annotation.do(accept(only(annotation, kind), annotation))
    assert events(annotation) == []


def test_an_accepted_overlap_is_locked_for_both_but_for_who_is_locked_already():
    annotation = document(standing(), {4: disk(20, 24), **standing(60, 60, [*range(4), *range(5, LENGTH)])})
    annotation.do(accept(only(annotation, ReviewKind.OVERLAP), annotation))
    assert annotation.locked_frames(1) == annotation.locked_frames(2) == (4,)
    annotation.undo()
    event = only(annotation, ReviewKind.OVERLAP)
    annotation.do(LockObject(1, locked=True))
    annotation.do(accept(event, annotation))
    assert annotation.locked_frames(2) == (4,)
    annotation.do(LockObject(2, locked=True))
    with pytest.raises(AnnotationError, match="settled meanwhile"):
        accept(event, annotation)


def test_rejected_masks_go():
    annotation = weak()
    annotation.do(reject(only(annotation, ReviewKind.SCORE), annotation))
    assert [frame for frame in range(LENGTH) if annotation.frame(1, frame) is None] == [4, 5]
    assert annotation.undo() == "Reject: low score"
    assert annotation.frame(1, 4) is not None


def test_a_rejected_beginning_takes_the_object_along():
    annotation = document(standing(), standing(50, 60, MIDDLE))
    annotation.do(reject(only(annotation, ReviewKind.APPEARS), annotation))
    assert list(annotation.objects) == [1]


@pytest.mark.parametrize("frames", [range(5), [*range(5), *range(7, LENGTH)]], ids=["ending", "gap"])
def test_where_nothing_is_there_is_nothing_to_reject(frames):
    annotation = document(standing(), standing(50, 60, frames))
    with pytest.raises(AnnotationError, match="no mask here to reject"):
        reject(found(annotation)[0], annotation)


def test_an_accepted_suggestion_is_marked_and_stays_so_in_the_file(tmp_path):
    annotation = suggested(2, 3)
    annotation = load(save(annotation, tmp_path / "cells.sam2v"))
    annotation.do(accept(only(annotation, ReviewKind.DIVISION), annotation))
    assert dict(annotation.divisions) == {1: Division(1, 3, (2, 3))}
    assert events(load(save(annotation))) == []
    assert annotation.undo() == "Accept: division"
    assert not annotation.divisions
    assert only(annotation, ReviewKind.DIVISION)


def test_a_mother_whose_track_went_on_as_a_daughter_ends_where_that_is_accepted():
    annotation = suggested(1, 3)
    annotation.do(accept(only(annotation, ReviewKind.DIVISION), annotation))
    assert dict(annotation.divisions) == {1: Division(1, 3, (3, 4))}
    assert annotation.masklet(1).frames == (0, 1, 2)
    assert annotation.masklet(4).frames == tuple(MIDDLE)
    assert ReviewKind.DIVISION not in {event.kind for event in found(annotation)}


def test_a_declined_suggestion_is_not_asked_again():
    annotation = suggested(2, 3)
    annotation.do(reject(only(annotation, ReviewKind.DIVISION), annotation))
    assert not annotation.divisions
    assert ReviewKind.DIVISION not in {event.kind for event in found(annotation)}


def test_a_rejected_mark_is_removed():
    annotation = suggested(2, 3)
    annotation.do(MarkDivision(Division(1, 3, (2, 3))))
    annotation.do(reject(only(annotation, ReviewKind.DIVISION), annotation))
    assert not annotation.divisions


def test_an_event_that_was_settled_meanwhile_is_refused():
    annotation = suggested(2, 3)
    event = only(annotation, ReviewKind.DIVISION)
    annotation.do(SetSettings(with_division_scores(annotation.project.settings, ())))
    for step in (accept, reject):
        with pytest.raises(AnnotationError, match="not suggested any more"):
            step(event, annotation)
    annotation = document(standing(), standing(50, 60, MIDDLE))
    event = only(annotation, ReviewKind.APPEARS)
    annotation.do(reject(event, annotation))
    with pytest.raises(UnknownObjectError):
        accept(event, annotation)
    assert division_scores(annotation.project.settings) == ()
