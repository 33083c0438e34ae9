"""The curves as they are drawn: gaps stay gaps, a lone value is seen, themes and other movies are followed."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("pyqtgraph", reason="no pyqtgraph")

from qtpy.QtCore import QPointF

from napari_sam2v.panel.lineage_painting import ObjectLook
from napari_sam2v.panel.plots_canvas import PlotsCanvas, points
from src_model.measures import MeasureUnits, TrackSeries

pytestmark = pytest.mark.gui
NAN = np.nan


@pytest.fixture
def canvas(qtbot, styled):
    canvas = PlotsCanvas()
    qtbot.addWidget(canvas)
    styled(canvas)
    canvas.resize(600, 300)
    canvas.show()
    qtbot.waitExposed(canvas)
    canvas.set_length(40)
    return canvas


def series(object_id, values):
    values = np.array(values, float)
    return TrackSeries(object_id, 10, values, values, values, values)


def show(canvas, *every, color=(60, 230, 60)):
    canvas.set_curves(every, {each.object_id: ObjectLook("", color) for each in every}, MeasureUnits())


def test_a_value_without_neighbours_becomes_a_dash_and_the_others_stay_where_they_are():
    x, y = points(np.arange(10, 16), np.array([1, 2, NAN, 3, NAN, 4]))
    assert np.allclose(x, [10, 11, 12, 12.8, 13.2, 14, 14.8, 15.2])
    assert np.allclose(y, [1, 2, NAN, 3, 3, NAN, 4, 4], equal_nan=True)


def test_what_is_drawn_has_the_color_of_its_object_and_nothing_is_drawn_in_a_gap(canvas):
    show(canvas, series(1, [0.5] * 5 + [NAN] * 5 + [0.5] * 5))
    image = canvas.grab().toImage()
    view = canvas.plots["score"].vb

    def is_drawn(frame):
        place = canvas.mapFromScene(view.mapViewToScene(QPointF(frame, 0.5)))
        colors = (image.pixelColor(place.x(), place.y() + dy) for dy in range(-3, 4))
        return any(color.green() > 120 and color.red() < 120 for color in colors)

    assert [is_drawn(frame) for frame in (12, 17, 22, 30)] == [True, False, True, False]


def test_only_curves_that_changed_are_set_again(canvas):
    first, second = series(1, [1, 2, 3]), series(2, [2, 3, 4])
    show(canvas, first, second)
    kept = canvas._curves["area", 1]
    data = kept.getData()[1]
    show(canvas, first, series(2, [5, 6, 7]))
    assert canvas._curves["area", 1] is kept
    assert kept.getData()[1] is data
    assert canvas._curves["area", 2].getData()[1].tolist() == [5, 6, 7]
    show(canvas)
    assert canvas._curves == {}


def test_axes_name_the_units_and_a_longer_movie_is_shown_from_end_to_end(canvas):
    canvas.set_curves((), {}, MeasureUnits((0.5, 0.5), 2.0, "µm", "s"))
    assert "µm²" in canvas._labels["area"].text
    assert "µm/s" in canvas._labels["speed"].text
    canvas.plots["area"].setXRange(3, 20, padding=0)
    canvas.set_length(40)
    assert np.allclose(canvas.plots["score"].viewRange()[0], (3, 20))
    canvas.set_length(90)
    assert np.allclose(canvas.plots["score"].viewRange()[0], (-0.5, 89.5))


def test_another_theme_is_followed(canvas, styled):
    before = canvas.backgroundBrush().color()
    styled(canvas, "light")
    assert canvas.backgroundBrush().color().lightness() > before.lightness()
