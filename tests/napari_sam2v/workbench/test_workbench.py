"""A person at the workbench: click, see, track, stop, correct, undo, lock, go on to the next object."""

from __future__ import annotations

import numpy as np
import pytest

from napari_sam2v.layers.painted_labels import MaskEdit
from napari_sam2v.layers.prompt_types import PromptEdit
from napari_sam2v.panel.view_state import TrackRequest
from src_model.document import DeleteObject, LockFrames, MergeObjects, Origin, ShowObject
from src_model.masks import MaskletFrame, Rle
from tests.tracking import tiny

FORWARD = TrackRequest("forward")
SQUARE = np.zeros(tiny.SHAPE, bool)
SQUARE[10:25, 12:30] = True


def test_the_model_is_loaded_by_the_first_prompt(seat):
    assert seat.loads == 0
    seat.click(tiny.CLICK)
    seat.click(tiny.CLICK, (25, 25))
    assert seat.loads == 1


def test_a_click_makes_an_object_with_a_mask_and_selects_it(seat):
    number = seat.click(tiny.CLICK)
    assert seat.workbench.selected == number == 1
    assert seat.document.frame(1, 0).origin is Origin.PROMPTED
    assert seat.document.mask_at(1, 0).area > 0


def test_click_and_mask_are_one_step(seat):
    seat.click(tiny.CLICK)
    seat.workbench.undo()
    assert not seat.document.objects
    assert seat.workbench.selected is None
    seat.workbench.redo()
    assert seat.document.mask_at(1, 0).area > 0


def test_readings_can_be_cycled_and_come_round(seat):
    seat.click(tiny.CLICK)
    readings = seat.workbench.prompts.readings
    assert len(readings.candidates) == 3
    first = seat.document.mask_at(1, 0)
    seen = []
    for _ in range(3):
        seat.workbench.prompts.next_reading()
        seen.append(seat.document.mask_at(1, 0))
    assert seen[-1] == first
    assert all(any(mask == each.mask for mask in seen) for each in readings.candidates)


def test_a_second_object_is_added_while_the_first_stays(clicked):
    clicked.workbench.select(None)
    number = clicked.click(tiny.OTHER_CLICK, frame=2)
    assert list(clicked.document.objects) == [1, number] == [1, 2]


def test_a_moved_box_is_answered_again(seat):
    for box in ((5.0, 30.0, 18.0, 48.0), (8.0, 5.0, 30.0, 30.0)):
        seat.workbench.prompts.edit(PromptEdit(1, 0, "box", box=box))
        seat.wait()
    assert seat.document.prompt(1, 0).box == (8.0, 5.0, 30.0, 30.0)
    assert seat.document.frame(1, 0).origin is Origin.PROMPTED


def test_removing_the_last_click_removes_its_mask(clicked):
    clicked.workbench.prompts.edit(PromptEdit(1, 2, "points"))
    clicked.wait()
    assert clicked.document.prompt(1, 2) is None
    assert clicked.document.mask_at(1, 2) is None


def test_tracking_forward_fills_the_movie_in_one_step(clicked):
    clicked.workbench.tracking.track(FORWARD)
    assert clicked.workbench.tracking.is_tracking
    clicked.wait()
    assert clicked.frames() == list(range(2, tiny.LENGTH))
    assert not clicked.workbench.tracking.is_tracking
    clicked.workbench.undo()
    assert clicked.frames() == [2]
    clicked.workbench.redo()
    assert clicked.frames() == list(range(2, tiny.LENGTH))


def test_tracking_both_ways_is_one_step_too(clicked):
    clicked.workbench.show_frame(5)
    clicked.workbench.tracking.track(TrackRequest("both"))
    clicked.wait()
    assert clicked.frames() == list(range(tiny.LENGTH))
    assert clicked.document.frame(1, 0).origin is Origin.TRACKED_BACK
    clicked.workbench.undo()
    assert clicked.frames() == [2]


