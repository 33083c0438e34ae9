"""The tracker follows the document: after any edits, answers are those of a session in which the same was done."""

from __future__ import annotations

import weakref
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from src_model.document import AddObject, AnnotatedObject, LockFrames, MovePoint, Origin, Prompt, SetMask, SetPrompt
from src_model.errors import NoPromptError
from src_model.frames import open_movie
from src_model.masks import Rle
from src_model.tracking.passes import Pass
from src_model.workflow import DocumentTracker, PromptRequest, RepairRequest, snapshot_of
from tests.tracking import tiny
from tests.workflow.document import click, masks, new_document, paint, take_answer, take_frame

NEXT_CLICK = (25, 25)


@pytest.fixture(scope="module")
def predictor():
    return tiny.predictor(tiny.build())


@pytest.fixture(scope="module")
def movie():
    return tiny.make_movie()


@pytest.fixture
def tracker(predictor, movie):
    return DocumentTracker(open_movie(movie), lambda: predictor)


@pytest.fixture
def session(predictor, movie):
    """What the same done by hand gives."""
    return predictor.start(movie)


def answered(tracker, document, frame, object_id=1):
    outcome = tracker.answer(PromptRequest(snapshot_of(document, object_id), frame))
    take_answer(document, outcome)
    return outcome


def propagate(tracker, document, *objects, start=None, stop=None, reverse=False):
    """Track from the first prompt of all, or as said, in one pass."""
    known = [snapshot_of(document, object_id) for object_id in objects or (1,)]
    prompted = [frame for each in known for frame in each.prompts]
    begin = (tiny.LENGTH - 1 if reverse else min(prompted, default=0)) if start is None else start
    end = (-1 if reverse else tiny.LENGTH) if stop is None else stop
    frames = range(begin, end, -1 if reverse else 1)
    return tracker.propagate(known, [Pass(frames, tuple(each.object_id for each in known))])


def track_through(tracker, document, *objects, **options):
    for outcome in propagate(tracker, document, *objects, **options):
        take_frame(document, outcome)


def two_objects(tracker):
    document = new_document()
    document.do(AddObject(AnnotatedObject(2)))
    for object_id, where in ((1, tiny.CLICK), (2, tiny.OTHER_CLICK)):
        click(document, 0, where, object_id=object_id)
        answered(tracker, document, 0, object_id)
    return document


@pytest.fixture
def tracked(tracker):
    """A document with one click on frame 2, tracked to the end."""
    document = new_document()
    click(document, 2, tiny.CLICK)
    answered(tracker, document, 2)
    track_through(tracker, document)
    return document


@pytest.fixture
def by_hand(session):
    session.prompt(2, 1, points=[tiny.CLICK])
    tiny.finish(session.propagate())
    return session


def test_the_network_is_loaded_with_the_first_request(movie, predictor):
    loaded = []
    tracker = DocumentTracker(open_movie(movie), lambda: loaded.append(1) or predictor)
    assert not loaded
    document = new_document()
    click(document, 0, tiny.CLICK)
    answered(tracker, document, 0)
    answered(tracker, document, 0)
    assert loaded == [1]


def test_a_click_gives_three_readings_and_the_mask_of_a_session(tracker, session):
    document = new_document()
    click(document, 0, tiny.CLICK)
    outcome = answered(tracker, document, 0)
    answer = session.prompt(0, 1, points=[tiny.CLICK])
    assert [each.mask for each in outcome.candidates] == [each.rle for each in answer.candidates]
    assert (outcome.mask.mask, outcome.mask.score) == (answer.rle, answer.score)


def test_a_prompt_is_needed(tracker):
    with pytest.raises(NoPromptError, match="object 1 has no prompt on frame 3"):
        tracker.answer(PromptRequest(snapshot_of(new_document(), 1), 3))


def test_another_click_refines_the_answer(tracker, session):
    document = new_document()
    click(document, 0, tiny.CLICK)
    answered(tracker, document, 0)
    click(document, 0, NEXT_CLICK, labels=[0])
    outcome = answered(tracker, document, 0)
    session.prompt(0, 1, points=[tiny.CLICK])
    assert outcome.mask.mask == session.prompt(0, 1, points=[NEXT_CLICK], labels=[0]).rle


