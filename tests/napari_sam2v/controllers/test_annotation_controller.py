"""A person at the controller: click, see, track, stop, correct, undo, lock, go on to the next object."""

from __future__ import annotations

import numpy as np
import pytest

from napari_sam2v.layers.painted_labels import MaskEdit
from napari_sam2v.layers.prompt_types import PromptEdit
from napari_sam2v.view_state import TrackOptions
from src_model.document import DeleteObject, LockFrames, MergeObjects, Origin, ShowObject
from src_model.frames import open_movie
from src_model.masks import Rle
from tests.napari_sam2v.controllers.headless_user import HeadlessUser
from tests.tracking import tiny

FORWARD = TrackOptions("forward")
SQUARE = np.zeros(tiny.SHAPE, bool)
SQUARE[10:25, 12:30] = True


def test_the_model_is_loaded_by_the_first_prompt(user):
    assert user.loads == 0
    user.click(tiny.CLICK)
    user.click(tiny.CLICK, (25, 25))
    assert user.loads == 1


def test_a_click_makes_an_object_with_a_mask_and_selects_it(user):
    number = user.click(tiny.CLICK)
    assert user.controller.selected == number == 1
    assert user.document.frame(1, 0).origin is Origin.PROMPTED
    assert user.document.mask_at(1, 0).area > 0


def test_click_and_mask_are_one_step(user):
    user.click(tiny.CLICK)
    user.controller.undo()
    assert not user.document.objects
    assert user.controller.selected is None
    user.controller.redo()
    assert user.document.mask_at(1, 0).area > 0


def test_readings_can_be_cycled_and_come_round(user):
    user.click(tiny.CLICK)
    candidates = user.controller.prompts.candidates
    assert len(candidates.masks) == 3
    first = user.document.mask_at(1, 0)
    seen = []
    for _ in range(3):
        user.controller.prompts.next_mask()
        seen.append(user.document.mask_at(1, 0))
    assert seen[-1] == first
    assert all(any(mask == each.mask for mask in seen) for each in candidates.masks)


def test_a_second_object_is_added_while_the_first_stays(clicked):
    clicked.controller.select(None)
    number = clicked.click(tiny.OTHER_CLICK, frame=2)
    assert list(clicked.document.objects) == [1, number] == [1, 2]


def test_a_moved_box_is_answered_again(user):
    for box in ((5.0, 30.0, 18.0, 48.0), (8.0, 5.0, 30.0, 30.0)):
        user.controller.prompts.edit(PromptEdit(1, 0, "box", box=box))
        user.wait()
    assert user.document.prompt(1, 0).box == (8.0, 5.0, 30.0, 30.0)
    assert user.document.frame(1, 0).origin is Origin.PROMPTED


def test_removing_the_last_click_removes_its_mask(clicked):
    clicked.controller.prompts.edit(PromptEdit(1, 2, "points"))
    clicked.wait()
    assert clicked.document.prompt(1, 2) is None
    assert clicked.document.mask_at(1, 2) is None


def test_tracking_forward_fills_the_movie_in_one_step(clicked):
    clicked.controller.tracking.track(FORWARD)
    assert clicked.controller.tracking.is_tracking
    clicked.wait()
    assert clicked.frames() == list(range(2, tiny.LENGTH))
    assert not clicked.controller.tracking.is_tracking
    clicked.controller.undo()
    assert clicked.frames() == [2]
    clicked.controller.redo()
    assert clicked.frames() == list(range(2, tiny.LENGTH))


def test_tracking_both_ways_is_one_step_too(clicked):
    clicked.controller.show_frame(5)
    clicked.controller.tracking.track(TrackOptions("both"))
    clicked.wait()
    assert clicked.frames() == list(range(tiny.LENGTH))
    assert clicked.document.frame(1, 0).origin is Origin.TRACKED_BACK
    clicked.controller.undo()
    assert clicked.frames() == [2]


