"""Find all: beside the panel, as one step; how many stay; what ends it, and what is said where nothing is found."""

from __future__ import annotations

import threading

import pytest

from napari_sam2v.controllers.status import next_step
from napari_sam2v.view_state import TrackOptions
from src_model.document import AddDetections, LockObject
from src_model.errors import StoppedError
from src_model.frames import open_movie
from src_model.masks import Detection, Rle
from tests.tracking import tiny

SQUARES = [Rle.from_box((y, x, y + 8, x + 8), tiny.SHAPE) for y, x in ((2, 2), (2, 20), (20, 2), (20, 20))]
SCORES = (0.7, 0.9, 0.6, 0.8)
BEST_FIRST = [SQUARES[1], SQUARES[3], SQUARES[0], SQUARES[2]]


class Squares:
    """A detector that finds the same squares on each frame, in two steps; it waits between them if asked to."""

    name = "squares"

    def __init__(self, masks=SQUARES):
        self.masks, self.threads = masks, []
        self.began, self.may_go_on = threading.Event(), threading.Event()
        self.may_go_on.set()

    def detect(self, image, query=None, normalization=None, *, progress=None, cancelled=None):
        self.threads.append(threading.current_thread())
        self.began.set()
        assert self.may_go_on.wait(60)
        progress(1, 2)
        if cancelled():
            raise StoppedError("stopped")
        progress(2, 2)
        return [Detection.of_mask(mask, score) for mask, score in zip(self.masks, SCORES, strict=False)]


@pytest.fixture
def finder(user):
    user.notices = []
    user.controller.events.notice.connect(user.notices.append)
    user.controller.finding.detector = Squares()
    return user


@pytest.fixture
def found(finder):
    """Four objects, found on frame 2."""
    finder.controller.show_frame(2)
    finder.controller.finding.start()
    finder.wait()
    return finder


@pytest.fixture
def looking(finder):
    """A search on frame 2 that has begun and waits."""
    finder.controller.finding.detector.may_go_on.clear()
    finder.controller.show_frame(2)
    finder.controller.finding.start()
    finder.host.turn(finder.controller.finding.detector.began.is_set)
    return finder


def masks(user, frame=2):
    return [user.document.mask_at(number, frame) for number in user.document.objects]


def test_all_of_the_shown_frame_are_found_on_the_worker_and_are_one_step(found):
    assert masks(found) == BEST_FIRST
    assert found.controller.finding.detector.threads != [threading.main_thread()]
    assert "Found 4 objects on frame 2" in found.notices[-1]
    assert found.document.undo() == "Detect with squares, frame 2"
    assert not found.document.objects


def test_progress_is_told_and_the_status_says_what_goes_on(looking):
    told = []
    looking.controller.finding.signals.progress.connect(told.append)
    assert next_step(looking.controller, {"stop": "Shift-K"}).text == "Looking for objects on frame 2: Shift+K stops"
    looking.controller.finding.detector.may_go_on.set()
    looking.wait()
    assert [(each.done, each.total) for each in told[:-1]] == [(1, 2), (2, 2)]
    assert told[-1] is None


@pytest.mark.parametrize("number", [1, 3, 4])
def test_how_many_stay_can_be_changed_back_and_forth_within_the_step(found, number):
    finding = found.controller.finding
    finding.keep(2)
    assert masks(found) == BEST_FIRST[:2]
    finding.keep(number)
    assert masks(found) == BEST_FIRST[:number]
    assert list(found.document.objects) == list(range(1, number + 1))
    assert finding.found.kept == number
    assert finding.fixed_reason is None
    found.controller.undo()
    assert not found.document.objects
    assert found.document.undo_label is None
    found.controller.redo()
    assert masks(found) == BEST_FIRST[:number]
    assert finding.fixed_reason is None


def test_it_cannot_be_changed_after_another_step_until_that_is_undone(found):
    finding = found.controller.finding
    changed = []
    finding.signals.changed.connect(lambda: changed.append(finding.fixed_reason))
    found.controller.do(LockObject(1))
    assert "find again" in changed[-1]
    finding.keep(1)
    assert len(found.document.objects) == 4
    found.controller.undo()
    assert changed[-1] is None
    finding.keep(1)
    assert len(found.document.objects) == 1


def test_annotated_objects_stay_as_they_are_and_are_not_found_again(finder):
    mine = Detection.of_mask(SQUARES[3], 1.0)
    finder.document.do(AddDetections(2, (mine,), "me"))
    finder.controller.show_frame(2)
    finder.controller.finding.start()
    finder.wait()
    assert masks(finder) == [SQUARES[3], SQUARES[1], SQUARES[0], SQUARES[2]]
    finder.controller.finding.keep(1)
    finder.controller.finding.keep(2)
    assert masks(finder) == [SQUARES[3], SQUARES[1], SQUARES[0]]
    finder.controller.undo()
    assert masks(finder) == [SQUARES[3]]


def test_what_is_found_is_tracked(found):
    found.controller.tracking.track(TrackOptions("forward", objects="all"))
    found.wait()
    assert all(found.frames(number) == list(range(2, tiny.LENGTH)) for number in (1, 2, 3, 4))
    assert "find again" in found.controller.finding.fixed_reason


def test_a_search_that_is_stopped_changes_nothing(looking):
    looking.controller.finding.stop()
    assert looking.controller.finding.progress is None
    looking.controller.finding.detector.may_go_on.set()
    looking.wait()
    assert not looking.document.objects
    assert looking.problems == []


def test_a_click_is_answered_during_a_search_and_is_not_found_again(looking):
    looking.click(tiny.CLICK, frame=2, wait=False)
    looking.controller.finding.detector.may_go_on.set()
    looking.host.turn(lambda: looking.document.mask_at(1, 2) is not None)
    looking.wait()
    assert looking.controller.finding.found.object_ids[0] == 2
    assert looking.problems == []


def test_a_search_waits_for_the_end_of_a_run_and_says_so(clicked):
    clicked.controller.tracking.track(TrackOptions("forward"))
    clicked.controller.finding.start()
    assert "Stop it" in clicked.problems[-1]
    clicked.wait()
    assert list(clicked.document.objects) == [1]


def test_another_channel_meanwhile_makes_it_void(looking):
    looking.controller.use_movie(open_movie(255 - tiny.make_movie()))
    looking.controller.finding.detector.may_go_on.set()
    looking.wait()
    assert not looking.document.objects
    assert "find again" in looking.problems[-1]


@pytest.mark.parametrize("annotated", [False, True])
def test_nothing_found_is_said_with_what_to_do(finder, annotated):
    finder.controller.finding.detector = Squares(SQUARES[:1] if annotated else [])
    if annotated:
        finder.document.do(AddDetections(0, (Detection.of_mask(SQUARES[0], 1.0),), "me"))
    finder.controller.finding.start()
    finder.wait()
    assert ("Click what is missing" if annotated else "Click one object") in finder.notices[-1]
    assert finder.controller.finding.found is None
    assert finder.controller.finding.fixed_reason == "Find all first"


def test_the_bundled_way_finds_what_the_network_shows(finder, predictor, monkeypatch):
    monkeypatch.setattr(predictor, "mask_thresholds", type(predictor.mask_thresholds)(0.0, 0.0))
    finder.controller.finding.detector = None
    finder.controller.finding.start()
    finder.wait()
    assert finder.document.objects
    assert finder.problems == []


def test_another_document_forgets_what_was_found(found):
    found.controller.close_document()
    assert found.controller.finding.found is None
