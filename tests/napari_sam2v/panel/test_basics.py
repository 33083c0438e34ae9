from __future__ import annotations

import pytest
from qtpy.QtCore import QPoint, QPointF, Qt
from qtpy.QtGui import QWheelEvent
from qtpy.QtWidgets import QWidget

from napari_sam2v.panel.basics import ChoiceBox, IconButton, NumberBox, Tag, Wrapped, column
from napari_sam2v.panel.view_state import Choice

pytestmark = pytest.mark.gui


@pytest.fixture
def box(qtbot):
    box = ChoiceBox("Model", "Which model", missing="No models found", remedy="Reinstall the plugin.")
    qtbot.addWidget(box)
    return box


def test_a_box_without_choices_says_what_is_missing_and_how_to_get_it(box):
    assert box.currentText() == "No models found"
    assert not box.isEnabled()
    assert "Reinstall the plugin." in box.toolTip()
    assert box.selected() is None


def test_setters_of_a_box_never_emit(box, emissions):
    chosen = emissions(box.chosen)
    box.set_choices([Choice(None, "all"), Choice(2, "two", "the second")], 2)
    box.select(None)
    box.select(2)
    assert chosen == []
    assert box.toolTip() == "Which model\ntwo\nthe second"


def test_a_box_reports_the_key_and_not_the_text(box, qtbot, emissions):
    chosen = emissions(box.chosen)
    box.set_choices([Choice("a", "First"), Choice("b", "Second")], "a")
    box.setFocus()
    qtbot.keyClick(box, Qt.Key.Key_Down)
    assert chosen == [("b",)]
    assert box.selected() == "b"


def test_an_unknown_choice_falls_back_to_the_first(box):
    box.set_choices(["x", "y"], "z")
    assert box.selected() == "x"


@pytest.fixture
def wheel_down():
    nowhere = QPointF(3, 3)
    down = QPoint(0, -120)
    no_button, no_key = Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier
    return QWheelEvent(nowhere, nowhere, down, down, no_button, no_key, Qt.ScrollPhase.NoScrollPhase, False)


def test_the_wheel_does_not_change_a_box_it_scrolls_past(box, qtbot, wheel_down):
    box.set_choices(["x", "y"], "x")
    number = NumberBox("Frames", "How many")
    qtbot.addWidget(number)
    number.show_value(5, 0, 9)
    for each in (box, number):
        each.wheelEvent(wheel_down)
        assert not wheel_down.isAccepted()
    assert (box.selected(), number.value()) == ("x", 5)


def test_a_number_is_shown_within_its_bounds_and_reported_only_by_users(qtbot, emissions):
    number = NumberBox("Frames", "How many")
    qtbot.addWidget(number)
    reported = emissions(number.valueChanged)
    number.show_value(40, 0, 9)
    number.show_value(3, 0, -1)
    assert (number.value(), reported) == (0, [])
    number.show_value(3, 0, 9)
    qtbot.keyClick(number, Qt.Key.Key_Up)
    assert reported == [(4,)]


def test_a_button_says_its_key_and_why_it_is_disabled(qtbot):
    button = IconButton("undo", "Undo", name="Undo")
    qtbot.addWidget(button)
    button.set_key("Shift-U")
    assert button.toolTip() == "Undo (Shift+U)"
    button.set_reason("Nothing to undo")
    assert not button.isEnabled()
    assert button.toolTip() == "Undo (Shift+U)\nNothing to undo"
    button.set_reason(None)
    assert button.isEnabled()
    assert button.accessibleName() == "Undo"


def test_clicking_a_button_leaves_the_keyboard_with_the_image(qtbot):
    button = IconButton("undo", "Undo")
    qtbot.addWidget(button)
    assert button.focusPolicy() == Qt.FocusPolicy.TabFocus


def test_icons_follow_the_theme(qtbot, styled):
    window = QWidget()
    qtbot.addWidget(window)
    button = IconButton("stop", "Stop")
    column(window).addWidget(button)
    brightness = {}
    for theme in ("dark", "light"):
        styled(window, theme)
        window.show()
        brightness[theme] = button.icon().pixmap(16, 16).toImage().pixelColor(8, 8).lightness()
    assert brightness["dark"] > 200
    assert brightness["light"] < 60


def test_a_tag_keeps_in_the_tooltip_what_may_be_cut(qtbot):
    tag = Tag()
    qtbot.addWidget(tag)
    tag.setText("a very long text " * 20)
    assert tag.toolTip() == tag.text()


def test_the_tooltip_of_a_box_names_what_is_chosen_with_its_hint(box):
    box.set_choices([Choice("a", "a name that is too long for the box", "what it is good for")])
    assert box.toolTip().splitlines()[1:] == ["a name that is too long for the box", "what it is good for"]


def test_a_sentence_takes_the_lines_it_needs_and_lets_others_shrink(qtbot):
    text = Wrapped()
    qtbot.addWidget(text)
    text.resize(200, 40)
    text.setText("short")
    one = text.sizeHint().height()
    text.setText("a long sentence that goes on and on " * 6)
    assert text.sizeHint().height() > one
    assert not text.hasHeightForWidth()