@pytest.mark.parametrize(
    ("request_", "frames"),
    [
        (TrackOptions("forward", "count", count=3), [2, 3, 4, 5]),
        (TrackOptions("forward", "range", first=4, last=6), [2, 3, 4, 5, 6]),
        (TrackOptions("backward"), [0, 1, 2]),
    ],
)
def test_only_the_wanted_frames_are_tracked(clicked, request_, frames):
    clicked.controller.tracking.track(request_)
    clicked.wait()
    assert clicked.frames() == frames


def test_stop_keeps_what_is_finished_and_tracking_goes_on_from_there(clicked):
    seen = []
    clicked.controller.events.run.connect(lambda progress: seen.append(progress))
    clicked.controller.tracking.track(FORWARD)
    clicked.host.turn(lambda: len(clicked.frames()) >= 4)
    clicked.controller.tracking.stop()
    clicked.wait()
    done = clicked.frames()
    assert 4 <= len(done) < 8
    assert seen[-1] is None
    clicked.controller.show_frame(done[-1])
    clicked.controller.tracking.track(FORWARD)
    clicked.wait()
    assert clicked.frames() == list(range(2, tiny.LENGTH))


def test_tracking_asked_for_before_the_click_is_answered_waits_for_it(user):
    user.click(tiny.CLICK, wait=False)
    user.controller.tracking.track(FORWARD)
    user.wait()
    assert user.problems == []
    assert len(user.frames()) == tiny.LENGTH


def test_repair_touches_only_frames_up_to_the_next_prompt_or_lock(clicked):
    clicked.controller.tracking.track(FORWARD)
    clicked.wait()
    clicked.controller.do(LockFrames(1, (7,)))
    before = {frame: clicked.document.mask_at(1, frame) for frame in clicked.frames()}
    clicked.click((25, 25), labels=[0], frame=5)
    clicked.controller.tracking.repair()
    clicked.wait()
    after = {frame: clicked.document.mask_at(1, frame) for frame in clicked.frames()}
    assert {frame for frame in after if after[frame] != before[frame]} <= {3, 4, 5, 6}
    assert after[6] != before[6]


def test_a_painted_frame_can_be_repaired_from(clicked):
    clicked.controller.tracking.track(FORWARD)
    clicked.wait()
    clicked.controller.prompts.paint(MaskEdit(1, 5, Rle.encode(SQUARE)))
    assert clicked.document.frame(1, 5).origin is Origin.EDITED
    before = clicked.document.mask_at(1, 6)
    clicked.controller.show_frame(5)
    clicked.controller.tracking.repair()
    clicked.wait()
    assert clicked.document.mask_at(1, 5) == Rle.encode(SQUARE)
    assert clicked.document.mask_at(1, 6) != before


def test_an_erased_mask_says_nothing_of_the_frames_beside_it(clicked):
    clicked.controller.tracking.track(FORWARD)
    clicked.wait()
    clicked.controller.prompts.paint(MaskEdit(1, 5, Rle.empty(tiny.SHAPE)))
    before = {frame: clicked.document.frame(1, frame) for frame in clicked.frames()}
    clicked.controller.show_frame(5)
    clicked.controller.tracking.repair()
    clicked.wait()
    assert {frame: clicked.document.frame(1, frame) for frame in clicked.frames()} == before
    assert clicked.document.prompt(1, 5) is None
    assert "not on frame 5" in clicked.problems[0]
    clicked.controller.show_frame(4)
    clicked.controller.tracking.track(FORWARD)
    clicked.wait()
    empty = [frame for frame in clicked.frames() if clicked.document.mask_at(1, frame).is_empty]
    assert empty == [5]


def test_a_painted_new_object_is_a_mask_prompt(user):
    user.controller.prompts.paint(MaskEdit(1, 0, Rle.encode(SQUARE)))
    user.wait()
    assert user.document.prompt(1, 0).mask == user.document.mask_at(1, 0) == Rle.encode(SQUARE)
    user.controller.tracking.track(FORWARD)
    user.wait()
    assert len(user.frames()) == tiny.LENGTH


