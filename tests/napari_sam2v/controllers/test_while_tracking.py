"""What a person does while a run is under way: it is done, and the run goes on."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from psygnal import Signal

from napari_sam2v.bindings.model_binding import ModelBinding
from napari_sam2v.controllers.status import next_step
from napari_sam2v.layers.painted_labels import MaskEdit
from napari_sam2v.preferences import Preferences
from napari_sam2v.view_state import TrackOptions
from src_model.document import AddObject, AnnotatedObject, DeleteObject, LockFrames, Origin
from src_model.frames import Normalization, open_movie
from src_model.masks import Rle
from tests.tracking import tiny

ALL = TrackOptions("forward", objects="all")
EVERY_FRAME = list(range(2, tiny.LENGTH))
SQUARE = np.zeros(tiny.SHAPE, bool)
SQUARE[20:30, 20:35] = True


@pytest.fixture
def running(clicked):
    """One object that is being tracked from frame 2 on; frame 3 is done, frame 7 is not."""
    clicked.controller.tracking.track(ALL)
    clicked.host.turn(lambda: 3 in clicked.frames())
    assert clicked.controller.tracking.is_tracking
    assert 7 not in clicked.frames()
    return clicked


def session_of(user):
    return user.controller.tracker.session


@pytest.mark.parametrize("frame", [3, 8])
def test_a_click_on_the_object_is_answered_and_the_run_goes_on_from_it(running, frame):
    running.click((25, 25), frame=frame, object_id=1, wait=False)
    running.host.turn(lambda: running.controller.prompts.candidates is not None)
    assert running.controller.tracking.is_tracking
    answer = running.document.mask_at(1, frame)
    running.wait()
    assert running.frames() == EVERY_FRAME
    assert running.document.mask_at(1, frame) == answer
    assert running.document.frame(1, frame).origin is Origin.PROMPTED
    assert {2, frame} <= session_of(running).objects[1].bank.conditioning.keys()
    assert running.problems == []


def test_a_click_ahead_gives_what_a_session_gives(running, predictor):
    running.click((25, 25), frame=9, object_id=1)
    by_hand = predictor.start(tiny.make_movie())
    by_hand.prompt(2, 1, points=[tiny.CLICK])
    by_hand.prompt(9, 1, points=[(25, 25)])
    assert running.document.mask_at(1, 9) == by_hand.masklets[1].mask_at(9)


def test_a_click_starts_another_object_meanwhile(running):
    running.controller.select(None)
    running.click(tiny.OTHER_CLICK, frame=3)
    assert running.frames(1) == EVERY_FRAME
    assert running.frames(2) == [3]
    assert running.problems == []


def test_another_mask_reaches_the_run(running):
    running.click((25, 25), frame=8, object_id=1, wait=False)
    running.host.turn(lambda: running.controller.prompts.candidates is not None)
    running.controller.prompts.next_mask()
    chosen = running.document.mask_at(1, 8)
    running.wait()
    assert running.frames() == EVERY_FRAME
    assert running.document.mask_at(1, 8) == session_of(running).masklets[1].mask_at(8) == chosen


def test_what_is_painted_and_locked_ahead_stays_and_is_known_to_the_run(running):
    running.controller.prompts.paint(MaskEdit(1, 8, Rle.encode(SQUARE)))
    running.controller.do(LockFrames(1, (8,)))
    running.wait()
    assert running.frames() == EVERY_FRAME
    assert running.document.mask_at(1, 8) == Rle.encode(SQUARE) == session_of(running).masklets[1].mask_at(8)
    assert session_of(running).objects[1].is_fixed(8)


def test_the_tracker_looks_again_at_what_was_edited_and_at_nothing_else(running, monkeypatch):
    told = []
    tracker = running.controller.tracker
    follow = tracker.follow
    monkeypatch.setattr(
        tracker, "follow", lambda known, gone: told.append([each.object_id for each in known]) or follow(known, gone)
    )
    running.controller.do(AddObject(AnnotatedObject(5)))
    running.controller.do(LockFrames(1, (8,)))
    running.wait()
    assert [known for known in told if known] == [[1]]


def test_an_object_that_is_deleted_is_tracked_no_further_and_the_others_are(clicked):
    clicked.controller.select(None)
    clicked.click(tiny.OTHER_CLICK, frame=2)
    clicked.controller.tracking.track(ALL)
    clicked.host.turn(lambda: 3 in clicked.frames())
    clicked.controller.do(DeleteObject(2))
    clicked.wait()
    assert clicked.frames(1) == EVERY_FRAME
    assert list(session_of(clicked).objects) == [1]
    assert clicked.problems == []


def test_another_frame_or_object_may_be_shown(running):
    running.controller.show_frame(0)
    running.controller.select(None)
    running.wait()
    assert running.frames() == EVERY_FRAME


@pytest.mark.parametrize("change", ["contrast", "channel"])
def test_another_contrast_or_channel_counts_after_the_run(running, change):
    tracker = running.controller.tracker
    if change == "contrast":
        running.controller.use_normalization(Normalization("limits", (0.0,), (90.0,)))
    else:
        running.controller.use_movie(open_movie(255 - tiny.make_movie()))
    assert running.controller.tracker is tracker
    assert "after this run" in next_step(running.controller, {}).text
    running.wait()
    assert running.frames() == EVERY_FRAME
    assert running.controller.tracker is not tracker
    assert not running.controller.is_tracker_stale


def test_a_repair_has_to_wait_and_says_so(running):
    running.controller.tracking.repair()
    assert "Stop it" in running.problems[0]
    running.wait()
    assert running.frames() == EVERY_FRAME


class Section:
    """The part of the panel that offers models."""

    model_chosen = Signal(str)
    download_requested = Signal(str)
    download_cancelled = Signal()

    def __init__(self):
        self.chosen = None

    def set_models(self, choices, chosen):
        self.chosen = chosen

    def set_device(self, text):
        pass

    def set_download(self, progress):
        pass


@pytest.mark.parametrize("stops", [True, False])
def test_another_model_asks_before_it_ends_the_run(running, stops):
    asked, section = [], Section()

    def may_stop(text):
        asked.append(text)
        return stops

    dialogs = SimpleNamespace(may_stop=may_stop)
    binding = ModelBinding(section, running.controller, dialogs, running.host.post, Preferences())
    tracker = running.controller.tracker
    section.model_chosen.emit("sam2.1-tiny")
    assert len(asked) == 1
    assert "sam2.1-tiny" in asked[0]
    assert running.controller.tracking.is_tracking is not stops
    assert (running.controller.tracker is tracker) is not stops
    running.wait()
    assert (running.frames() == EVERY_FRAME) is not stops
    section.model_chosen.emit("default")
    assert len(asked) == 1  # nothing runs any more
    binding.close()
