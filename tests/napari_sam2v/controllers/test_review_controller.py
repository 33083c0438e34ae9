"""The review of a document without a screen: found in the background, gone through, answered."""

from __future__ import annotations

import pytest

from src_model.document import AddObject, AnnotatedObject, Annotation, LockFrames, MovieIdentity, ShowObject
from src_model.frames import open_movie
from src_model.masks import MaskletFrame, Rle
from tests.tracking import tiny

MASK = Rle.from_box((10, 12, 20, 24), tiny.SHAPE)


@pytest.fixture
def reviewer(user):
    """Two objects, each with one weak frame, 5 (the worse) and 3."""
    document = user.document
    for number in (1, 2):
        document.do(AddObject(AnnotatedObject(number, f"cell {number}")))
    others = {1: MASK, 2: Rle.from_box((24, 34, 34, 46), tiny.SHAPE)}
    with document.propagation() as opened:
        for frame in range(tiny.LENGTH):
            weak = {1: 0.2 if frame == 5 else 0.9, 2: 0.5 if frame == 3 else 0.9}
            opened.add(frame, {number: MaskletFrame(mask, weak[number], 1.0) for number, mask in others.items()})
    user.shown = []
    user.notices = []
    user.controller.events.notice.connect(user.notices.append)

    def show(event):
        user.shown.append((event.object_id, event.frame))
        user.controller.show_frame(event.frame)

    user.controller.review.signals.shown.connect(show)
    return user


def look(user):
    review = user.controller.review
    review.refresh()
    user.host.turn(lambda: not review.is_looking)
    return review


def test_it_goes_from_the_worst_to_the_last_and_round_both_ways(reviewer):
    review = look(reviewer)
    for by in (1, 1, 1, -1, -1):
        review.step(by)
    assert reviewer.shown == [(1, 5), (2, 3), (1, 5), (2, 3), (1, 5)]
    assert [row.text for row in review.rows()] == ["cell 1, frame 5: low score", "cell 2, frame 3: low score"]
    assert review.rows()[0].hint == "score 0.20 (frame 5; 1.00)"
    review.choose(1)
    assert reviewer.shown[-1] == (2, 3)


def test_the_first_step_waits_for_the_first_look(reviewer):
    review = reviewer.controller.review
    review.step(1)
    assert reviewer.shown == []
    assert reviewer.notices[-1].startswith("Looking for")
    reviewer.host.turn(lambda: reviewer.shown)
    assert reviewer.shown == [(1, 5)]


def test_nothing_doubtful_is_told(user):
    notices = []
    user.controller.events.notice.connect(notices.append)
    look(user).step(1)
    assert notices == ["Nothing is doubtful: what was tracked looks right, or was confirmed."]


def test_what_is_accepted_goes_at_once_and_the_next_one_is_shown(reviewer):
    review = look(reviewer)
    review.step(1)
    review.accept()
    assert reviewer.document.locked_frames(1) == (5,)
    assert reviewer.shown == [(1, 5), (2, 3)]
    assert [event.object_id for event in review.events] == [2]
    review.accept()
    assert review.events == []
    reviewer.controller.undo()
    assert [event.object_id for event in look(reviewer).events] == [2]


def test_what_is_rejected_loses_its_masks_and_what_cannot_be_is_told(reviewer):
    review = look(reviewer)
    review.step(1)
    review.reject()
    assert reviewer.document.frame(1, 5) is None
    review = look(reviewer)
    review.choose([event.kind for event in review.events].index("lost in between"))
    review.reject()
    assert "has no mask here to reject" in reviewer.problems[-1]


def test_nothing_is_answered_that_is_not_in_view(reviewer):
    review = look(reviewer)
    review.accept()
    assert reviewer.shown == [(1, 5)]
    reviewer.controller.show_frame(0)
    review.accept()
    assert reviewer.shown == [(1, 5), (1, 5)]
    assert reviewer.document.locked_frames(1) == ()


def test_hidden_objects_are_left_out(reviewer):
    review = look(reviewer)
    reviewer.controller.do(ShowObject(1, False))
    assert [event.object_id for event in review.events] == [2]


def test_a_look_at_what_changed_meanwhile_does_not_count(reviewer):
    review = reviewer.controller.review
    review.refresh()
    reviewer.controller.do(LockFrames(1, (5,)))
    reviewer.host.turn(lambda: not review.is_looking)
    assert review.events == []
    assert [event.object_id for event in look(reviewer).events] == [2]


def test_the_event_that_is_looked_at_stays_so_when_it_grows(reviewer):
    review = look(reviewer)
    review.step(1)
    with reviewer.document.propagation() as opened:
        opened.add(6, {1: MaskletFrame(MASK, 0.1, 1.0)})
    look(reviewer)
    assert (review.current.start, review.current.stop) == (5, 7)


def test_another_document_begins_anew(reviewer):
    review = look(reviewer)
    review.step(1)
    source = open_movie(tiny.make_movie())
    reviewer.controller.open(Annotation(MovieIdentity.of(source)), source)
    assert (review.events, review.current) == ([], None)
