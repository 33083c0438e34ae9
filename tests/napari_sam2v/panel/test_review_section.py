"""The list of what is doubtful, and its buttons."""

from __future__ import annotations

import pytest

pytest.importorskip("qtpy", reason="no Qt")

from qtpy.QtCore import Qt

from napari_sam2v.panel.review_section import ReviewSection
from napari_sam2v.view_state import ReviewRow

pytestmark = pytest.mark.gui
ROWS = [ReviewRow((230, 159, 0), f"cell {n}, frame {n}: low score", f"score 0.{n}") for n in range(3)]


@pytest.fixture
def section(qtbot):
    section = ReviewSection()
    qtbot.addWidget(section)
    return section


def test_it_shows_how_many_there_are_and_which_is_looked_at_and_nothing_where_none_is(section):
    assert section.isHidden()
    section.set_rows(ROWS, 1)
    assert not section.isHidden()
    assert section.summary.text() == "3 doubts"
    assert section.list.currentIndex().row() == 1
    index = section.model.index(2)
    assert index.data() == "cell 2, frame 2: low score"
    assert index.data(Qt.ItemDataRole.ToolTipRole) == "score 0.2"
    assert index.data(Qt.ItemDataRole.DecorationRole).getRgb()[:3] == (230, 159, 0)
    section.set_rows(ROWS[:1], None)
    assert section.summary.text() == "1 doubt"
    assert not section.list.currentIndex().isValid()
    section.set_rows((), None)
    assert section.isHidden()


def test_clicks_and_buttons_are_told(section, qtbot):
    section.set_rows(ROWS, None)
    with qtbot.waitSignal(section.chosen) as told:
        section.list.clicked.emit(section.model.index(2))
    assert told.args == [2]
    for button, signal in (
        (section.next, section.next_requested),
        (section.previous, section.previous_requested),
        (section.accept, section.accept_requested),
        (section.reject, section.reject_requested),
    ):
        with qtbot.waitSignal(signal):
            button.click()


def test_the_keys_are_named_in_the_tooltips(section):
    section.set_keys({"review_next": "9", "review_accept": "Alt-Y"})
    assert section.next.toolTip().endswith("(9)")
    assert section.accept.toolTip().endswith("(Alt+Y)")
    assert "(" not in section.reject.toolTip()