def test_labels_of_another_segmentation_become_objects(user):
    other = np.zeros_like(SQUARE)
    other[5:15, 35:48] = True
    user.controller.prompts.take_masks(0, [(None, Rle.encode(SQUARE)), (None, Rle.encode(other))])
    user.wait()
    assert [user.document.mask_at(number, 0).area for number in (1, 2)] == [SQUARE.sum(), other.sum()]


def test_an_undo_while_tracking_ends_the_run_and_takes_it_back(clicked):
    clicked.controller.tracking.track(FORWARD)
    clicked.host.turn(lambda: len(clicked.frames()) >= 3)
    clicked.controller.undo()
    clicked.wait()
    assert clicked.frames() == [2]
    assert not clicked.controller.tracking.is_tracking


def test_all_objects_are_tracked_together(clicked):
    clicked.controller.select(None)
    clicked.click(tiny.OTHER_CLICK, frame=2)
    clicked.controller.tracking.track(TrackOptions("forward", objects="all"))
    clicked.wait()
    assert clicked.frames(1) == clicked.frames(2) == list(range(2, tiny.LENGTH))


def test_what_cannot_be_done_is_said_in_one_sentence_and_leaves_no_traceback(user, caplog):
    user.controller.tracking.track(FORWARD)
    user.wait()
    user.controller.tracking.repair()
    user.wait()
    user.controller.do(ShowObject(5, False))
    assert user.problems[0].startswith("There is no object yet")
    assert "nothing to repair from" in user.problems[1]
    assert "no object 5" in user.problems[2]
    assert caplog.records == []


def test_a_model_that_cannot_be_loaded_is_a_problem_and_loses_nothing(user):
    def fails():
        raise OSError("disk gone")

    user.controller.use_model(fails)
    user.click(tiny.CLICK)
    assert "disk gone" in user.problems[0]
    assert user.document.prompt(1, 0).points == (tiny.CLICK,)


def test_the_worst_frame_is_one_that_nobody_has_confirmed(clicked):
    clicked.controller.tracking.track(FORWARD)
    clicked.wait()
    worst = clicked.controller.worst_frame()
    scores = {frame: clicked.document.frame(1, frame).score for frame in clicked.frames() if frame != 2}
    assert scores[worst] == min(scores.values())
    clicked.controller.show_frame(worst)
    clicked.controller.toggle_frame_lock()
    assert clicked.controller.worst_frame() != worst


def test_objects_are_walked_through_by_key(clicked):
    clicked.controller.select(None)
    clicked.click(tiny.OTHER_CLICK, frame=2)
    walked = []
    for step in (1, 1, -1):
        clicked.controller.select_neighbour(step)
        walked.append(clicked.controller.selected)
    assert walked == [1, 2, 1]


def other_mask():
    other = np.zeros_like(SQUARE)
    other[5:15, 35:48] = True
    return Rle.encode(other)


def test_labels_taken_as_prompts_are_one_step_without_the_model_and_can_be_undone_at_once(user):
    user.controller.prompts.take_masks(0, [(None, Rle.encode(SQUARE)), (None, other_mask())])
    assert [user.document.mask_at(number, 0).area for number in (1, 2)] == [SQUARE.sum(), other_mask().area]
    user.controller.undo()
    assert not user.document.objects
    user.wait()
    assert not user.document.objects
    assert user.loads == 0
    user.controller.redo()
    assert list(user.document.objects) == [1, 2]


def test_one_stroke_over_two_objects_is_one_step(user):
    user.controller.prompts.take_masks(0, [(None, Rle.encode(SQUARE)), (None, other_mask())])
    before = user.document.mask_at(1, 0), user.document.mask_at(2, 0)
    user.controller.prompts.paint(MaskEdit(1, 0, other_mask()), MaskEdit(2, 0, Rle.encode(SQUARE)))
    assert user.document.mask_at(1, 0) == before[1]
    user.controller.undo()
    assert (user.document.mask_at(1, 0), user.document.mask_at(2, 0)) == before


