"""Plots in a real viewer: curves of what is selected, a click goes to its frame, a run is followed, the dock may go."""

from __future__ import annotations

import csv
import sys

import numpy as np
import pytest

pytest.importorskip("qtpy", reason="no Qt")
pytest.importorskip("pyqtgraph", reason="no pyqtgraph")

from qtpy.QtCore import QPointF, Qt
from qtpy.QtGui import QColor
from qtpy.QtTest import QTest

from src_model.document import AddObject, AnnotatedObject, RecolorObject, SetMask
from src_model.masks import MaskletFrame, Rle
from tests.tracking import tiny

pytestmark = pytest.mark.gui
LIVES = {1: (0, 8), 2: (2, 6)}


@pytest.fixture
def person(person):
    """Someone who has two tracks, the first of which is selected, and the plots open."""
    document = person.document
    for number in LIVES:
        person.controller.do(AddObject(AnnotatedObject(number)))
    with document.propagation() as run:
        for frame in range(tiny.LENGTH):
            here = [number for number, (start, stop) in LIVES.items() if start <= frame < stop]
            run.add(frame, {number: MaskletFrame(box(number, frame), 0.9, 1.0) for number in here})
    person.widget.panel.objects.select_only(1)
    person.widget.panel.plots.click()
    person.wait(lambda: list(drawn(person)) == [1] and is_measured(person))
    return person


def box(number, frame, side=6):
    y, x = 3 * frame if number == 1 else 20, 4 * frame
    return Rle.from_box((y, x, y + side, x + side), tiny.SHAPE)


def plots(person):
    return person.widget.plots.panel.canvas


def drawn(person):
    return plots(person)._drawn


def is_measured(person):
    return "measured" not in person.widget.plots.panel.line.text()


def point(person, name, frame):
    """Where a frame is in a plot, as a pixel of the viewport."""
    view = plots(person).plots[name].vb
    low, high = view.viewRange()[1]
    return plots(person).mapFromScene(view.mapViewToScene(QPointF(frame, (low + high) / 2)))


def click(person, name, frame):
    QTest.mouseClick(
        plots(person).viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, point(person, name, frame)
    )


def test_curves_of_the_selected_object_hold_what_its_masks_and_the_movie_say(person):
    series = drawn(person)[1]
    movie = person.layer("movie").data
    assert series.frames.tolist() == list(range(8))
    assert series.area.tolist() == [36] * 8
    assert np.allclose(series.speed[1:], 5)
    assert np.allclose(series.score, 0.9)
    assert np.allclose(series.intensity, [movie[frame][box(1, frame).decode()].mean() for frame in range(8)])
    x, y = plots(person)._curves["area", 1].getData()
    assert (x.tolist(), y.tolist()) == (list(range(8)), [36] * 8)


def test_curves_follow_the_selection_and_have_the_colors_of_their_objects(person):
    person.controller.do(RecolorObject(2, "#ff5050"))
    person.widget.panel.objects.toggle(2)
    person.wait(lambda: list(drawn(person)) == [1, 2])
    assert plots(person)._curves["score", 2].opts["pen"].color() == QColor("#ff5050")
    person.controller.do(RecolorObject(2, "#50ff50"))
    assert plots(person)._curves["score", 2].opts["pen"].color() == QColor("#50ff50")
    person.controller.select(2)  # as a click on its mask does
    person.wait(lambda: list(drawn(person)) == [2])
    assert {number for _, number in plots(person)._curves} == {2}


@pytest.mark.parametrize("name", ["area", "score"])
def test_a_click_goes_to_its_frame_and_the_line_follows_the_viewer(person, name):
    click(person, name, 5)
    assert person.controller.frame == 5
    person.widget.movie.show_frame(3)
    assert {line.value() for line in plots(person)._lines.values()} == {3}
    assert person.widget.plots.panel.line.text().startswith("object 1 · frame 3 · 36 px · 5 px/frame · intensity")


