"""What is doubtful in a document: each rule alone, one event a stretch, and nothing that a person confirmed."""

from __future__ import annotations

import subprocess
import sys

import pytest

from src_model.document import (
    AddPoints,
    AnnotatedFrame,
    AnswerPrompt,
    ApplyPatch,
    Division,
    LockFrames,
    LockObject,
    MarkDivision,
    Origin,
    Patch,
    Prompt,
    SetMask,
    SetMaskPrompt,
    SetSettings,
)
from src_model.document.division_scores import ACCEPTED, DECLINED, ScoredDivision, with_division_scores
from src_model.errors import StoppedError
from src_model.workflow.review import ReviewKind, ReviewQueue
from tests.workflow.review.movies import LENGTH, NOWHERE, disk, document, events, found, standing, track

MIDDLE = range(3, LENGTH)


def with_scores(annotation, *divisions):
    annotation.do(SetSettings(with_division_scores(annotation.project.settings, divisions)))
    return annotation


def test_a_movie_without_fault_leaves_nothing_to_look_at():
    moving = {frame: disk(50, 20 + 2 * frame) for frame in range(LENGTH)}
    assert events(document(standing(), moving)) == []
    assert events(document()) == []


def test_a_weak_stretch_is_one_event_at_its_worst_frame():
    annotation = document(standing())
    for frame, score in {3: 0.6, 4: 0.3, 5: 0.65, 8: 0.5}.items():
        track(annotation, 1, {frame: disk(20, 20)}, score)
    assert events(annotation) == [("low score", 1, 3, 5), ("low score", 1, 8, 8)]
    worst = found(annotation)[0]
    assert (worst.frame, worst.worst.place, worst.worst.why) == (4, (20, 20), "score 0.30")
    assert 0 < found(annotation)[1].score < worst.score <= 1


def test_a_mask_of_another_size_is_an_area_jump_and_the_frames_after_it_are_not():
    swollen = {**standing(), 5: disk(20, 20, 9)}
    assert events(document(swollen))[0] == ("area jump", 1, 5, 5)
    assert "area 2.2" in found(document(swollen))[0].worst.why


def test_another_outline_of_the_same_area_is_a_shape_jump():
    others = [standing(60, x) for x in (20, 50, 80, 110)]
    stretched = {**standing(), **standing(frames=range(6, LENGTH), stretch=1.6)}
    assert ("shape jump", 1, 6, 6) in events(document(stretched, *others))


def test_who_moves_farther_than_is_usual_is_too_fast():
    jumps = {frame: disk(20, 20 if frame < 6 else 60) for frame in range(LENGTH)}
    assert events(document(jumps, standing(60, 20))) == [("too fast", 1, 6, 6)]
    fast = [{frame: disk(y, 8 + 9 * frame) for frame in range(LENGTH)} for y in (20, 60)]
    assert events(document(*fast)) == []  # all of them are


def test_two_that_share_pixels_are_one_event_of_the_one_less_sure():
    meeting = {frame: disk(20, 30 if frame in (4, 5) else 50) for frame in range(LENGTH)}
    annotation = document(standing(20, 24, radius=7), meeting)
    track(annotation, 2, {4: disk(20, 30), 5: disk(20, 30)}, 0.8)
    (event,) = [each for each in found(annotation) if each.kind is ReviewKind.OVERLAP]
    assert (event.object_id, event.others, event.start, event.stop) == (2, (1,), 4, 6)


@pytest.mark.parametrize("missing", [{4: NOWHERE, 5: NOWHERE}, {}], ids=["known not to be there", "unknown"])
def test_an_object_that_is_not_seen_in_between_is_lost_there(missing):
    seen = standing(frames=[*range(4), *range(6, LENGTH)])
    assert events(document({**seen, **missing})) == [("lost in between", 1, 4, 5)]


def test_a_beginning_in_the_middle_is_asked_about_unless_at_the_edge_at_first_or_by_division():
    annotation = document(standing(), standing(50, 60, MIDDLE), standing(50, 6, MIDDLE), standing(64, 90, MIDDLE))
    assert events(annotation) == [("appears", 2, 3, 3), ("appears", 4, 3, 3)]
    annotation.do(MarkDivision(Division(1, 3, (2, 4))))
    assert events(annotation) == []


def test_an_ending_in_the_middle_is_asked_about_on_the_first_frame_without_it():
    annotation = document(standing(), standing(50, 60, range(5)), standing(50, 6, range(5)))
    assert events(annotation) == [("disappears", 2, 5, 5)]
    annotation.do(MarkDivision(Division(2, 5, (1,))))
    assert events(annotation) == []


def test_what_is_briefly_there_is_more_likely_no_cell():
    short, long = standing(50, 60, range(8, 10)), standing(50, 90, range(1, 11))
    first, *_, last = [event.score for event in found(document(standing(), short, long))]
    assert first > last


def test_neighbours_that_may_be_swapped_are_asked_about():
    crossing = [{f: disk(40, 30 + 5 * f) for f in range(6)}, {f: disk(44, 60 - 5 * f) for f in range(6)}]
    kinds = {(event.kind, event.object_id, event.others) for event in found(document(*crossing, length=6))}
    assert (ReviewKind.LOOKALIKE, 1, (2,)) in kinds
    apart = [standing(40, 30), standing(40, 44)]
    assert events(document(*apart)) == []


