"""A movie with damaged frames at the workbench."""

from __future__ import annotations

import pytest

from napari_sam2v.panel.view_state import TrackRequest
from napari_sam2v.workbench.track_desk import repair_span
from tests.napari_sam2v.workbench.bench import Seat
from tests.tracking import tiny
from tests.tracking.damage import DamagedMovie


@pytest.fixture
def seat(predictor):
    seat = Seat(predictor, DamagedMovie(tiny.make_movie(), {0, 4, 5}))
    yield seat
    seat.workbench.close()


def test_a_run_goes_over_damaged_frames_and_names_them_at_the_end(seat):
    seat.click(tiny.CLICK, frame=2)
    seat.workbench.tracking.track(TrackRequest("both"))
    seat.wait()
    assert seat.frames() == [1, 2, 3, 6, 7, 8, 9]
    assert seat.problems == ["Cannot be read, and gone over: frames 0, 4-5"]


def test_a_repair_reaches_over_them(seat):
    seat.click(tiny.CLICK, frame=2)
    seat.workbench.tracking.track(TrackRequest("forward"))
    seat.wait()
    seat.click((25, 25), labels=[0], frame=7)
    assert repair_span(seat.workbench.book.marks(1), 7, seat.workbench.damaged) == range(3, 10)
    before = seat.document.mask_at(1, 3)
    seat.workbench.tracking.repair()
    seat.wait()
    assert seat.document.mask_at(1, 3) != before


def test_a_click_on_a_damaged_frame_is_answered_with_the_nearest_good_ones(seat):
    seat.click(tiny.CLICK, frame=4)
    assert seat.problems == ["Frame 4 of 'holes' is damaged; prompt frame 3 or 6 instead"]