@pytest.mark.parametrize(
    ("request_", "frames"),
    [
        (TrackRequest("forward", "count", count=3), [2, 3, 4, 5]),
        (TrackRequest("forward", "range", first=4, last=6), [2, 3, 4, 5, 6]),
        (TrackRequest("backward"), [0, 1, 2]),
    ],
)
def test_only_the_wanted_frames_are_tracked(clicked, request_, frames):
    clicked.workbench.tracking.track(request_)
    clicked.wait()
    assert clicked.frames() == frames


def test_stop_keeps_what_is_finished_and_tracking_goes_on_from_there(clicked):
    seen = []
    clicked.workbench.events.run.connect(lambda progress: seen.append(progress))
    clicked.workbench.tracking.track(FORWARD)
    clicked.host.turn(lambda: len(clicked.frames()) >= 4)
    clicked.workbench.tracking.stop()
    clicked.wait()
    done = clicked.frames()
    assert 4 <= len(done) < 8
    assert seen[-1] is None
    clicked.workbench.show_frame(done[-1])
    clicked.workbench.tracking.track(FORWARD)
    clicked.wait()
    assert clicked.frames() == list(range(2, tiny.LENGTH))


def test_tracking_asked_for_before_the_click_is_answered_waits_for_it(seat):
    seat.click(tiny.CLICK, wait=False)
    seat.workbench.tracking.track(FORWARD)
    seat.wait()
    assert seat.problems == []
    assert len(seat.frames()) == tiny.LENGTH


def test_repair_touches_only_frames_up_to_the_next_prompt_or_lock(clicked):
    clicked.workbench.tracking.track(FORWARD)
    clicked.wait()
    clicked.workbench.do(LockFrames(1, (7,)))
    before = {frame: clicked.document.mask_at(1, frame) for frame in clicked.frames()}
    clicked.click((25, 25), labels=[0], frame=5)
    clicked.workbench.tracking.repair()
    clicked.wait()
    after = {frame: clicked.document.mask_at(1, frame) for frame in clicked.frames()}
    assert {frame for frame in after if after[frame] != before[frame]} <= {3, 4, 5, 6}
    assert after[6] != before[6]


def test_a_painted_frame_can_be_repaired_from(clicked):
    clicked.workbench.tracking.track(FORWARD)
    clicked.wait()
    clicked.workbench.prompts.paint(MaskEdit(1, 5, Rle.encode(SQUARE)))
    assert clicked.document.frame(1, 5).origin is Origin.EDITED
    before = clicked.document.mask_at(1, 6)
    clicked.workbench.show_frame(5)
    clicked.workbench.tracking.repair()
    clicked.wait()
    assert clicked.document.mask_at(1, 5) == Rle.encode(SQUARE)
    assert clicked.document.mask_at(1, 6) != before


def test_an_erased_mask_says_nothing_of_the_frames_beside_it(clicked):
    clicked.workbench.tracking.track(FORWARD)
    clicked.wait()
    clicked.workbench.prompts.paint(MaskEdit(1, 5, Rle.empty(tiny.SHAPE)))
    before = {frame: clicked.document.frame(1, frame) for frame in clicked.frames()}
    clicked.workbench.show_frame(5)
    clicked.workbench.tracking.repair()
    clicked.wait()
    assert {frame: clicked.document.frame(1, frame) for frame in clicked.frames()} == before
    assert clicked.document.prompt(1, 5) is None
    assert "not on frame 5" in clicked.problems[0]
    clicked.workbench.show_frame(4)
    clicked.workbench.tracking.track(FORWARD)
    clicked.wait()
    empty = [frame for frame in clicked.frames() if clicked.document.mask_at(1, frame).is_empty]
    assert empty == [5]


def test_a_painted_new_object_is_a_mask_prompt(seat):
    seat.workbench.prompts.paint(MaskEdit(1, 0, Rle.encode(SQUARE)))
    seat.wait()
    assert seat.document.prompt(1, 0).mask == seat.document.mask_at(1, 0) == Rle.encode(SQUARE)
    seat.workbench.tracking.track(FORWARD)
    seat.wait()
    assert len(seat.frames()) == tiny.LENGTH


