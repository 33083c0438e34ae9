from __future__ import annotations

from dataclasses import replace

import pytest
from qtpy.QtCore import QPoint, Qt
from qtpy.QtWidgets import QLineEdit

from napari_sam2v.panel.object_model import Column, ObjectModel
from napari_sam2v.panel.object_table import ObjectTable

pytestmark = pytest.mark.gui
CLICK = Qt.MouseButton.LeftButton


@pytest.fixture
def table(qtbot, make_rows):
    table = ObjectTable()
    qtbot.addWidget(table)
    table.resize(340, 300)
    table.set_rows(make_rows(5, frames_done=3, frames_total=10, worst_score=0.8, worst_frame=2))
    table.show()
    return table


def cell(table, row, column):
    return table.view.proxy.index(row, column)


def click(table, qtbot, row, column, modifier=Qt.KeyboardModifier.NoModifier):
    place = table.view.visualRect(cell(table, row, column)).center()
    qtbot.mouseClick(table.view.viewport(), CLICK, modifier, place)


def names(table):
    return [cell(table, row, Column.NAME).data() for row in range(table.view.proxy.rowCount())]


def test_the_model_keeps_to_the_rules_of_qt(qtmodeltester, make_rows):
    model = ObjectModel()
    model.set_rows(make_rows(4, frames_total=9))
    qtmodeltester.check(model, force_py=True)


def test_an_empty_table_says_how_to_begin(qtbot):
    table = ObjectTable()
    qtbot.addWidget(table)
    table.show()
    assert table.current() is None
    assert table.summary.text() == ""
    assert not table.view.grab().isNull()


def test_clicking_a_row_selects_its_object(table, qtbot, emissions):
    selected = emissions(table.selected)
    click(table, qtbot, 2, Column.NAME)
    assert selected == [(3,)]
    assert table.current() == 3


def test_selecting_from_outside_reports_nothing(table, emissions):
    selected = emissions(table.selected)
    table.set_selected(4)
    assert table.selection() == [4]
    table.set_selected(None)
    assert table.selection() == []
    table.set_selected(77)
    assert table.current() is None
    assert selected == []


def test_arrow_keys_select_and_letters_pass_to_the_viewer(table, qtbot, emissions):
    table.set_selected(1)
    selected = emissions(table.selected)
    qtbot.keyClick(table.view, Qt.Key.Key_Down)
    assert selected == [(2,)]
    passed = []
    table.keyPressEvent = lambda event: passed.append(event.key())
    qtbot.keyClick(table.view, Qt.Key.Key_N)
    assert selected == [(2,)]
    assert passed == [Qt.Key.Key_N]


def test_one_changed_row_redraws_that_row_alone(table, emissions):
    changed = emissions(table.model.dataChanged)
    row = replace(table.model.rows()[3], frames_done=4)
    table.update_rows([row])
    table.update_rows([row])
    ((top, bottom, *_),) = changed
    assert (top.row(), bottom.row()) == (3, 3)
    assert cell(table, 3, Column.DONE).data() == "4"


def test_the_same_objects_with_new_values_keep_selection_and_place(table, emissions):
    resets = emissions(table.model.modelReset)
    table.set_selected(2)
    table.set_rows([replace(row, frames_done=9) for row in table.model.rows()])
    assert resets == []
    assert table.current() == 2


def test_the_selected_object_stays_selected_when_others_go(table, emissions):
    table.set_selected(4)
    selected = emissions(table.selected)
    table.set_rows(table.model.rows()[1:])
    assert table.current() == 4
    table.set_rows([])
    assert table.current() is None
    assert selected == []


def test_a_row_of_an_unknown_object_is_left_out(table, make_rows):
    table.update_rows(make_rows(9, frames_done=1)[7:])
    assert len(table.model.rows()) == 5


