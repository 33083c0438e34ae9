"""The sections that are forms: what they show for a state, and what they report."""

from __future__ import annotations

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QLabel, QMenu

from napari_sam2v.actions import DEFAULT_KEYS
from napari_sam2v.panel.image_section import ImageSection
from napari_sam2v.panel.model_section import ModelSection
from napari_sam2v.panel.prompt_section import PromptSection
from napari_sam2v.panel.result_section import RestoreOffer, ResultSection
from napari_sam2v.panel.status_line import StatusLine
from napari_sam2v.panel.widgets import ProgressBar
from napari_sam2v.view_state import TOOLS, Choice, ModelEntry
from src_model.formats.settings import ExportSettings
from src_model.workflow.progress import RunProgress

pytestmark = pytest.mark.gui

HERE = ModelEntry("small", "Small", on_disk=True, size_mb=41, hint="quick")
FAR = ModelEntry("large", "Large", on_disk=False, size_mb=898, hint="exact")


@pytest.fixture
def make(qtbot):
    def build(kind):
        section = kind()
        qtbot.addWidget(section)
        section.show()
        return section

    return build


# --- image


def field(section, name):
    return section.form.widgets[name].native


def test_without_a_movie_only_the_layer_row_shows_and_says_what_to_do(make):
    image = make(ImageSection)
    assert field(image, "layer_name").placeholderText() == "No movie open"
    assert "Open Sample" in field(image, "layer_name").toolTip()
    assert not any(field(image, name).isVisible() for name in ("axes", "channel", "plane", "contrast"))


def test_rows_with_nothing_to_choose_stay_hidden(make):
    image = make(ImageSection)
    image.set_layers(["a"], "a")
    image.set_choices("axes", [Choice("TYX", "t")], "TYX")
    image.set_choices("channel", [Choice(0, "DAPI"), Choice(1, "GFP")], 1)
    image.set_choices("plane", [Choice(0, "plane 0")], 0)
    assert not field(image, "axes").isVisible()
    assert field(image, "channel").isVisible()
    assert field(image, "contrast").isVisible()
    assert not field(image, "plane").isVisible()
    image.set_choices("plane", [Choice("max", "brightest"), Choice(2, "plane 2")], 2)
    assert field(image, "plane").isVisible()
    image.set_layers([], None)
    assert not field(image, "channel").isVisible()


def test_the_image_section_reports_choices_but_not_what_it_was_told(make, qtbot, emissions):
    image = make(ImageSection)
    chosen = emissions(image.option_chosen)
    image.set_layers(["a", "b"], "a")
    image.set_choices("channel", [Choice(None, "all"), Choice((0, 1), "GFP")], None)
    image.set_choices("plane", [Choice(4, "plane 4"), Choice(5, "plane 5")], 4)
    assert chosen == []
    for name in ("plane", "channel", "layer_name"):
        qtbot.keyClick(field(image, name), Qt.Key.Key_Down)
    assert chosen == [("plane", 5), ("channel", (0, 1)), ("layer_name", "b")]


@pytest.mark.parametrize("shape", [(5, 7, 3), (40, 30, 3)])
def test_the_preview_shows_the_pixels_it_was_given(make, shape):
    image = make(ImageSection)
    rgb = np.zeros(shape, dtype=np.uint8)
    rgb[:] = (250, 10, 10)
    image.set_preview(rgb[:, ::-1], "frame 3")
    middle = image.preview.grab().toImage().pixelColor(image.preview.rect().center())
    assert middle.red() > 240
    assert middle.green() < 20
    assert "frame 3" in image.preview.toolTip()
    image.set_preview(None)
    assert image.preview.grab().toImage().pixelColor(image.preview.rect().center()).red() != 250


# --- model


def test_a_model_that_is_not_on_disk_can_be_downloaded(make, qtbot, emissions):
    model = make(ModelSection)
    asked = emissions(model.download_requested)
    model.set_models([HERE, FAR], "small")
    assert not model.download.isVisible()
    assert "41 MB on disk" in field(model, "model").toolTip()
    model.set_models([HERE, FAR], "large")
    assert "898 MB" in model.download.toolTip()
    qtbot.mouseClick(model.download, Qt.MouseButton.LeftButton)
    assert asked == [("large",)]