def test_labels_of_another_segmentation_become_objects(seat):
    other = np.zeros_like(SQUARE)
    other[5:15, 35:48] = True
    seat.workbench.prompts.take_masks(0, [(None, Rle.encode(SQUARE)), (None, Rle.encode(other))])
    seat.wait()
    assert [seat.document.mask_at(number, 0).area for number in (1, 2)] == [SQUARE.sum(), other.sum()]


def test_an_undo_while_tracking_ends_the_run_and_takes_it_back(clicked):
    clicked.workbench.tracking.track(FORWARD)
    clicked.host.turn(lambda: len(clicked.frames()) >= 3)
    clicked.workbench.undo()
    clicked.wait()
    assert clicked.frames() == [2]
    assert not clicked.workbench.tracking.is_tracking


def test_all_objects_are_tracked_together(clicked):
    clicked.workbench.select(None)
    clicked.click(tiny.OTHER_CLICK, frame=2)
    clicked.workbench.tracking.track(TrackRequest("forward", objects="all"))
    clicked.wait()
    assert clicked.frames(1) == clicked.frames(2) == list(range(2, tiny.LENGTH))


def test_what_cannot_be_done_is_said_in_one_sentence_and_leaves_no_traceback(seat, caplog):
    seat.workbench.tracking.track(FORWARD)
    seat.wait()
    seat.workbench.tracking.repair()
    seat.wait()
    seat.workbench.do(ShowObject(5, False))
    assert seat.problems[0].startswith("There is no object yet")
    assert "nothing to repair from" in seat.problems[1]
    assert "no object 5" in seat.problems[2]
    assert caplog.records == []


def test_a_model_that_cannot_be_loaded_is_a_problem_and_loses_nothing(seat):
    def fails():
        raise OSError("disk gone")

    seat.workbench.use_model(fails)
    seat.click(tiny.CLICK)
    assert "disk gone" in seat.problems[0]
    assert seat.document.prompt(1, 0).points == (tiny.CLICK,)


def test_the_worst_frame_is_one_that_nobody_has_confirmed(clicked):
    clicked.workbench.tracking.track(FORWARD)
    clicked.wait()
    worst = clicked.workbench.worst_frame()
    scores = {frame: clicked.document.frame(1, frame).score for frame in clicked.frames() if frame != 2}
    assert scores[worst] == min(scores.values())
    clicked.workbench.show_frame(worst)
    clicked.workbench.toggle_frame_lock()
    assert clicked.workbench.worst_frame() != worst


def test_objects_are_walked_through_by_key(clicked):
    clicked.workbench.select(None)
    clicked.click(tiny.OTHER_CLICK, frame=2)
    walked = []
    for step in (1, 1, -1):
        clicked.workbench.select_neighbour(step)
        walked.append(clicked.workbench.selected)
    assert walked == [1, 2, 1]


def other_mask():
    other = np.zeros_like(SQUARE)
    other[5:15, 35:48] = True
    return Rle.encode(other)


def test_labels_taken_as_prompts_are_one_step_without_the_model_and_can_be_undone_at_once(seat):
    seat.workbench.prompts.take_masks(0, [(None, Rle.encode(SQUARE)), (None, other_mask())])
    assert [seat.document.mask_at(number, 0).area for number in (1, 2)] == [SQUARE.sum(), other_mask().area]
    seat.workbench.undo()
    assert not seat.document.objects
    seat.wait()
    assert not seat.document.objects
    assert seat.loads == 0
    seat.workbench.redo()
    assert list(seat.document.objects) == [1, 2]


def test_one_stroke_over_two_objects_is_one_step(seat):
    seat.workbench.prompts.take_masks(0, [(None, Rle.encode(SQUARE)), (None, other_mask())])
    before = seat.document.mask_at(1, 0), seat.document.mask_at(2, 0)
    seat.workbench.prompts.paint(MaskEdit(1, 0, other_mask()), MaskEdit(2, 0, Rle.encode(SQUARE)))
    assert seat.document.mask_at(1, 0) == before[1]
    seat.workbench.undo()
    assert (seat.document.mask_at(1, 0), seat.document.mask_at(2, 0)) == before


