"""The lineage's dock: what clicks, drags, wheel and keys report, and what is painted again."""

from __future__ import annotations

import numpy as np
import pytest
from qtpy.QtCore import QEvent, QPoint, QPointF, Qt
from qtpy.QtGui import QMouseEvent, QWheelEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

from napari_sam2v.controllers.lineage_scene import Edge, LineageScene, TrackHit, TrackShape
from napari_sam2v.panel.lineage_painting import ObjectLook
from napari_sam2v.panel.lineage_panel import LineagePanel
from src_model.document import Division

pytestmark = pytest.mark.gui
LEFT = Qt.MouseButton.LeftButton
NONE = Qt.KeyboardModifier.NoModifier
COLORS = {1: (230, 60, 60), 2: (60, 230, 60), 3: (130, 150, 250), 4: (230, 230, 60)}


def lasting(start, stop, level=2):
    return TrackShape(start, stop, np.array([(start, stop, level)], np.int32))


@pytest.fixture
def scene():
    """1 divides on frame 10 into 2 and 3; 4 is alone, with a gap and poor scores behind it."""
    gap = TrackShape(4, 30, np.array([(4, 10, 2), (20, 30, 0)], np.int32))
    shapes = {1: lasting(0, 10), 2: lasting(10, 40), 3: lasting(10, 30), 4: gap}
    return LineageScene(shapes, {1: Division(1, 10, (2, 3))}, 40)


@pytest.fixture
def panel(qtbot, styled, scene):
    panel = LineagePanel()
    qtbot.addWidget(panel)
    styled(panel)
    panel.resize(420, 460)
    panel.show()
    qtbot.waitExposed(panel)
    panel.canvas.set_scene(scene, {number: ObjectLook("", color) for number, color in COLORS.items()})
    return panel


@pytest.fixture
def canvas(panel):
    return panel.canvas


def at(canvas, object_id, frame):
    place = QPointF(canvas.view.x_of(canvas.scene.column_of[object_id]), canvas.view.y_of(frame))
    return (place + canvas._corner()).toPoint()


def move(canvas, place, buttons=Qt.MouseButton.NoButton):
    """As the pointer would, wherever that of the screen is."""
    kind, none = QEvent.Type.MouseMove, Qt.MouseButton.NoButton
    where = QPointF(place)
    QApplication.sendEvent(canvas, QMouseEvent(kind, where, QPointF(canvas.mapToGlobal(place)), none, buttons, NONE))


def drag(canvas, start, end):
    QTest.mousePress(canvas, LEFT, NONE, start)
    for share in (0.3, 0.7, 1.0):
        move(canvas, start + (end - start) * share, LEFT)
    QTest.mouseRelease(canvas, LEFT, NONE, end)