def test_points_of_two_objects_removed_at_once_are_one_step(clicked):
    clicked.controller.select(None)
    clicked.click(tiny.OTHER_CLICK, frame=2)
    clicked.controller.prompts.edit(PromptEdit(1, 2, "points"), PromptEdit(2, 2, "points"))
    assert clicked.document.prompt(1, 2) is clicked.document.prompt(2, 2) is None
    clicked.controller.undo()
    assert clicked.document.prompt(1, 2) is not None
    assert clicked.document.prompt(2, 2) is not None


def test_a_line_adds_its_points_to_those_that_are_there(clicked):
    clicked.controller.prompts.edit(PromptEdit(1, 2, "scribble", ((20.0, 21.0), (20.0, 24.0)), (1, 0)))
    clicked.wait()
    assert clicked.document.prompt(1, 2).points == (tiny.CLICK, (20.0, 21.0), (20.0, 24.0))
    assert clicked.document.prompt(1, 2).labels == (1, 1, 0)


def test_prompts_can_be_collected_before_the_model_answers(user):
    user.controller.prompts.collects = True
    user.click(tiny.CLICK)
    user.click(tiny.CLICK, (25, 25), labels=[1, 0])
    assert user.loads == 0
    assert user.document.mask_at(1, 0) is None
    assert user.controller.prompts.waiting(1) == 1
    user.controller.prompts.answer_waiting()
    user.wait()
    assert user.document.mask_at(1, 0) is not None
    assert user.controller.prompts.waiting(1) == 0
    user.controller.undo()
    assert user.document.prompt(1, 0).points == (tiny.CLICK,)


def test_the_worst_frame_is_found_after_a_merge(clicked):
    clicked.controller.select(None)
    clicked.click(tiny.OTHER_CLICK, frame=2)
    clicked.controller.tracking.track(TrackOptions("forward", objects="all"))
    clicked.wait()
    clicked.controller.do(MergeObjects(1, 2))
    clicked.controller.select(1)
    assert clicked.controller.worst_frame() is not None
    assert not clicked.controller.object_marks.of(1).edited.any()


def test_a_deleted_object_leaves_the_tracker_with_what_was_held_of_it(clicked):
    assert list(clicked.controller.tracker.session.objects) == [1]
    clicked.controller.do(DeleteObject(1))
    clicked.wait()
    assert not clicked.controller.tracker.session.objects
    clicked.controller.undo()
    clicked.click((25, 25), frame=2, object_id=1)
    assert list(clicked.controller.tracker.session.objects) == [1]
    assert clicked.problems == []


def test_the_model_is_loaded_and_the_frame_looked_at_before_anything_is_asked(predictor):
    user = HeadlessUser(predictor, loads_early=True)
    user.wait()
    assert user.loads == 1
    assert user.controller.tracker.session.feature_cache.holds_frame(0)
    user.click(tiny.CLICK)
    assert user.loads == 1
    assert user.controller.tracker.session.feature_cache.misses == 1
    user.controller.close()


def test_the_frame_looked_at_early_is_the_one_that_is_shown_by_then(predictor):
    user = HeadlessUser(predictor, loads_early=True)
    user.controller.show_frame(4)  # as a viewer that goes to the middle of a movie
    user.wait()
    cache = user.controller.tracker.session.feature_cache
    assert [frame for frame in range(tiny.LENGTH) if cache.holds_frame(frame)] == [4]
    user.controller.close()


def test_other_images_need_no_other_network_and_what_was_begun_for_the_former_is_dropped(predictor):
    user = HeadlessUser(predictor, loads_early=True)
    former = user.controller.tracker
    user.controller.use_movie(open_movie(tiny.make_movie()[:, ::-1].copy()))
    user.wait()
    assert not former.is_started
    assert user.controller.tracker.session.feature_cache.holds_frame(0)
    assert user.loads == 1
    user.controller.close()


def test_a_model_that_cannot_be_loaded_early_is_a_problem_when_it_is_needed(predictor):
    def fails():
        raise OSError("disk gone")

    user = HeadlessUser(predictor, load=fails, loads_early=True)
    user.wait()
    assert user.problems == []
    user.click(tiny.CLICK)
    assert "disk gone" in user.problems[0]
    user.controller.close()
