"""The lineage in a real viewer: clicks lead there, selection goes both ways, edits are undone, the dock may go."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("qtpy", reason="no Qt")

from qtpy.QtCore import QPointF, Qt
from qtpy.QtTest import QTest

from napari_sam2v.controllers.lineage_scene import Edge, TrackHit
from src_model.document import AddObject, AnnotatedObject, Division, MarkDivision, NoteObject, RecolorObject
from src_model.masks import MaskletFrame, Rle
from tests.tracking import tiny

pytestmark = pytest.mark.gui
LIVES = {1: (0, 3), 2: (3, 6), 3: (3, 5)}
CORNERS = {1: (4, 6), 2: (20, 30), 3: (10, 40)}


@pytest.fixture
def person(person):
    """Someone who has three tracks, and the lineage open."""
    document = person.document
    for number in LIVES:
        person.controller.do(AddObject(AnnotatedObject(number)))
    with document.propagation() as run:
        for frame in range(tiny.LENGTH):
            here = [number for number, (start, stop) in LIVES.items() if start <= frame < stop]
            run.add(frame, {number: MaskletFrame(box(number), 0.9, 1.0) for number in here})
    person.widget.panel.lineage.click()
    person.wait(lambda: len(lineage(person).scene.ids) == 3)
    return person


def box(number):
    y, x = CORNERS[number]
    return Rle.from_box((y, x, y + 6, x + 6), tiny.SHAPE)


def lineage(person):
    return person.widget.lineage.panel.canvas


def at(person, object_id, frame):
    canvas = lineage(person)
    place = QPointF(canvas.view.x_of(canvas.scene.column_of[object_id]), canvas.view.y_of(frame))
    return (place + canvas._corner()).toPoint()


def click(person, object_id, frame, modifiers=Qt.KeyboardModifier.NoModifier):
    QTest.mouseClick(lineage(person), Qt.MouseButton.LeftButton, modifiers, at(person, object_id, frame))


def press(person, key):
    person.viewer.window._qt_viewer.canvas.native.setFocus()
    QTest.keyClick(person.viewer.window._qt_viewer.canvas.native, key, Qt.KeyboardModifier.AltModifier)


def camera(person):
    return getattr(person.viewer, "scene", person.viewer).camera


def test_a_click_on_a_track_selects_its_object_and_goes_there_in_time_and_space(person):
    click(person, 3, 4.5)
    assert person.controller.selected == 3
    assert person.widget.panel.objects.selection() == [3]
    assert person.controller.frame == 4
    assert np.allclose(camera(person).center[-2:], np.add(CORNERS[3], 2.5))


def test_what_is_selected_in_the_table_or_the_viewer_is_outlined_and_the_line_follows_the_frame(person):
    canvas = lineage(person)
    person.controller.select(2)  # as a click on its mask does
    assert canvas._chosen == (2,)
    person.widget.panel.objects.toggle(3)
    assert canvas._chosen == (2, 3)
    click(person, 1, 1.5, Qt.KeyboardModifier.ControlModifier)
    assert person.widget.panel.objects.selection() == [2, 3, 1]
    person.widget.movie.show_frame(5)
    assert canvas.frame == 5


def test_mother_and_daughters_one_key_and_undo(person):
    click(person, 2, 4.5)
    for number, frame in ((3, 4), (1, 1.5)):
        click(person, number, frame, Qt.KeyboardModifier.ControlModifier)
    QTest.keyClick(lineage(person), Qt.Key.Key_N, Qt.KeyboardModifier.AltModifier)
    assert dict(person.document.divisions) == {1: Division(1, 3, (2, 3))}
    person.wait(lambda: lineage(person).scene.ids.tolist() == [2, 1, 3])
    assert "Division of object 1" in person.status
    person.widget.work.undo()
    person.wait(lambda: lineage(person).scene.ids.tolist() == [1, 2, 3])
    assert not person.document.divisions


def test_an_edge_is_drawn_and_dragged_away_again(person):
    canvas, mouse = lineage(person), Qt.MouseButton.LeftButton

    def drag(start, end):
        QTest.mousePress(canvas, mouse, Qt.KeyboardModifier.NoModifier, start)
        QTest.mouseMove(canvas, (start + end) / 2)
        QTest.mouseMove(canvas, end)
        QTest.mouseRelease(canvas, mouse, Qt.KeyboardModifier.NoModifier, end)

    drag(at(person, 1, 3), at(person, 3, 3))
    assert dict(person.document.divisions) == {1: Division(1, 3, (3,))}
    person.wait(lambda: bool(canvas.scene.edges))
    drag((at(person, 1, 3) + at(person, 3, 3)) / 2, canvas.rect().bottomLeft())
    assert not person.document.divisions


def test_a_track_is_cut_and_joined_by_keys_and_what_cannot_be_is_said(person):
    click(person, 2, 4.5)
    press(person, Qt.Key.Key_K)
    assert list(person.document.objects) == [1, 2, 3, 4]
    assert person.frames(4) == [4, 5]
    person.wait(lambda: 4 in lineage(person).scene.place)
    click(person, 4, 5, Qt.KeyboardModifier.ControlModifier)
    press(person, Qt.Key.Key_J)
    assert list(person.document.objects) == [1, 2, 3]
    assert person.frames(2) == [3, 4, 5]
    press(person, Qt.Key.Key_U)
    assert person.problems == ["A fusion takes two objects, or two and what they became: select them all"]


def test_a_clicked_edge_is_what_the_cut_button_cuts(person):
    person.controller.do(MarkDivision(Division(1, 3, (2, 3))))
    canvas = lineage(person)
    person.wait(lambda: len(canvas.scene.edges) == 2)
    between = (at(person, 1, 3) + at(person, 3, 3)) / 2
    QTest.mouseClick(canvas, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, between)
    person.widget.lineage.panel.buttons["cut_track"].click()
    assert dict(person.document.divisions) == {1: Division(1, 3, (2,))}


def test_a_clicked_edge_is_forgotten_when_something_else_is_selected(person):
    person.controller.do(MarkDivision(Division(1, 3, (2, 3))))
    canvas = lineage(person)
    person.wait(lambda: len(canvas.scene.edges) == 2)
    canvas.edge_clicked.emit(Edge(1, 3, 3))
    click(person, 2, 4.5)
    press(person, Qt.Key.Key_K)
    assert person.document.divisions[1].daughters == (2, 3)
    assert person.frames(4) == [4, 5]


def test_the_pointer_tells_name_frames_score_and_why_a_track_begins(person):
    person.controller.do(NoteObject(3, "begins on frame 3: appeared"))
    canvas = lineage(person)
    canvas.hovered.emit(TrackHit(3, 4, "middle"))
    assert canvas.toolTip() == "object 3 · frames 3 to 4 · frame 4: score 0.90 · begins on frame 3: appeared"
    canvas.hovered.emit(Edge(1, 3, 3))
    assert canvas.toolTip() == "object 3 comes of object 1 on frame 3"
    canvas.hovered.emit(None)
    assert canvas.toolTip() == ""


def test_other_colors_and_objects_that_go_are_followed(person):
    person.controller.do(RecolorObject(2, "#ff0000"))
    person.wait(lambda: lineage(person)._looks[2].color == (255, 0, 0))
    person.widget.panel.objects.delete_requested.emit([2])
    person.wait(lambda: lineage(person).scene.ids.tolist() == [1, 3])


def test_the_dock_is_one_closes_alone_and_with_the_panel_and_opens_again(person):
    dock = person.widget.lineage
    first = dock.panel
    dock.open()
    assert dock.panel is first
    person.viewer.window.remove_dock_widget(first)
    assert dock.panel is None
    assert dock.binding is None
    person.controller.do(RecolorObject(2, "#ff0000"))
    dock.open()
    assert dock.panel is not first
    person.wait(lambda: len(lineage(person).scene.ids) == 3)
    person.widget.close_all()
    assert dock.panel is None


def test_without_a_movie_the_lineage_is_empty(person):
    person.viewer.layers.remove("movie")
    person.wait(lambda: person.controller.document is None)
    assert not len(lineage(person).scene.ids)
    assert not person.widget.lineage.panel.buttons["cut_track"].isEnabled()
    press(person, Qt.Key.Key_K)
    assert person.problems == []
