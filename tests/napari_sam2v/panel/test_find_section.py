"""The row that finds objects: what is asked for, and what the slider says and may do."""

from __future__ import annotations

import pytest
from qtpy.QtCore import Qt

from napari_sam2v.panel.find_section import FindSection
from src_model.workflow.progress import RunProgress

pytestmark = pytest.mark.gui
CLICK = Qt.MouseButton.LeftButton


@pytest.fixture
def section(qtbot):
    section = FindSection()
    qtbot.addWidget(section)
    section.show()
    return section


def test_the_button_asks_and_stop_takes_its_place_during_a_search(section, qtbot, emissions):
    asked, stopped, height = emissions(section.find_requested), emissions(section.stop_requested), section.height()
    qtbot.mouseClick(section.find_button, CLICK)
    section.set_progress(RunProgress(3, 12, 0, text="Looking for objects on frame 0"))
    assert not section.find_button.isVisible()
    assert section.progress.text().startswith("3 of 12")
    qtbot.mouseClick(section.stop, CLICK)
    assert (asked, stopped) == ([()], [()])
    section.set_progress(None)
    assert section.find_button.isVisible()
    assert section.height() == height


def test_before_anything_is_found_there_is_room_for_the_name_of_the_other_button(section):
    assert not section.slider.isVisible()
    assert "Find all first" in section.slider.toolTip()
    assert section.whole_movie.text() == "Find and track all"


def test_the_slider_reports_what_the_user_moves_and_nothing_else(section, emissions):
    kept = emissions(section.kept)
    section.set_found(12, 30, 0.71, None)
    assert section.slider.isEnabled()
    assert section.number.text() == "12 of 30"
    assert "0.71" in section.slider.toolTip()
    assert kept == []
    section.slider.setValue(20)
    assert kept == [(20,)]
    assert section.number.text() == "20 of 30"


def test_a_slider_that_cannot_be_moved_any_more_says_why(section):
    section.set_found(12, 30, 0.71, "Something else was done since")
    assert not section.slider.isEnabled()
    assert "Something else was done since" in section.slider.toolTip()
    assert section.number.text() == "12 of 30"


def test_the_whole_movie_is_asked_for_with_one_press_slider_or_not(section, qtbot, emissions):
    asked = emissions(section.whole_movie_requested)
    qtbot.mouseClick(section.whole_movie, CLICK)
    section.set_found(12, 30, 0.71, None)
    qtbot.mouseClick(section.whole_movie, CLICK)
    assert asked == [(), ()]
    assert section.whole_movie.accessibleName() == "Find and track all"


def test_without_a_movie_the_buttons_say_so(section):
    section.set_enabled_reason("Choose a movie first")
    for button in (section.find_button, section.whole_movie):
        assert not button.isEnabled()
        assert "Choose a movie first" in button.toolTip()
