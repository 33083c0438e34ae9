"""Finding and tracking everything in a real viewer: buttons, slider, layers, status line, keys."""

from __future__ import annotations

import pytest

pytest.importorskip("qtpy", reason="no Qt")

from qtpy.QtCore import Qt

from napari_sam2v.preferences import load_preferences, remember
from src_model.masks import Detection, Rle
from tests.tracking import tiny

pytestmark = pytest.mark.gui
CLICK = Qt.MouseButton.LeftButton
BOXES = ((2, 2, 10, 10), (2, 20, 10, 28), (20, 2, 28, 10))


class Boxes:
    """A detector that finds the same boxes everywhere."""

    name = "boxes"

    def detect(self, *_, progress=None, **__):
        return [Detection.of_mask(Rle.from_box(box, tiny.SHAPE), 0.9 - number / 10) for number, box in enumerate(BOXES)]


@pytest.fixture
def finder(person):
    person.controller.finding.detector = Boxes()
    person.widget.movie.show_frame(2)
    return person


def find(finder):
    finder.qtbot.mouseClick(finder.widget.panel.finding.find_button, CLICK)
    finder.wait(lambda: finder.controller.finding.progress is None)


def test_the_button_finds_and_the_slider_takes_away_and_brings_back(finder):
    section = finder.widget.panel.finding
    find(finder)
    assert section.number.text() == "3 of 3"
    assert "Found 3 objects on frame 2" in finder.status
    section.slider.setValue(1)
    finder.wait(lambda: len(finder.document.objects) == 1)
    assert finder.shown(2).max() == 1
    section.slider.setValue(2)
    finder.wait(lambda: len(finder.document.objects) == 2)
    finder.widget.work.undo()
    assert not finder.document.objects
    assert not section.slider.isEnabled()
    assert "Something else was done since" in section.slider.toolTip()


def test_without_a_movie_nothing_can_be_found(finder):
    finder.viewer.layers.remove("movie")
    finder.wait(lambda: finder.controller.document is None)
    panel = finder.widget.panel
    assert not panel.finding.find_button.isEnabled()
    assert not panel.finding.whole_movie.isEnabled()
    assert "Find all first" in panel.finding.slider.toolTip()


def test_everything_is_found_and_tracked_with_one_button_and_summed_up(finder):
    panel = finder.widget.panel
    finder.qtbot.mouseClick(panel.finding.whole_movie, CLICK)
    finder.wait(lambda: finder.controller.tracking.is_tracking)
    assert not panel.finding.whole_movie.isEnabled()
    finder.wait_for_worker()
    assert len(finder.document.objects) >= len(BOXES)
    assert "frames on average" in finder.status
    assert finder.widget.controller.frame == tiny.LENGTH - 1
    assert finder.document.undo() == "Find and track all"


def test_the_keys_find_and_stop(finder):
    handlers = finder.widget.keys._handlers()
    handlers["find_all"]()
    assert finder.controller.finding.progress is not None
    handlers["stop"]()
    assert finder.controller.finding.progress is None
    handlers["track_all"]()
    assert finder.controller.tracking.is_tracking
    handlers["track_all"]()
    assert not finder.controller.tracking.is_tracking
    finder.wait_for_worker()
    assert not finder.document.objects


def test_how_a_whole_movie_is_tracked_is_remembered(open_panel):
    remember(look_every=3)
    form = open_panel().widget.panel.track.advanced.form
    assert form.value("look_every") == 3
    form.changed.emit("divisions", "ask")
    assert load_preferences().divisions == "ask"
