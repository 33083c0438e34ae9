from __future__ import annotations

import pytest
from qtpy.QtWidgets import QAbstractButton, QComboBox, QScrollArea, QWidget

from napari_sam2v.actions import ACTIONS, DEFAULT_KEYS
from napari_sam2v.panel.panel import Panel
from src_model.workflow.progress import RunProgress
from tests.napari_sam2v.panel import gallery

pytestmark = pytest.mark.gui


@pytest.fixture
def panel(qtbot, styled):
    panel = Panel()
    qtbot.addWidget(panel)
    styled(panel)
    panel.show()
    return panel


def scrolls(panel):
    return panel.findChild(QScrollArea).verticalScrollBar().maximum() > 0


@pytest.mark.parametrize("state", [gallery.empty, gallery.working, gallery.running])
def test_the_panel_fits_a_window_of_900_pixels_without_scrolling(panel, qtbot, state):
    state(panel)
    # what napari's menu, title and status bars leave of 900
    panel.resize(340, 830)
    qtbot.waitUntil(lambda: not scrolls(panel))
    assert panel.sizeHint().height() <= 900
    assert panel.width() <= 345


def test_with_little_height_the_panel_scrolls_and_nothing_is_cut(panel, qtbot):
    gallery.working(panel)
    panel.resize(340, 400)
    qtbot.waitUntil(lambda: scrolls(panel))
    area = panel.findChild(QScrollArea)
    qtbot.waitUntil(lambda: area.widget().width() <= area.viewport().width())


def test_however_little_height_there_is_two_objects_are_seen(panel, qtbot):
    gallery.working(panel)
    panel.offer.set_offer(None)
    panel.resize(340, 400)
    view = panel.objects.view
    qtbot.waitUntil(lambda: view.viewport().height() >= 2 * view.rowHeight(0))


@pytest.mark.parametrize("state", [gallery.empty, gallery.working, gallery.running])
def test_everything_fits_a_screen_of_720_pixels(panel, qtbot, state):
    state(panel)
    panel.resize(343, 655)  # what napari leaves of 720
    qtbot.waitUntil(lambda: not scrolls(panel))
    below = panel.result.save.mapTo(panel, panel.result.save.rect().bottomLeft()).y()
    assert below < 655


def test_more_height_goes_to_the_table_and_the_strip(panel, qtbot):
    gallery.working(panel)
    panel.resize(340, 840)
    before = panel.objects.height(), panel.strip.height()
    panel.resize(340, 1040)
    qtbot.waitUntil(lambda: panel.objects.height() >= before[0] + 100 and panel.strip.height() >= before[1] + 30)


@pytest.mark.parametrize("height", [655, 1010])
def test_messages_and_offers_move_no_button_above_the_table(panel, qtbot, height):
    gallery.working(panel)
    panel.resize(343, height)
    panel.offer.set_offer(None)
    qtbot.wait(20)
    above = [
        *panel.prompts.tools.values(),
        panel.prompts.next_button,
        panel.image.form.widgets["layer_name"].native,
        panel.model.form,
    ]
    below = [] if height < 700 else [panel.track.forward, panel.strip.worst, panel.result.save]

    def places():
        qtbot.wait(20)
        return [widget.mapTo(panel, widget.rect().topLeft()) for widget in (*above, *below)]

    before = places()
    panel.status.set_text("Something did not work, and this is why, at length. " * 8, "error")
    assert places() == before
    panel.offer.set_offer("Unsaved work on 'embryo' of 12 Nov 10:48: 11 objects, 96 masks.")
    assert places() == before
    panel.model.set_download(RunProgress(3, 898))
    panel.track.set_running(RunProgress(1, 80))
    panel.result.set_running(RunProgress(1, 80))
    assert [places()[0], places()[5]] == [before[0], before[5]]


@pytest.mark.parametrize("state", gallery.STATES.values(), ids=gallery.STATES)
def test_no_combo_box_is_ever_blank(panel, state):
    state(panel)
    assert all(box.currentText() or box.placeholderText() for box in panel.findChildren(QComboBox))


def test_every_control_has_a_tooltip_and_an_accessible_name(panel):
    gallery.crowded(panel)
    ours = [w for w in panel.findChildren(QWidget) if isinstance(w, QAbstractButton | QComboBox) and w.isVisible()]
    assert len(ours) > 20
    assert [w for w in ours if not w.toolTip()] == []
    assert [w for w in ours if not (w.accessibleName() or w.text())] == []


def test_a_range_set_on_the_strip_and_one_typed_are_the_same(panel):
    gallery.working(panel)
    panel.strip.range_changed.emit(10, 20)
    assert panel.track.request("forward").first == 10
    panel.track.numbers.widgets["first"].native.setValue(15)
    assert panel.strip.canvas.range == (15, 20)


def test_keys_chosen_by_the_user_show_everywhere(panel):
    panel.set_keys(DEFAULT_KEYS | {"next_object": "F7", "undo": ""})
    assert "(F7)" in panel.prompts.next_button.toolTip()
    assert "(" not in panel.prompts.undo_button.toolTip().splitlines()[0]


def test_the_overview_lists_every_action_that_has_a_key(panel, qtbot):
    panel.set_keys(DEFAULT_KEYS | {"undo": ""})
    panel.show_shortcuts()
    texts = {label.text() for label in panel.shortcuts.findChildren(QWidget) if hasattr(label, "text")}
    assert {action.title for action in ACTIONS if action.key and action.id != "undo"} <= texts
    assert "Shift+N" in texts
    panel.shortcuts.hide()


def test_the_theme_can_change_while_the_panel_is_open(panel, styled):
    gallery.working(panel)
    dark = panel.grab().toImage().pixelColor(5, 300).lightness()
    styled(panel, "light")
    assert panel.grab().toImage().pixelColor(5, 300).lightness() > dark + 100


@pytest.mark.parametrize("state", gallery.STATES)
def test_the_gallery_draws_every_state(qtbot, state):
    picture = gallery.draw(state, "dark").toImage()
    colors = {picture.pixel(x, y) for x in range(0, 340, 7) for y in range(0, 870, 7)}
    assert len(colors) > 10