def test_a_painted_mask_and_undo_are_followed_and_nothing_else_is_read_again(person):
    read = []
    source = person.controller.source
    kind = type(source)
    original = kind.read

    def counted(self, frame):
        read.append(frame)
        return original(self, frame)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kind, "read", counted)
        person.controller.do(SetMask(1, 4, box(1, 4, side=8)))
        person.wait(lambda: drawn(person)[1].area[4] == 64 and is_measured(person))
    assert read == [4]
    person.controller.undo()
    person.wait(lambda: drawn(person)[1].area[4] == 36)


def test_curves_grow_while_tracking_runs(person):
    person.click(*tiny.CLICK, frame=0)
    number = person.controller.selected
    person.wait(lambda: number in drawn(person))
    lengths = []
    plots_shown = person.widget.plots.binding._plots.signals.changed
    plots_shown.connect(lambda: lengths.append(len(drawn(person)[number].area) if number in drawn(person) else 0))
    person.track()
    person.wait(lambda: lengths and lengths[-1] == tiny.LENGTH and is_measured(person))
    assert lengths == sorted(lengths)


def test_plots_are_hidden_one_by_one_and_zoomed_together(person):
    panel, canvas = person.widget.plots.panel, plots(person)
    panel.shown["area"].click()
    panel.shown["score"].click()
    assert [name for name, plot in canvas.plots.items() if plot.isVisible()] == ["speed", "intensity"]
    canvas.plots["speed"].setXRange(0, 9, padding=0)
    assert all(np.allclose(plot.viewRange()[0], (0, 9)) for plot in canvas.plots.values())
    panel.all.click()
    assert all(np.allclose(plot.viewRange()[0], (-0.5, tiny.LENGTH - 0.5)) for plot in canvas.plots.values())


def test_the_numbers_of_the_selected_objects_are_written_as_a_table(person, monkeypatch, tmp_path):
    path = tmp_path / "one.csv"
    monkeypatch.setattr(person.widget.files._dialogs, "to_export", lambda *_: path)
    person.widget.plots.panel.table.click()
    person.wait_for_files()
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["object"] for row in rows} == {"1"}
    series = drawn(person)[1]
    for name, column in (("area", "area"), ("speed", "speed"), ("intensity", "mean_intensity")):
        values = [float(row[column] or "nan") for row in rows]
        assert np.allclose(values, getattr(series, name), equal_nan=True, rtol=1e-5)


def test_the_dock_is_one_closes_alone_and_with_the_panel_and_opens_again(person):
    dock = person.widget.plots
    first = dock.panel
    dock.open()
    assert dock.panel is first
    person.viewer.window.remove_dock_widget(first)
    assert dock.panel is None
    person.controller.do(SetMask(1, 4, box(1, 4, side=8)))
    dock.open()
    assert dock.panel is not first
    person.wait(lambda: 1 in drawn(person) and drawn(person)[1].area[4] == 64)
    person.widget.close_all()
    assert dock.panel is None


def test_without_a_movie_or_a_selection_there_are_no_curves(person):
    person.widget.panel.objects.view.clearSelection()
    person.wait(lambda: not drawn(person))
    assert "Select objects" in person.widget.plots.panel.line.text()
    assert not person.widget.plots.panel.table.isEnabled()
    person.viewer.layers.remove("movie")
    person.wait(lambda: person.controller.document is None)
    assert not drawn(person)


def test_where_pyqtgraph_is_missing_it_is_said_what_to_install(person, monkeypatch):
    person.widget.plots.close()
    monkeypatch.setitem(sys.modules, "pyqtgraph", None)
    for name in ("plots_panel", "plots_canvas"):
        monkeypatch.delitem(sys.modules, f"napari_sam2v.panel.{name}", raising=False)
    person.widget.panel.plots.click()
    assert person.widget.plots.panel is None
    assert person.problems == ["Plotting needs the package 'pyqtgraph': pip install \"napari-sam2v[napari]\""]
