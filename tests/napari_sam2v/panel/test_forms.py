"""Forms that are made from models: what they show of a field, and what they report."""

from __future__ import annotations

from typing import Literal

import pytest
from pydantic import BaseModel, Field
from qtpy.QtCore import QCoreApplication, QPoint, QPointF, Qt
from qtpy.QtGui import QWheelEvent

from napari_sam2v.panel.forms import Form, FormPopup
from napari_sam2v.view_state import AdvancedOptions, Choice, titled

pytestmark = pytest.mark.gui


class Options(BaseModel):
    policy: Literal["first", "last"] = Field(
        "last",
        title="Policy",
        description="Who wins",
        json_schema_extra=titled(("first", "first wins", "The smaller id"), ("last", "last wins", "")),
    )
    model: str = Field(
        "",
        title="Model",
        description="Which model",
        json_schema_extra={"choices": True, "missing": "No models found", "remedy": "Reinstall the plugin."},
    )
    frames: int = Field(20, ge=1, le=50, title="Frames", description="How many frames")
    share: float = Field(0.5, ge=0, le=1)
    repair: bool = Field(False, title="Repair by itself", description="Without being asked")


@pytest.fixture
def form(qtbot):
    form = Form(Options)
    qtbot.addWidget(form)
    form.show()
    return form


@pytest.fixture
def wheel_down():
    place, down = QPointF(3, 3), QPoint(0, -120)
    no_button, no_key = Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier
    return QWheelEvent(place, place, down, down, no_button, no_key, Qt.ScrollPhase.NoScrollPhase, False)


def native(form, name):
    return form.widgets[name].native


def test_a_form_begins_with_the_defaults_of_its_model(form):
    assert form.values() == {"policy": "last", "model": None, "frames": 20, "share": 0.5, "repair": False}


def test_labels_tooltips_and_bounds_are_those_of_the_fields(form):
    assert native(form, "policy").toolTip() == "Who wins\nlast wins"
    assert native(form, "frames").toolTip() == "How many frames"
    assert (native(form, "frames").minimum(), native(form, "frames").maximum()) == (1, 50)
    assert native(form, "repair").text() == "Repair by itself"
    assert native(form, "share").accessibleName() == "Share"


def test_what_the_user_changes_is_reported_and_what_is_set_is_not(form, qtbot, emissions):
    changed = emissions(form.changed)
    form.show_values(policy="first", frames=7, share=0.25, repair=True)
    assert changed == []
    assert form.values() == {"policy": "first", "model": None, "frames": 7, "share": 0.25, "repair": True}
    qtbot.keyClick(native(form, "policy"), Qt.Key.Key_Down)
    native(form, "repair").click()
    qtbot.keyClick(native(form, "frames"), Qt.Key.Key_Up)
    assert changed == [("policy", "last"), ("repair", False), ("frames", 8)]


def test_a_field_without_choices_says_what_is_missing_and_how_to_get_it(form):
    assert native(form, "model").placeholderText() == "No models found"
    assert native(form, "model").currentText() == ""
    assert not native(form, "model").isEnabled()
    assert native(form, "model").toolTip() == "Which model\nNo models found\nReinstall the plugin."


def test_choices_that_come_later_keep_their_order_and_their_values(form, qtbot, emissions):
    changed = emissions(form.changed)
    form.set_choices("model", [Choice((0, 1), "two"), Choice(None, "all", "every one")], None)
    assert native(form, "model").toolTip() == "Which model\nall\nevery one"
    form.set_choices("model", [Choice(None, "all"), Choice((0, 1), "two")], (0, 1))
    assert [native(form, "model").itemText(index) for index in range(2)] == ["all", "two"]
    assert changed == []
    qtbot.keyClick(native(form, "model"), Qt.Key.Key_Up)
    assert changed == [("model", None)]
    assert form.value("model") is None


def test_the_choice_that_is_shown_can_be_chosen_too(form, qtbot, emissions):
    form.set_choices("model", [Choice("x", "x"), Choice("y", "y")])
    changed = emissions(form.changed)
    box = native(form, "model")
    box.showPopup()
    qtbot.keyClick(box.view(), Qt.Key.Key_Return)
    assert changed == [("model", "x")]


def test_an_unknown_choice_falls_back_to_the_first(form):
    form.set_choices("model", [Choice("x", "x"), Choice("y", "y")], "z")
    assert form.value("model") == "x"


def test_the_wheel_does_not_change_a_field_it_scrolls_past(form, wheel_down):
    before = form.values()
    for name in ("policy", "frames", "share"):
        QCoreApplication.sendEvent(native(form, name), wheel_down)
        assert not wheel_down.isAccepted()
    assert form.values() == before


def test_a_row_goes_with_its_label(form):
    form.show_row("frames", False)
    assert not native(form, "frames").isVisible()
    assert not form.layout().labelForField(native(form, "frames")).isVisible()


def test_a_click_on_a_box_leaves_the_keyboard_with_the_image_and_tab_reaches_it(form):
    assert native(form, "policy").focusPolicy() == Qt.FocusPolicy.TabFocus


def test_a_form_in_a_popup_shows_some_of_the_fields(qtbot):
    popup = FormPopup(None, "Advanced", AdvancedOptions, ("overlap", "follow"))
    qtbot.addWidget(popup)
    assert popup.form.values() == {"overlap": "first", "follow": True}
