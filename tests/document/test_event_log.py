"""The log of what happened: never taken back, with the time that people worked."""

from __future__ import annotations

import pytest

from src_model.document import AddPoints, AnswerPrompt, LockFrames, RenameObject, load, save
from src_model.document.event_log import EventLog
from tests.document.sample import document, entry


def test_what_people_do_is_logged_in_order_with_whom_it_concerns():
    annotation = document()
    before = len(annotation.logged())
    annotation.do(RenameObject(2, "x"))
    annotation.do(LockFrames(1, (5,)))
    annotation.undo()
    annotation.redo()
    annotation.note_event("verdict", "satisfactory", 1)
    events = annotation.logged()[before:]
    assert [(event.kind, event.object_id, event.frame) for event in events] == [
        ("edit", 2, None), ("lock", 1, 5), ("undo", None, None), ("redo", None, None), ("verdict", 1, None),
    ]  # fmt: skip
    assert events[2].detail == "Lock object 1, frame 5"


def test_prompts_and_their_answers_are_told_apart():
    kinds = [event.kind for event in document().logged()]
    assert kinds[4:6] == ["prompt", "answer"]
    assert kinds[6:].count("track") == 1, "a run is one event"


def test_a_prompt_where_tracking_had_been_is_a_correction():
    annotation = document()
    with annotation.propagation() as tracking:
        tracking.add(9, {2: entry()})
    annotation.do(AddPoints(2, 9, ((1.0, 1.0),), (0,)))
    assert annotation.logged()[-1].kind == "correction"


def test_a_candidate_that_a_person_took_is_told_from_the_choice_of_the_model():
    annotation = document()
    found = entry()
    click = annotation.do(AddPoints(2, 10, ((1.0, 1.0),), (1,)))
    for by_hand in (False, True):
        annotation.do(AnswerPrompt(2, 10, found.mask, 0.5 + by_hand / 4, 1.0, by_hand), join=click.step)
    assert [event.kind for event in annotation.logged()[-2:]] == ["answer", "candidate"]


def test_the_log_outlives_the_session(tmp_path):
    annotation = document()
    assert load(save(annotation, tmp_path / "a.sam2v")).logged() == annotation.logged()


def test_what_fails_is_not_logged():
    annotation = document()
    before = annotation.logged()
    with pytest.raises(LookupError):
        annotation.do(RenameObject(99, "x"))
    annotation.do(RenameObject(2, annotation.object(2).name))
    assert annotation.logged() == before


def test_pauses_are_no_work(tmp_path):
    annotation, now = document(), [1000.0]
    log = EventLog(annotation._state.store, clock=lambda: now[0])
    start = log._worked
    for seconds in (0, 10, 59, 61, 3600, 5):
        now[0] += seconds
        log.add("edit", "x")
    assert log._worked - start == 10 + 59 + 5
    again = EventLog(annotation._state.store, clock=lambda: now[0] + 20)
    again.add("edit", "the time between two sessions is no work")
    assert again._worked == log._worked


def test_frames_that_arrive_do_not_count_as_work():
    annotation = document()
    before = len(annotation.logged())
    with annotation.propagation() as tracking:
        for frame in (8, 9, 10):
            tracking.add(frame, {2: entry()})
    assert len(annotation.logged()) == before + 1