def turn(canvas, place, notches, modifiers=NONE):
    event = QWheelEvent(
        QPointF(place),
        QPointF(canvas.mapToGlobal(place)),
        QPoint(),
        QPoint(0, 120 * notches),
        Qt.MouseButton.NoButton,
        modifiers,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(canvas, event)


def color_near(canvas, place):
    """The most colorful pixel in the few around a place."""
    image = canvas.grab().toImage()
    found = [image.pixelColor(place.x() + dx, place.y()) for dx in range(-1, 2)]
    return max(found, key=lambda color: color.saturation()).getRgb()[:3]


def test_tracks_have_the_colors_of_their_objects_and_gaps_show(canvas):
    for number, frame in ((1, 5), (2, 25), (3, 25), (4, 7), (4, 25)):
        assert color_near(canvas, at(canvas, number, frame)) == COLORS[number]
    assert color_near(canvas, at(canvas, 4, 15)) != COLORS[4]


def test_a_track_of_poor_scores_is_narrower(canvas):
    image = canvas.grab().toImage()

    def width(frame):
        place = at(canvas, 4, frame)
        pixels = [image.pixelColor(place.x() + dx, place.y()) for dx in range(-8, 9)]
        return sum(color.saturation() > 100 for color in pixels)

    assert 0 < width(25) < width(7)


def test_a_click_on_a_track_tells_object_and_frame_and_whether_it_is_added(canvas, emissions):
    clicked = emissions(canvas.track_clicked)
    QTest.mouseClick(canvas, LEFT, NONE, at(canvas, 2, 25))
    QTest.mouseClick(canvas, LEFT, Qt.KeyboardModifier.ControlModifier, at(canvas, 3, 20))
    assert [(number, added) for number, _, added in clicked] == [(2, False), (3, True)]
    assert clicked[0][1] in (24, 25)


def test_a_click_beside_all_tracks_goes_to_that_frame(canvas, emissions):
    frames = emissions(canvas.frame_clicked)
    QTest.mouseClick(canvas, LEFT, NONE, QPoint(4, at(canvas, 1, 7.5).y()))
    assert frames == [(7,)]


def test_dragging_an_end_to_a_beginning_draws_an_edge(canvas, emissions):
    drawn = emissions(canvas.edge_drawn)
    drag(canvas, at(canvas, 1, 10), at(canvas, 4, 10))
    assert drawn == [], "the middle of a track is no beginning"
    drag(canvas, at(canvas, 3, 30), at(canvas, 4, 4))
    assert drawn == [(Edge(3, 4, 4),)], "whether it can be is for the document to say"


def test_dragging_a_beginning_or_an_edge_away_cuts_it(canvas, emissions):
    cut = emissions(canvas.edges_cut)
    drag(canvas, at(canvas, 2, 10), QPoint(20, 300))
    between = (at(canvas, 1, 10) + at(canvas, 3, 10)) / 2
    drag(canvas, between, QPoint(20, 300))
    assert cut == [((Edge(1, 2, 10),),), ((Edge(1, 3, 10),),)]


def test_a_clicked_edge_is_cut_by_delete(canvas, emissions):
    chosen, cut = emissions(canvas.edge_clicked), emissions(canvas.edges_cut)
    QTest.keyClick(canvas, Qt.Key.Key_Delete)
    QTest.mouseClick(canvas, LEFT, NONE, (at(canvas, 1, 10) + at(canvas, 2, 10)) / 2)
    QTest.keyClick(canvas, Qt.Key.Key_Delete)
    assert (chosen, cut) == ([(Edge(1, 2, 10),)], [((Edge(1, 2, 10),),)])
    canvas.set_scene(LineageScene({1: lasting(0, 10)}, {}, 40), {})
    assert canvas.chosen_edge is None


def test_the_wheel_zooms_around_the_pointer_with_control_time_alone_and_with_shift_it_pans(canvas):
    place = at(canvas, 3, 20)
    before = canvas.view
    turn(canvas, place, 4)
    assert canvas.view.column_width > before.column_width
    assert canvas.view.frame_height > before.frame_height
    assert abs(at(canvas, 3, 20).y() - place.y()) <= 1
    zoomed = canvas.view
    turn(canvas, place, 1, Qt.KeyboardModifier.ControlModifier)
    assert canvas.view.column_width == zoomed.column_width
    assert canvas.view.frame_height > zoomed.frame_height
    many = LineageScene({number: lasting(0, 40) for number in range(1, 500)}, {}, 40)
    canvas.set_scene(many, {})
    left = canvas.view.left
    turn(canvas, place, -1, Qt.KeyboardModifier.ShiftModifier)
    assert canvas.view.left > left
    QTest.keyClick(canvas, Qt.Key.Key_Home)
    assert canvas.view.x_of(498) <= canvas.view.width


def test_a_drag_beside_the_ends_pans_and_clicks_nothing(canvas, emissions):
    canvas.set_scene(LineageScene({number: lasting(0, 40) for number in range(1, 500)}, {}, 40), {})
    clicked, left = emissions(canvas.track_clicked), canvas.view.left
    drag(canvas, at(canvas, 6, 20), at(canvas, 2, 20))
    assert canvas.view.left == pytest.approx(left + 4, abs=0.8)  # a pixel of the drag is most of a column here
    assert clicked == []


def test_what_is_under_the_pointer_is_told_once_and_then_that_it_left(canvas, emissions):
    hovered = emissions(canvas.hovered)
    for step in (0, 1):
        move(canvas, at(canvas, 2, 25) + QPoint(step, 0))
    canvas.leaveEvent(None)
    assert [type(hit) for (hit,) in hovered] == [TrackHit, type(None)]


def test_another_frame_paints_only_its_line_and_the_tree_stays_a_picture(canvas):
    canvas.grab()
    picture = canvas._picture
    canvas.set_frame(20)
    canvas.set_chosen([2])
    canvas.grab()
    assert canvas._picture is picture
    canvas.show_all()
    assert canvas._picture is not picture


def test_a_selected_object_out_of_view_comes_into_view(canvas):
    canvas.set_scene(LineageScene({number: lasting(0, 40) for number in range(1, 500)}, {}, 40), {})
    canvas.bring_into_view(400)
    assert 0 <= canvas.view.x_of(canvas.scene.column_of[400]) <= canvas.view.width
    canvas.bring_into_view(9999)


def test_arrows_step_through_the_frames_and_stay_within(canvas, emissions):
    frames = emissions(canvas.frame_clicked)
    QTest.keyClick(canvas, Qt.Key.Key_Up)
    QTest.keyClick(canvas, Qt.Key.Key_Down)
    assert frames == [(0,), (1,)]


def test_buttons_ask_for_what_they_say_and_name_their_keys(panel, emissions):
    asked = emissions(panel.action_requested)
    panel.set_keys({"mark_division": "Alt-N"})
    for button in panel.buttons.values():
        button.click()
    assert [name for (name,) in asked] == ["mark_division", "mark_fusion", "join_tracks", "cut_track"]
    assert "(Alt+N)" in panel.buttons["mark_division"].toolTip()
    panel.set_enabled_reason("Choose a movie first")
    assert not panel.buttons["cut_track"].isEnabled()


def test_an_empty_lineage_can_be_painted_and_clicked(canvas, emissions):
    canvas.set_scene(LineageScene({}, {}, 0), {})
    frames = emissions(canvas.frame_clicked)
    canvas.grab()
    QTest.mouseClick(canvas, LEFT, NONE, QPoint(50, 50))
    assert frames == []