@pytest.mark.parametrize(
    ("column", "signal", "value"),
    [(Column.VISIBLE, "visibility_changed", False), (Column.LOCKED, "lock_changed", True)],
)
def test_icons_toggle_with_one_click(table, qtbot, emissions, column, signal, value):
    asked = emissions(getattr(table, signal))
    click(table, qtbot, 1, column)
    assert asked == [(2, value)]
    assert table.model.rows()[1].visible, "the table shows what its owner says, not what was asked"


def test_space_toggles_from_the_keyboard(table, qtbot, emissions):
    shown, locked = emissions(table.visibility_changed), emissions(table.lock_changed)
    table.view.setCurrentIndex(cell(table, 0, Column.NAME))
    qtbot.keyClick(table.view, Qt.Key.Key_Space)
    table.view.setCurrentIndex(cell(table, 0, Column.LOCKED))
    qtbot.keyClick(table.view, Qt.Key.Key_Space)
    assert (shown, locked) == ([(1, False)], [(1, True)])


def test_names_are_edited_in_place(table, qtbot, emissions):
    renamed = emissions(table.renamed)
    table.set_selected(2)
    qtbot.keyClick(table.view, Qt.Key.Key_F2)
    editor = table.view.findChild(QLineEdit)
    editor.selectAll()
    qtbot.keyClicks(editor, " mother ")
    qtbot.keyClick(editor, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: bool(renamed))
    assert renamed == [(2, "mother")]


@pytest.mark.parametrize("name", ["", "   ", "cell 1"])
def test_empty_and_unchanged_names_are_not_reported(table, emissions, name):
    renamed = emissions(table.renamed)
    table.model.setData(table.model.index(0, Column.NAME), name)
    assert renamed == []


def test_enter_jumps_to_the_worst_frame_and_delete_deletes(table, qtbot, emissions):
    jumped, deleted = emissions(table.jump_requested), emissions(table.delete_requested)
    table.set_selected(3)
    qtbot.keyClick(table.view, Qt.Key.Key_Return)
    qtbot.keyClick(table.view, Qt.Key.Key_Delete)
    assert (jumped, deleted) == ([(3,)], [([3],)])


def test_the_header_sorts_by_worst_score_and_rows_stay_while_scores_come_in(table):
    scores = (0.9, 0.2, None, 0.5, 0.7)
    table.set_rows([replace(row, worst_score=s) for row, s in zip(table.model.rows(), scores, strict=True)])
    table.view.sortByColumn(Column.WORST, Qt.SortOrder.AscendingOrder)
    assert names(table) == ["cell 2", "cell 4", "cell 5", "cell 1", "cell 3"]
    table.update_rows([replace(table.model.rows()[0], worst_score=0.1)])
    assert names(table)[0] == "cell 2"


def test_selection_and_ids_survive_sorting(table, emissions):
    selected = emissions(table.selected)
    table.view.sortByColumn(Column.NAME, Qt.SortOrder.DescendingOrder)
    table.set_selected(5)
    assert table.view.currentIndex().row() == 0
    table.view.setCurrentIndex(cell(table, 4, Column.NAME))
    assert selected == [(1,)]


def entries(menu):
    return {action.text().split(" (")[0]: action for action in menu.actions() if action.text()}


def test_the_menu_offers_what_fits_the_selection(table):
    table.set_selected(1)
    possible = {text for text, action in entries(table.menu()).items() if action.isEnabled()}
    assert {"Jump to worst frame", "Split off from this frame on", "Delete", "Show only this"} <= possible
    assert not any(text.startswith(("Merge", "Swap")) for text in possible)


def test_the_menu_names_which_object_stays_in_a_merge_and_it_is_the_first_selected(table, qtbot, emissions):
    click(table, qtbot, 3, Column.NAME)
    click(table, qtbot, 0, Column.NAME, Qt.KeyboardModifier.ControlModifier)
    asked = {name: emissions(getattr(table, f"{name}_requested")) for name in ("merge", "swap", "isolate", "delete")}
    menu = entries(table.menu())
    for text in (
        "Merge cell 1 into cell 4",
        "Swap from this frame on",
        "Show only these",
        "Show all",
        "Delete 2 objects",
    ):
        menu[text].trigger()
    assert asked["merge"] == [(4, [1])]
    assert asked["swap"] == asked["delete"] == [([4, 1],)]
    assert asked["isolate"] == [([4, 1],), ([],)]
    click(table, qtbot, 2, Column.NAME, Qt.KeyboardModifier.ControlModifier)
    assert "Merge 2 objects into cell 4" in entries(table.menu())


