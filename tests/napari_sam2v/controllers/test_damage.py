"""A movie with damaged frames at the controller."""

from __future__ import annotations

import pytest

from napari_sam2v.controllers.track_controller import repair_span
from napari_sam2v.view_state import TrackOptions
from tests.napari_sam2v.controllers.headless_user import HeadlessUser
from tests.tracking import tiny
from tests.tracking.damage import DamagedMovie


@pytest.fixture
def user(predictor):
    user = HeadlessUser(predictor, DamagedMovie(tiny.make_movie(), {0, 4, 5}))
    yield user
    user.controller.close()


def test_a_run_goes_over_damaged_frames_and_names_them_at_the_end(user):
    user.click(tiny.CLICK, frame=2)
    user.controller.tracking.track(TrackOptions("both"))
    user.wait()
    assert user.frames() == [1, 2, 3, 6, 7, 8, 9]
    assert user.problems == ["These could not be read, and were skipped: frames 0, 4-5"]


def test_a_repair_reaches_over_them(user):
    user.click(tiny.CLICK, frame=2)
    user.controller.tracking.track(TrackOptions("forward"))
    user.wait()
    user.click((25, 25), labels=[0], frame=7)
    assert repair_span(user.controller.object_marks.of(1), 7, user.controller.damaged) == range(3, 10)
    before = user.document.mask_at(1, 3)
    user.controller.tracking.repair()
    user.wait()
    assert user.document.mask_at(1, 3) != before


def test_a_click_on_a_damaged_frame_is_answered_with_the_nearest_good_ones(user):
    user.click(tiny.CLICK, frame=4)
    assert user.problems == ["Frame 4 of 'holes' is damaged; prompt frame 3 or 6 instead"]
