from __future__ import annotations

import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QWidget

from napari_sam2v.panel.widgets import IconButton, Tag, Wrapped, column

pytestmark = pytest.mark.gui


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


def test_a_sentence_takes_the_lines_it_needs_and_lets_others_shrink(qtbot):
    text = Wrapped()
    qtbot.addWidget(text)
    text.resize(200, 40)
    text.setText("short")
    one = text.sizeHint().height()
    text.setText("a long sentence that goes on and on " * 6)
    assert text.sizeHint().height() > one
    assert not text.hasHeightForWidth()