def test_the_menu_asks_for_edits_of_the_lineage_and_names_their_keys(table, emissions):
    table.set_keys({"mark_division": "Alt-N"})
    asked = emissions(table.action_requested)
    table.select_only(2)
    alone = entries(table.menu())
    assert alone["Cut before this frame, or between two"].isEnabled()
    assert not alone["Mark fusion"].isEnabled()
    table.toggle(3)
    menu = entries(table.menu())
    assert menu["Mark division"].text() == "Mark division (Alt+N)"
    for text in ("Mark division", "Join into one track"):
        menu[text].trigger()
    assert asked == [("mark_division",), ("join_tracks",)]


def test_several_objects_are_selected_from_elsewhere_and_it_is_told(table, emissions):
    told = emissions(table.selection_changed)
    table.select_only(2)
    table.toggle(4)
    table.toggle(3)
    assert table.selection() == [2, 4, 3]
    table.toggle(4)
    assert told[-1] == ([2, 3],)
    table.select_only(3)
    table.toggle(99)
    assert table.selection() == [3]


def test_control_click_adds_to_the_selection_though_the_owner_selects_the_object_too(table, qtbot):
    table.selected.connect(table.set_selected)  # as the panel's owner does: it selects the object everywhere
    click(table, qtbot, 0, Column.NAME)
    click(table, qtbot, 3, Column.NAME, Qt.KeyboardModifier.ControlModifier)
    assert table.selection() == [1, 4]
    click(table, qtbot, 0, Column.NAME, Qt.KeyboardModifier.ControlModifier)
    assert table.selection() == [4]


def test_several_selected_objects_stay_selected_when_others_come(table, qtbot, make_rows):
    click(table, qtbot, 3, Column.NAME)
    click(table, qtbot, 0, Column.NAME, Qt.KeyboardModifier.ControlModifier)
    table.set_rows(make_rows(7))
    assert table.selection() == [4, 1]
    table.set_rows(make_rows(2))
    assert table.selection() == [1]
    table.set_rows([])
    assert table.selection() == []


def test_hundreds_of_objects_fit(table, make_rows):
    table.set_rows(make_rows(700, frames_total=10_000))
    table.set_selected(650)
    assert table.view.visualRect(table.view.currentIndex()).intersects(table.view.viewport().rect())
    assert table.summary.text() == "700 objects"


def test_every_cell_says_what_it_is_to_a_screen_reader(table):
    texts = [cell(table, 0, column).data(Qt.ItemDataRole.AccessibleTextRole) for column in Column]
    assert all(texts)
    assert len(set(texts)) == len(texts)


def test_rows_grow_with_the_type_of_the_theme(table, styled):
    heights = []
    for size in ("9pt", "18pt"):
        styled(table, font_size=size)
        heights.append(table.view.rowHeight(0))
    assert heights[1] > 1.5 * heights[0]


def test_the_table_draws_all_its_states(table, make_rows):
    rows = make_rows(3, frames_total=10)
    rows[0] = replace(rows[0], visible=False, locked=True, worst_score=0.2, worst_frame=1, frames_done=10)
    table.set_rows(rows)
    picture = table.view.viewport().grab().toImage()
    centre = table.view.visualRect(cell(table, 1, Column.COLOR)).center()
    assert picture.pixelColor(centre * picture.devicePixelRatio()).getRgb()[:3] == rows[1].color
    assert picture.pixelColor(QPoint(centre.x(), table.view.visualRect(cell(table, 0, 0)).center().y())).red() != 200