def test_divisions_are_asked_about_by_their_score_until_somebody_says():
    annotation = document(standing(), standing(22, 32, MIDDLE))
    suggested = ScoredDivision(1, (1, 2), 3, 0.5)
    (event,) = found(with_scores(annotation, suggested))
    assert (event.kind, event.object_id, event.others, event.frame) == (ReviewKind.DIVISION, 1, (1, 2), 3)
    assert event.worst.why == "may divide into 1 and 2, score 0.50"
    for said in (ACCEPTED, DECLINED):
        assert events(with_scores(annotation, ScoredDivision(1, (1, 2), 3, said))) == []


def test_a_marked_division_of_a_low_score_is_asked_about_and_a_sure_one_or_a_persons_is_not():
    def divided(score):
        annotation = document(standing(frames=range(3)), standing(20, 12, MIDDLE), standing(20, 28, MIDDLE))
        annotation.do(MarkDivision(Division(1, 3, (2, 3))))
        return with_scores(annotation, ScoredDivision(1, (3, 2), 3, score))

    assert events(divided(0.65)) == [("division", 1, 3, 3)]
    assert events(divided(0.95)) == []
    other = divided(0.65)
    other.do(MarkDivision(Division(1, 3, (2,))))
    assert ("division", 1, 3, 3) not in events(other)


@pytest.mark.parametrize(
    "confirm",
    [
        lambda document: document.do(LockFrames(1, (4,))),
        lambda document: document.do(LockObject(1, locked=True)),
        lambda document: document.do(SetMask(1, 4, disk(20, 20))),
        lambda document: document.do(AddPoints(1, 4, ((20, 20),), (1,))),
        lambda document: document.do(SetMaskPrompt(1, 4, disk(20, 20))),
        lambda document: (
            document.do(SetMaskPrompt(1, 4, disk(20, 20))),
            document.do(AnswerPrompt(1, 4, disk(20, 20), 1.0, 1.0)),
        ),
    ],
    ids=["locked", "object locked", "painted", "clicked", "given as a mask", "taken as it is given"],
)
def test_what_a_person_confirmed_is_never_asked(confirm):
    annotation = document(standing())
    track(annotation, 1, {4: disk(20, 20)}, 0.4)
    confirm(annotation)
    assert events(annotation) == []


def test_what_a_detector_found_is_a_prompt_that_nobody_confirmed():
    annotation = document(standing())
    mask = disk(20, 20)
    cells = {4: AnnotatedFrame(mask, 0.5, 1.0, Origin.PROMPTED)}
    annotation.do(ApplyPatch("Find", Patch(masks={1: cells}, prompts={1: {4: Prompt(mask=mask)}})))
    assert events(annotation) == [("low score", 1, 4, 4)]


def test_only_what_changed_is_read_again(monkeypatch):
    annotation, queue = document(standing(), standing(60, 60)), ReviewQueue()
    queue.update(annotation.snapshot())
    view, read = annotation.snapshot(), []
    monkeypatch.setattr(type(view), "masks_at", lambda *_: pytest.fail("nothing changed"))
    assert queue.update(view) == ()
    monkeypatch.undo()
    track(annotation, 2, {5: disk(60, 60, 10)})
    view = annotation.snapshot()
    masks_at = view.masks_at
    monkeypatch.setattr(view, "masks_at", lambda frame: read.append(frame) or masks_at(frame))
    assert queue.update(view)[0].kind is ReviewKind.AREA
    assert read == [5, 6]  # the next one is compared with it
    annotation.undo()
    assert queue.update(annotation.snapshot()) == ()


def test_it_can_be_stopped_and_goes_on_where_it_was():
    annotation, queue = document(standing(), standing(50, 60, range(5))), ReviewQueue()
    asked = iter([False, False, True])
    with pytest.raises(StoppedError):
        queue.update(annotation.snapshot(), lambda: next(asked))
    assert queue.update(annotation.snapshot()) == found(annotation)


def test_neither_torch_nor_a_window_is_needed():
    code = "import sys, src_model.workflow.review; sys.exit('torch' in sys.modules or 'qtpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_several_reasons_against_one_mask_count_together():
    def scored(**changes):
        annotation = document({**standing(), **changes.get("masks", {})}, standing(60, 60))
        track(annotation, 1, {5: annotation.mask_at(1, 5)}, 0.5)
        return {event.kind: event.score for event in found(annotation)}

    alone, together = scored(), scored(masks={5: disk(20, 20, 9)})
    assert together[ReviewKind.SCORE] == together[ReviewKind.AREA] > alone[ReviewKind.SCORE]


def test_further_places_of_one_object_come_later():
    annotation = document(standing(), standing(60, 60))
    for number, frames in ((1, (2, 6, 9)), (2, (4,))):
        for frame in frames:
            track(annotation, number, {frame: annotation.mask_at(number, frame)}, 0.4 if number == 1 else 0.5)
    assert [(event.object_id, event.frame) for event in found(annotation)] == [(1, 2), (2, 4), (1, 6), (1, 9)]