def test_a_moved_click_is_answered_anew(tracker, session):
    document = new_document()
    click(document, 0, tiny.CLICK)
    answered(tracker, document, 0)
    document.do(MovePoint(1, 0, 0, NEXT_CLICK))
    assert answered(tracker, document, 0).mask.mask == session.prompt(0, 1, points=[NEXT_CLICK]).rle


def test_a_click_after_an_undone_one_starts_from_nothing(tracker, session):
    document = new_document()
    click(document, 0, tiny.CLICK)
    answered(tracker, document, 0)
    document.undo()
    document.undo()
    click(document, 0, NEXT_CLICK)
    assert answered(tracker, document, 0).mask.mask == session.prompt(0, 1, points=[NEXT_CLICK]).rle


def test_a_mask_with_a_click_is_a_corrected_mask(tracker, session):
    square = np.zeros(tiny.SHAPE, bool)
    square[10:25, 12:30] = True
    document = new_document()
    document.do(SetPrompt(1, 0, Prompt(points=(NEXT_CLICK,), labels=(0,), mask=Rle.encode(square))))
    session.prompt(0, 1, mask=square)
    assert answered(tracker, document, 0).mask.mask == session.prompt(0, 1, points=[NEXT_CLICK], labels=[0]).rle


def test_tracking_gives_the_masks_of_a_session(tracked, by_hand):
    assert masks(tracked) == tiny.masks_of(by_hand)


def test_prompted_frames_are_not_among_the_tracked_ones(tracker, tracked):
    outcomes = list(propagate(tracker, tracked, start=1, stop=4))
    assert [(outcome.frame, set(outcome.masks)) for outcome in outcomes] == [(2, set()), (3, {1})]


def test_stopped_tracking_goes_on_as_if_it_had_never_stopped(tracker, by_hand):
    document = new_document()
    click(document, 2, tiny.CLICK)
    answered(tracker, document, 2)
    track_through(tracker, document, stop=5)
    track_through(tracker, document, start=5)
    assert masks(document) == tiny.masks_of(by_hand)


def test_the_reading_chosen_in_the_document_is_the_one_that_is_tracked(tracker, session):
    document = new_document()
    click(document, 2, tiny.CLICK)
    outcome = answered(tracker, document, 2)
    other = (outcome.chosen + 1) % 3
    take_answer(document, outcome, other)
    track_through(tracker, document)
    session.prompt(2, 1, points=[tiny.CLICK])
    session.choose(2, 1, other)
    tiny.finish(session.propagate())
    assert masks(document) == tiny.masks_of(session)


def test_a_correction_uses_memory_and_repairs_around_it(tracker, tracked, by_hand):
    click(tracked, 5, NEXT_CLICK, labels=[0])
    outcome = answered(tracker, tracked, 5)
    assert outcome.mask.mask == by_hand.prompt(5, 1, points=[NEXT_CLICK], labels=[0]).rle
    for frame in tracker.repair(RepairRequest(snapshot_of(tracked, 1), 5)):
        take_frame(tracked, frame)
    tiny.finish(by_hand.repair(5, 1))
    assert masks(tracked) == tiny.masks_of(by_hand)


def test_after_an_undone_correction_tracking_is_as_before(tracker, tracked, by_hand):
    before, step = masks(tracked), tracked.steps()[-1].number
    click(tracked, 5, NEXT_CLICK, labels=[0])
    answered(tracker, tracked, 5)
    track_through(tracker, tracked, start=3)
    assert masks(tracked) != before
    tracked.go_to(step)
    track_through(tracker, tracked, start=3)
    # Memories are made again from masks that were rounded to pixels: close, not equal.
    for frame, mask in masks(tracked).items():
        both = mask.decode() & before[frame].decode()
        assert both.sum() >= 0.8 * before[frame].area


def test_painted_frames_stay_and_steer_what_follows(tracker, tracked):
    before = masks(tracked)
    painted = np.zeros(tiny.SHAPE, bool)
    painted[25:35, 30:45] = True
    paint(tracked, 5, painted)
    outcomes = list(propagate(tracker, tracked, start=5, stop=7))
    assert not outcomes[0].masks
    assert outcomes[1].masks[1].mask != before[6]