def test_a_download_shows_its_progress_and_can_be_cancelled(make, qtbot):
    model = make(ModelSection)
    model.set_models([FAR], "large")
    model.set_download(RunProgress(310, 898, seconds_left=95))
    assert model.progress.isVisible()
    assert model.progress.toolTip() == "310 of 898 MB · 2 min"
    assert not model.download.isVisible()
    with qtbot.waitSignal(model.download_cancelled):
        qtbot.mouseClick(model.cancel, Qt.MouseButton.LeftButton)
    model.set_download(None)
    assert not model.progress.isVisible()
    assert model.download.isVisible()


def test_choosing_a_model_shows_its_hint_before_anything_else_happens(make, qtbot, emissions):
    model = make(ModelSection)
    chosen = emissions(model.model_chosen)
    model.set_models([HERE, FAR], "small")
    qtbot.keyClick(field(model, "model"), Qt.Key.Key_Down)
    assert chosen == [("large",)]
    assert "898 MB to download" in field(model, "model").toolTip()
    assert model.download.isVisible()


# --- prompts


def test_one_tool_at_a_time_is_active_and_a_second_click_puts_it_away(make, qtbot, emissions):
    prompts = make(PromptSection)
    chosen = emissions(prompts.tool_chosen)
    for tool in TOOLS:
        qtbot.mouseClick(prompts.tools[tool], Qt.MouseButton.LeftButton)
        assert [name for name, button in prompts.tools.items() if button.isChecked()] == [tool]
    qtbot.mouseClick(prompts.tools["paint"], Qt.MouseButton.LeftButton)
    assert [value for (value,) in chosen] == [*TOOLS, ""]


def test_showing_the_active_tool_reports_nothing(make, emissions):
    prompts = make(PromptSection)
    chosen = emissions(prompts.tool_chosen)
    prompts.set_tool("box")
    prompts.set_tool(None)
    assert chosen == []


def test_every_tool_has_an_icon_a_word_and_its_key(make):
    prompts = make(PromptSection)
    prompts.set_keys(DEFAULT_KEYS)
    for tool in TOOLS:
        button = prompts.tools[tool]
        assert not button.icon().isNull()
        assert button.text()
        assert button.key == DEFAULT_KEYS[tool]
        assert "(" in button.toolTip()


def test_mask_candidates_can_be_cycled_only_where_there_are_several(make, qtbot):
    prompts = make(PromptSection)
    assert not prompts.mask_button.isEnabled()
    prompts.set_candidates(3, 1)
    assert prompts.mask_button.text() == "2/3"
    with qtbot.waitSignal(prompts.next_mask_requested):
        qtbot.mouseClick(prompts.mask_button, Qt.MouseButton.LeftButton)


def test_undo_and_redo_name_the_step(make):
    prompts = make(PromptSection)
    prompts.set_history("tracking of cell 3", None)
    assert "tracking of cell 3" in prompts.undo_button.toolTip()
    assert prompts.undo_button.isEnabled()
    assert not prompts.redo_button.isEnabled()
    assert "Nothing to redo" in prompts.redo_button.toolTip()


def test_masks_of_a_labels_layer_can_be_taken_all_or_one(make, emissions):
    prompts = make(PromptSection)
    everything, one = emissions(prompts.labels_imported), emissions(prompts.label_imported)
    assert "No Labels layer yet" in prompts.labels_button.toolTip()
    prompts.set_labels_layers(["cellpose"])
    for action in prompts.labels_menu.findChild(QMenu).actions():
        action.trigger()
    assert everything == one == [("cellpose",)]


def test_disabled_tools_say_why(make):
    prompts = make(PromptSection)
    prompts.set_enabled_reason("Open a movie first")
    assert all("Open a movie first" in button.toolTip() for button in prompts.tools.values())
    prompts.set_enabled_reason(None)
    assert all(button.isEnabled() for button in prompts.tools.values())


def test_the_panel_says_who_gets_the_next_prompt(make):
    prompts = make(PromptSection)
    assert prompts.object_name.text() == "a new object"
    prompts.set_object("cell 3", (0, 200, 0))
    assert prompts.object_name.text() == "cell 3"
    assert prompts.object_dot.isVisible()


