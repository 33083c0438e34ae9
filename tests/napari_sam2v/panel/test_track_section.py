from __future__ import annotations

import pytest
from qtpy.QtCore import Qt

from napari_sam2v.panel.track_section import TrackSection
from napari_sam2v.view_state import TrackOptions
from src_model.workflow import WholeMovieOptions
from src_model.workflow.progress import RunProgress

pytestmark = pytest.mark.gui
CLICK = Qt.MouseButton.LeftButton


@pytest.fixture
def track(qtbot):
    section = TrackSection()
    qtbot.addWidget(section)
    section.set_length(100)
    section.show()
    return section


@pytest.mark.parametrize("direction", ["forward", "backward", "both"])
def field(track, name):
    return (track.options if name in track.options.widgets else track.numbers).widgets[name].native


@pytest.mark.parametrize("direction", ["forward", "backward", "both"])
def test_each_button_asks_for_its_direction(track, qtbot, emissions, direction):
    asked = emissions(track.track_requested)
    qtbot.mouseClick(getattr(track, direction), CLICK)
    assert asked == [(TrackOptions(direction, last=99),)]


def test_numbers_show_only_where_they_count(track, qtbot):
    assert not track.numbers.isVisible()
    qtbot.keyClick(field(track, "extent"), Qt.Key.Key_Down)
    assert field(track, "count").isVisible()
    assert not field(track, "first").isVisible()
    qtbot.keyClick(field(track, "extent"), Qt.Key.Key_Down)
    assert field(track, "first").isVisible()
    assert not field(track, "count").isVisible()


def test_a_request_carries_how_far_and_for_whom(track, qtbot):
    qtbot.keyClick(field(track, "extent"), Qt.Key.Key_Down)
    field(track, "count").setValue(7)
    qtbot.keyClick(field(track, "objects"), Qt.Key.Key_Down)
    assert track.request("forward") == TrackOptions("forward", "count", 7, last=99, objects="all")


def test_a_range_from_the_strip_is_tracked_from_then_on(track, emissions):
    reported = emissions(track.range_changed)
    track.set_range(20, 60)
    assert track.request("both") == TrackOptions("both", "range", 20, 20, 60)
    assert track.numbers.isVisible()
    track.set_range(None, None)
    assert track.request("both").extent == "end"
    assert reported == []


def test_a_typed_range_is_reported_and_keeps_its_order(track, emissions):
    track.set_range(20, 60)
    reported = emissions(track.range_changed)
    field(track, "first").setValue(70)
    assert reported == [(70, 70)]
    field(track, "last").setValue(200)
    assert reported[1:] == [(70, 99)]


def test_stop_takes_the_place_of_the_buttons_while_a_run_goes_on(track, qtbot):
    height = track.height()
    track.set_running(RunProgress(34, 120, 34, 41.0))
    assert track.stop.isVisible()
    assert not track.forward.isVisible()
    assert track.progress.text() == "34 of 120 · 41 s left"
    assert track.height() == height
    with qtbot.waitSignal(track.stop_requested):
        qtbot.mouseClick(track.stop, CLICK)
    track.set_running(None)
    assert track.forward.isVisible()


def test_tracking_that_is_not_possible_says_why(track):
    track.set_enabled_reason("Prompt the object first")
    for button in (track.forward, track.backward, track.both):
        assert not button.isEnabled()
        assert "Prompt the object first" in button.toolTip()


def test_repair_says_which_frames_it_would_track_again(track, qtbot):
    assert not track.repair.isEnabled()
    track.set_repair("frames 12 to 30")
    assert "frames 12 to 30" in track.repair.toolTip()
    with qtbot.waitSignal(track.repair_requested):
        qtbot.mouseClick(track.repair, CLICK)


def test_advanced_settings_open_beside_the_panel_and_report_what_the_user_changed(track, qtbot, emissions):
    advanced, height = track.advanced, track.sizeHint().height()
    assert not advanced.isVisible()
    qtbot.mouseClick(track.more, CLICK)
    assert advanced.form.widgets["overlap"].native.isVisible()
    assert track.sizeHint().height() == height
    reported = emissions(advanced.form.changed)
    advanced.form.show_values(overlap="score", repair=False, follow=True)
    assert reported == []
    advanced.form.widgets["repair"].native.click()
    assert reported == [("repair", True)]
    assert advanced.form.values() == {
        "overlap": "score",
        "repair": True,
        "collect_prompts": False,
        "follow": True,
        "look_every": 5,
        "divisions": "auto",
    }


def test_the_whole_movie_is_asked_for_as_the_settings_say(track):
    assert track.whole_movie_request() == WholeMovieOptions(every=5, divisions="auto")
    track.advanced.form.show_values(look_every=3, divisions="ask")
    assert track.whole_movie_request() == WholeMovieOptions(every=3, divisions="ask")


def test_numbers_give_way_to_the_progress_of_a_run(track):
    track.set_range(20, 60)
    track.set_running(RunProgress(1, 9))
    assert not track.numbers.isVisible()
    track.set_running(None)
    assert track.numbers.isVisible()