def test_locked_frames_are_never_touched(tracker, tracked):
    tracked.do(LockFrames(1, (4, 5)))
    outcomes = {outcome.frame: outcome.masks for outcome in propagate(tracker, tracked)}
    assert [frame for frame, found in outcomes.items() if found] == [3, 6, 7, 8, 9]


def test_a_document_loaded_into_a_new_tracker_can_be_tracked_on(movie, predictor, tracker):
    document = new_document()
    click(document, 2, tiny.CLICK)
    answered(tracker, document, 2)
    track_through(tracker, document, stop=6)
    fresh = DocumentTracker(open_movie(movie), lambda: predictor)
    track_through(fresh, document, start=6)
    assert sorted(masks(document)) == list(range(2, tiny.LENGTH))


def test_tracking_in_reverse_is_known_as_such(tracker, tracked):
    outcomes = list(propagate(tracker, tracked, start=1, reverse=True))
    assert [(outcome.frame, outcome.reverse) for outcome in outcomes] == [(1, True), (0, True)]


def test_several_objects_are_tracked_together(tracker):
    document = two_objects(tracker)
    track_through(tracker, document, 1, 2, stop=4)
    assert sorted(masks(document, 1)) == sorted(masks(document, 2)) == [0, 1, 2, 3]


def test_imported_masks_help_to_track(tracker, tracked):
    """A frame taken from a file counts as known: the prompt after it is a correction that sees it as memory."""
    tracked.do(SetMask(1, 4, tracked.mask_at(1, 4), 0.5, origin=Origin.IMPORTED))
    click(tracked, 5, NEXT_CLICK, labels=[0])
    assert answered(tracker, tracked, 5).mask.mask.area > 0


def test_an_object_without_an_answer_cannot_be_tracked(tracker):
    document = new_document()
    click(document, 0, tiny.CLICK)
    with pytest.raises(NoPromptError):
        propagate(tracker, document)


def test_masks_that_did_not_change_are_not_read_again(tracked):
    known = {}
    first = snapshot_of(tracked, 1).masks(known)
    tracked.do(SetMask(1, 6, first[7].mask))
    second = snapshot_of(tracked, 1).masks(known)
    assert [frame for frame in second if second[frame] is not first[frame]] == [6]
    assert second[6].mask == first[7].mask
    tracked.undo()
    assert snapshot_of(tracked, 1).masks(known) == first


def test_a_snapshot_is_read_later_and_elsewhere_as_it_was(tracked):
    known, before = snapshot_of(tracked, 1), masks(tracked)
    while tracked.undo():
        pass
    with ThreadPoolExecutor() as pool:
        assert {frame: entry.mask for frame, entry in pool.submit(known.masks).result().items()} == before


def test_a_deleted_object_leaves_with_everything_held_of_it(tracker, tracked):
    item = tracker.session.objects[1]
    held = [weakref.ref(tensor) for entry in item.bank.entries for tensor in entry.tensors]
    held.append(weakref.ref(item.last_answer.prediction.logits))
    del item
    assert held
    tracker.forget([1, 99])
    assert 1 not in tracker.session.objects
    assert not any(ref() is not None for ref in held)
    assert tracker._answers == {}


def test_an_object_deleted_under_way_leaves_at_once(tracker):
    document = two_objects(tracker)
    outcomes = propagate(tracker, document, 1, 2)
    next(outcomes), next(outcomes)
    held = [weakref.ref(entry.pointer) for entry in tracker.session.objects[1].bank.entries]
    tracker.follow([snapshot_of(document, 2)], gone=[1])
    assert not any(ref() is not None for ref in held)
    assert [sorted(outcome.masks) for outcome in outcomes] == [[2]] * (tiny.LENGTH - 2)


def test_an_object_whose_deletion_is_undone_is_tracked_from_what_the_document_says(tracker, tracked):
    tracker.forget([1])
    outcomes = list(propagate(tracker, tracked))
    assert {each.frame: each.masks[1].mask for each in outcomes if each.masks}.keys() == set(range(3, tiny.LENGTH))


def test_forgetting_loads_no_network(movie):
    DocumentTracker(open_movie(movie), lambda: pytest.fail("nothing was asked of it")).forget([1])