# --- status, offer, result


@pytest.mark.parametrize("kind", ["hint", "busy", "warning", "error"])
def test_the_status_has_an_icon_of_its_kind(make, kind):
    status = make(StatusLine)
    status.set_text("Click a cell.", kind)
    assert (status.text(), status.kind()) == ("Click a cell.", kind)
    assert not status._icon.pixmap().isNull()


LONG = "Work of another movie cannot be restored here, and this says why and what to do about it. " * 4


def test_a_long_message_is_cut_to_two_lines_and_shown_whole_by_a_click(make, qtbot):
    status = make(StatusLine)
    status.resize(320, status.sizeHint().height())
    status.set_text("Short.")
    before = status.sizeHint().height()
    assert not status.is_cut()
    status.set_text(LONG, "error")
    assert status.sizeHint().height() == before
    assert status.is_cut()
    assert status.text() == LONG
    assert status._text.text().count("\n") == 1
    assert status._text.text().endswith("\u2026")
    qtbot.mouseClick(status, Qt.MouseButton.LeftButton)
    assert status._whole.isVisible()
    assert status._whole.findChild(QLabel).text() == LONG
    status._whole.hide()


def test_progress_is_cut_at_its_end_only_and_begins_with_the_numbers(make):
    bar = make(lambda: ProgressBar("Progress"))
    bar.resize(120, 20)
    bar.show_progress(RunProgress(3, 11), "3 of 11 · Writing 100%p_of_a_very_long_name.tif")
    assert bar.text().startswith("3 of 11 · ")
    assert bar.text().endswith("\u2026")
    assert bar.fontMetrics().horizontalAdvance(bar.text()) <= 120
    bar.resize(600, 20)
    assert bar.text() == bar.toolTip() == "3 of 11 · Writing 100%p_of_a_very_long_name.tif"


@pytest.mark.parametrize("answer", ["restore", "later", "discard"])
def test_the_offer_to_restore_goes_away_with_any_answer(make, qtbot, answer):
    offer = make(RestoreOffer)
    offer.set_offer(None)
    assert not offer.isVisible()
    offer.set_offer("Unsaved work of 10:48")
    with qtbot.waitSignal(getattr(offer, f"{answer}_requested")):
        qtbot.mouseClick(getattr(offer, answer), Qt.MouseButton.LeftButton)
    assert not offer.isVisible()


def test_export_asks_for_the_format_and_how_and_reports_both(make, qtbot, emissions):
    result = make(ResultSection)
    asked = emissions(result.export_requested)
    result.set_formats([Choice("ctc", "Cell Tracking Challenge"), "csv"])
    height = result.sizeHint().height()
    qtbot.mouseClick(result.export, Qt.MouseButton.LeftButton)
    popup = result.export_popup
    assert popup.isVisible()
    assert result.sizeHint().height() == height
    assert asked == []
    qtbot.keyClick(field(popup, "format"), Qt.Key.Key_Down)
    field(popup, "visible_only").click()
    qtbot.mouseClick(result.write, Qt.MouseButton.LeftButton)
    assert asked == [("csv", ExportSettings(overlap=None, visible_only=True))]
    assert not popup.isVisible()


def test_the_result_section_says_whether_the_work_is_safe(make):
    result = make(ResultSection)
    result.set_autosave("saved 11:32", "/tmp/embryo.sam2v")
    assert result.autosave.text() == "saved 11:32"
    assert "embryo" in result.autosave.toolTip()
    result.set_enabled_reason("Nothing to save yet")
    assert not result.save.isEnabled()
    assert result.open.isEnabled()


def test_writing_shows_its_progress_and_can_be_stopped(make, emissions):
    result = make(ResultSection)
    stopped = emissions(result.cancelled)
    result.set_running(RunProgress(3, 11, text="Writing cells.tif"))
    assert result.progress.isVisible()
    assert not result.export.isVisible()
    assert result.progress.text() == "3 of 11 · Writing cells.tif"
    result.cancel.click()
    assert stopped == [()]
    result.set_running(None)
    assert result.export.isVisible()
