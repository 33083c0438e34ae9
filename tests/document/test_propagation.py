"""Propagations: frames arrive one by one, and are one step."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from src_model.document import (
    AddPoints,
    LockFrames,
    LockObject,
    Origin,
    RenameObject,
    ShowObject,
    Skipped,
    save,
)
from src_model.errors import FrameRangeError, MaskError
from src_model.masks import MaskletFrame, Rle
from tests.document.sample import LENGTH, document, entry, square


@dataclass(frozen=True)
class Result:
    """What a tracker answers."""

    frame: int
    rles: dict[int, Rle]
    scores: dict[int, float]
    object_scores: dict[int, float]


def test_a_whole_propagation_is_one_step():
    annotation = document()
    before = annotation.contents()
    with annotation.propagation("Track 2") as tracking:
        for frame in range(4, LENGTH):
            tracking.add(frame, {2: entry(x=frame), 3: entry(y=frame)})
            assert annotation.mask_at(2, frame) == square(x=frame)
    assert annotation.undo() == "Track 2"
    assert annotation.contents() == before
    annotation.redo()
    assert annotation.masklet(2).frames == tuple(range(3, LENGTH))


def test_results_of_a_tracker_are_taken_as_they_are():
    annotation = document()
    with annotation.propagation(reverse=True) as tracking:
        tracking.add_result(Result(2, {2: square()}, {2: 0.25}, {2: 0.5}))
    frame = annotation.frame(2, 2)
    assert (frame.mask, frame.score, frame.object_score) == (square(), 0.25, 0.5)
    assert frame.origin is Origin.TRACKED_BACK


def test_what_arrived_before_an_error_is_kept_as_a_step():
    annotation = document()
    before = annotation.contents()

    def consume():
        with annotation.propagation() as tracking:
            tracking.add(4, {2: entry()})
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        consume()
    assert annotation.mask_at(2, 4) == square()
    assert annotation.undo_label == "Track"
    annotation.undo()
    assert annotation.contents() == before


def test_a_closed_generator_that_propagates_keeps_what_is_done():
    annotation = document()

    def live():
        with annotation.propagation() as tracking:
            for frame in range(4, LENGTH):
                tracking.add(frame, {2: entry()})
                yield frame

    running = live()
    next(running)
    next(running)
    running.close()
    assert annotation.masklet(2).frames == (3, 4, 5)
    annotation.undo()
    assert annotation.masklet(2).frames == (3,)


def test_a_propagation_nobody_closed_is_closed_by_the_next_edit_and_the_next_propagation():
    annotation = document()
    forgotten = annotation.propagation("first")
    forgotten.add(8, {2: entry()})
    second = annotation.propagation("second")
    assert not forgotten.is_open
    second.add(9, {2: entry()})
    annotation.do(RenameObject(2, "x"))
    assert [step.label for step in annotation.steps()][-3:] == ["first", "second", "Rename object 2"]


def test_locked_frames_and_objects_and_painted_frames_are_left_and_reported():
    annotation = document()
    annotation.do(LockObject(3))
    kept = {(1, 4): annotation.frame(1, 4), (2, 3): annotation.frame(2, 3)}
    with annotation.propagation() as tracking:
        told = tracking.add(4, {1: entry(y=9), 3: entry()})
        tracking.add(3, {2: entry(y=9)})
        tracking.add(5, {1: entry(y=9), 77: entry()})
    assert told == (Skipped(1, 4, "frame locked"), Skipped(3, 4, "object locked"))
    assert tracking.skipped == [*told, Skipped(2, 3, "edited by hand"), Skipped(77, 5, "object removed")]
    assert annotation.frame(1, 4) == kept[1, 4]
    assert annotation.frame(2, 3) == kept[2, 3]
    assert annotation.frame(3, 4) is None
    assert annotation.mask_at(1, 5) == square(y=9)


def test_painted_frames_are_tracked_over_if_wished_but_never_locked_ones():
    annotation = document()
    with annotation.propagation(keep_edited=False) as tracking:
        tracking.add(3, {2: entry(y=9)})
        tracking.add(4, {1: entry(y=9)})
    assert annotation.mask_at(2, 3) == square(y=9)
    assert annotation.mask_at(1, 4) == square(x=7)


def test_a_frame_locked_before_it_has_a_mask_stays_without():
    annotation = document()
    annotation.do(LockFrames(2, (8,)))
    with annotation.propagation() as tracking:
        tracking.add(8, {2: entry()})
    assert annotation.frame(2, 8) is None


def test_the_answer_of_a_prompted_frame_stays_an_answer():
    annotation = document()
    with annotation.propagation() as tracking:
        tracking.add(0, {1: entry(score=0.5)})
        tracking.add(1, {1: entry(score=0.5)})
    assert annotation.frame(1, 0).origin is Origin.PROMPTED
    assert annotation.frame(1, 1).origin is Origin.TRACKED


def test_a_propagation_that_changes_nothing_is_no_step():
    annotation = document()
    before = annotation.steps()
    with annotation.propagation() as tracking:
        tracking.add(5, {1: entry(x=8)})
    with annotation.propagation():
        pass
    assert annotation.steps() == before


def test_an_edit_meanwhile_splits_it_so_that_undo_goes_back_in_order():
    annotation = document()
    with annotation.propagation("Track") as tracking:
        tracking.add(4, {2: entry()})
        annotation.do(ShowObject(4, visible=False))
        tracking.add(5, {2: entry()})
    assert [step.label for step in annotation.steps()][-3:] == ["Track", "Hide object 4", "Track"]
    annotation.undo()
    assert annotation.masklet(2).frames == (3, 4)
    assert not annotation.object(4).visible


def test_undo_closes_it_and_what_still_arrives_is_refused():
    annotation = document()
    before = annotation.contents()
    tracking = annotation.propagation("Track")
    tracking.add(4, {2: entry()})
    assert annotation.undo_label == "Track"
    assert annotation.redo_label is None
    assert annotation.undo() == "Track"
    assert not tracking.is_open
    assert tracking.add(5, {2: entry()}) == ()
    tracking.close()
    assert annotation.contents() == before


def test_what_was_undone_before_it_can_be_gone_back_to():
    annotation = document()
    annotation.do(RenameObject(2, "undone"))
    undone = annotation.steps()[-1].number
    annotation.undo()
    with annotation.propagation() as tracking:
        tracking.add(4, {2: entry()})
        assert annotation.redo_label is None
    annotation.go_to(undone)
    assert annotation.object(2).name == "undone"


def test_a_mask_that_does_not_fit_the_movie_leaves_the_frame_as_it_was():
    annotation = document()
    before = annotation.contents()
    with annotation.propagation() as tracking:
        with pytest.raises(MaskError, match="shape"):
            tracking.add(4, {2: entry(), 3: MaskletFrame(Rle.empty((3, 3)), 1.0, 1.0)})
        with pytest.raises(MaskError, match="NaN"):
            tracking.add(4, {2: MaskletFrame(square(), float("nan"), 1.0)})
        with pytest.raises(FrameRangeError, match="outside the movie"):
            tracking.add(LENGTH, {2: entry()})
    assert annotation.contents() == before


def test_saving_in_the_middle_does_not_split_it(tmp_path):
    annotation = document()
    with annotation.propagation() as tracking:
        tracking.add(4, {2: entry()})
        save(annotation, tmp_path / "a.sam2v")
        assert not annotation.is_modified
        tracking.add(5, {2: entry()})
        assert annotation.is_modified
    annotation.undo()
    assert annotation.masklet(2).frames == (3,)


def test_a_click_meanwhile_is_answered_by_a_step_of_its_own_once_more_frames_came():
    from src_model.document import AnswerPrompt

    annotation = document()
    with annotation.propagation("Track") as tracking:
        tracking.add(4, {2: entry()})
        click = annotation.do(AddPoints(4, 0, ((4, 5),), (1,)))
        tracking.add(5, {2: entry()})
        answer = annotation.do(AnswerPrompt(4, 0, square(), 0.5, 0.5), join=click.step)
    assert answer.step == click.step + 2
    assert [step.label for step in annotation.steps()][-3:-1] == ["Click, object 4, frame 0", "Track"]
