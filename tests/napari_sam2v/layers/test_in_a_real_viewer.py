"""What only a window can show: real mouse and key events, drawing on the screen."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("napari", reason="napari is not installed")
pytest.importorskip("qtpy", reason="no Qt")

from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest

from napari_sam2v.bindings.key_binding import Shortcuts
from napari_sam2v.layers.movie_options import MovieOptions
from napari_sam2v.layers.prompt_layers import PromptLayers
from napari_sam2v.layers.result_layers import ResultLayers

pytestmark = pytest.mark.gui
SHAPE = (6, 60, 80)


class Window:
    """A viewer with a movie, and clicks in the movie's coordinates."""

    def __init__(self, viewer):
        self.viewer = viewer
        image = viewer.add_image(np.zeros(SHAPE, np.uint8), name="cells", scale=(1, 0.5, 0.5))
        viewer.dims.set_current_step(0, 2)
        self.geometry = MovieOptions("cells", "TYX").geometry(image)
        self.canvas = viewer.window._qt_viewer.canvas
        viewer.reset_view()
        QTest.qWait(50)

    def at(self, y, x):
        """Where a place of the movie is on the canvas."""
        world = self.geometry.image.data_to_world(self.geometry.to_data(2, [(y, x)])[0])[-2:]
        camera = getattr(self.viewer, "scene", self.viewer).camera
        centre = np.array(camera.center[-2:])
        height, width = self.canvas.size
        pixel = np.array([height, width]) / 2 + (world - centre) * camera.zoom
        return QPoint(round(pixel[1]), round(pixel[0]))

    def drag(self, *path, button=None, modifiers=None):
        native = self.canvas.native
        button = button or Qt.MouseButton.LeftButton
        modifiers = modifiers or Qt.KeyboardModifier.NoModifier
        QTest.mouseMove(native, self.at(*path[0]))
        QTest.mousePress(native, button, modifiers, self.at(*path[0]))
        for place in path[1:]:
            QTest.mouseMove(native, self.at(*place))
            QTest.qWait(120)  # napari takes moves a few milliseconds late, on a busy machine later
        QTest.mouseRelease(native, button, modifiers, self.at(*path[-1]))

    def key(self, key, modifiers=None):
        QTest.keyClick(self.canvas.native, key, modifiers or Qt.KeyboardModifier.NoModifier)


@pytest.fixture
def window(make_napari_viewer):
    return Window(make_napari_viewer(show=True))


@pytest.fixture
def prompts(window):
    layers = PromptLayers(window.viewer, window.geometry)
    layers.emissions = []
    layers.edited.connect(layers.emissions.append)
    yield layers
    layers.close()


def test_clicks_with_either_button_become_points(window, prompts, qtbot):
    prompts.set_object(3)
    prompts.set_tool("point+")
    window.drag((20, 30))
    window.drag((40, 50), button=Qt.MouseButton.RightButton)
    qtbot.waitUntil(lambda: bool(prompts.emissions))
    QTest.qWait(100)
    edit = prompts.emissions[-1][0]
    assert (edit.object_id, edit.frame, edit.labels) == (3, 2, (1, 0))
    np.testing.assert_allclose(edit.points, [(20, 30), (40, 50)], atol=0.5)


def test_a_dragged_box_and_a_lasso_come_out_at_the_release(window, prompts, qtbot):
    prompts.set_tool("box")
    window.drag((10, 20), (20, 30), (30, 50))
    qtbot.waitUntil(lambda: len(prompts.emissions) == 1)
    np.testing.assert_allclose(prompts.emissions[0][0].box, (10.5, 20.5, 30.5, 50.5), atol=0.8)
    prompts.set_tool("lasso")
    window.drag((10, 10), (10, 25), (10, 40), (25, 40), (40, 40), (40, 25), (40, 10), (25, 10))
    qtbot.waitUntil(lambda: len(prompts.emissions) == 2)
    edit = prompts.emissions[1][0]
    assert edit.kind == "mask"
    assert edit.mask.decode()[15:35, 15:35].all()


def test_painted_results_are_taken_over_and_drawn(window, qtbot, make_document):
    document = make_document(SHAPE[1:])
    document.put(1, 2, (5, 5, 20, 20))
    results = ResultLayers(window.viewer, window.geometry, document)
    results.edited.connect(document.take)
    results.show()
    results.set_colors({1: (255, 0, 0)})
    window.viewer.layers.selection.active = results.layer
    results.layer.mode = "paint"
    results.layer.brush_size = 4
    results.select(1)
    window.drag((40, 40), (40, 50), (40, 60))
    assert document.masks[1, 2][40, 42:58].all()
    assert document.masks[1, 2][6, 6]
    picture = window.viewer.screenshot(canvas_only=True, flash=False)
    place = window.at(40, 50)
    ratio = picture.shape[1] / window.canvas.size[1]
    red = picture[round(place.y() * ratio), round(place.x() * ratio)]
    assert red[0] > 100 > red[1]
    results.close()


def test_keys_reach_their_actions_from_our_layers(window, prompts, qtbot):
    pressed = []
    names = ("next_object", "undo", "previous_prompt", "toggle_masks")
    shortcuts = Shortcuts({name: lambda name=name: pressed.append(name) for name in names})
    prompts.made.connect(shortcuts.bind_layer)
    shortcuts.bind_viewer(window.viewer)
    for tool in ("point+", "box", "paint"):
        prompts.set_tool(tool)
        window.key(Qt.Key.Key_N)
        window.key(Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    window.key(Qt.Key.Key_Comma)
    window.key(Qt.Key.Key_0)
    assert pressed == ["next_object", "undo"] * 3 + ["previous_prompt", "toggle_masks"]
    shortcuts.unbind()


def test_a_switch_to_3d_that_is_too_large_can_be_taken_back(window, monkeypatch, make_document):
    monkeypatch.setattr("napari_sam2v.layers.label_stack.MOST_BYTES", 1000)
    document = make_document(SHAPE[1:])
    results = ResultLayers(window.viewer, window.geometry, document)
    results.show()
    with pytest.raises(Exception, match="2-D"):
        window.viewer.dims.ndisplay = 3
    window.viewer.dims.ndisplay = 2
    results.update([(1, 2)])
    results.close()