def test_points_of_two_objects_removed_at_once_are_one_step(clicked):
    clicked.workbench.select(None)
    clicked.click(tiny.OTHER_CLICK, frame=2)
    clicked.workbench.prompts.edit(PromptEdit(1, 2, "points"), PromptEdit(2, 2, "points"))
    assert clicked.document.prompt(1, 2) is clicked.document.prompt(2, 2) is None
    clicked.workbench.undo()
    assert clicked.document.prompt(1, 2) is not None
    assert clicked.document.prompt(2, 2) is not None


def test_a_line_adds_its_points_to_those_that_are_there(clicked):
    clicked.workbench.prompts.edit(PromptEdit(1, 2, "scribble", ((20.0, 21.0), (20.0, 24.0)), (1, 0)))
    clicked.wait()
    assert clicked.document.prompt(1, 2).points == (tiny.CLICK, (20.0, 21.0), (20.0, 24.0))
    assert clicked.document.prompt(1, 2).labels == (1, 1, 0)


def test_prompts_can_be_collected_before_the_model_answers(seat):
    seat.workbench.prompts.collects = True
    seat.click(tiny.CLICK)
    seat.click(tiny.CLICK, (25, 25), labels=[1, 0])
    assert seat.loads == 0
    assert seat.document.mask_at(1, 0) is None
    assert seat.workbench.prompts.waiting(1) == 1
    seat.workbench.prompts.answer_waiting()
    seat.wait()
    assert seat.document.mask_at(1, 0) is not None
    assert seat.workbench.prompts.waiting(1) == 0
    seat.workbench.undo()
    assert seat.document.prompt(1, 0).points == (tiny.CLICK,)


def test_a_review_goes_through_the_doubtful_frames_of_all_shown_objects_and_round(clicked):
    clicked.workbench.select(None)
    clicked.click(tiny.OTHER_CLICK, frame=2)
    weak = {1: {4: 0.5, 5: 0.3, 8: 0.6}, 2: {3: 0.2}}
    opened = clicked.document.propagation()
    for frame in range(3, 9):
        entries = {i: MaskletFrame(Rle.encode(SQUARE), weak[i].get(frame, 0.9), 1.0) for i in (1, 2)}
        opened.add(frame, entries)
    opened.close()
    bench, seen = clicked.workbench, []
    bench.select(1)
    bench.show_frame(0)
    for _ in range(4):
        object_id, frame = bench.next_doubt()
        seen.append((object_id, frame))
        bench.select(object_id)
        bench.show_frame(frame)
    assert seen == [(1, 5), (1, 8), (2, 3), (1, 5)]
    bench.do(ShowObject(1, False))
    assert bench.next_doubt() == (2, 3)
    bench.do(LockFrames(2, (3,)))
    assert bench.next_doubt() is None


def test_the_worst_frame_is_found_after_a_merge(clicked):
    clicked.workbench.select(None)
    clicked.click(tiny.OTHER_CLICK, frame=2)
    clicked.workbench.tracking.track(TrackRequest("forward", objects="all"))
    clicked.wait()
    clicked.workbench.do(MergeObjects(1, 2))
    clicked.workbench.select(1)
    assert clicked.workbench.worst_frame() is not None
    assert not clicked.workbench.book.marks(1).edited.any()


def test_a_deleted_object_leaves_the_tracker_with_what_was_held_of_it(clicked):
    assert list(clicked.workbench.tracker.session.objects) == [1]
    clicked.workbench.do(DeleteObject(1))
    clicked.wait()
    assert not clicked.workbench.tracker.session.objects
    clicked.workbench.undo()
    clicked.click((25, 25), frame=2, object_id=1)
    assert list(clicked.workbench.tracker.session.objects) == [1]
    assert clicked.problems == []
