"""What may end the whole program, each scene in a program of its own: ``python -m tests.napari_sam2v.scenes NAME``."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import dask.array as da
import napari
import numpy as np
from qtpy.QtTest import QTest

from napari_sam2v import widget
from napari_sam2v.preferences import Preferences
from napari_sam2v.view_state import TrackOptions
from napari_sam2v.widget import Sam2vWidget
from src_model.tracking import predictor
from tests.tracking import tiny

LENGTH = 400


def slow_movie():
    frames = tiny.make_movie(LENGTH)

    def read(block_info=None):
        time.sleep(0.02)
        t = block_info[None]["array-location"][0][0]
        return frames[t : t + 1]

    return da.map_blocks(read, chunks=((1,) * LENGTH, *((side,) for side in tiny.SHAPE)), dtype=np.uint8)


class Scene:
    """A window with a movie, so long that tracking does not come to its end, and a panel."""

    def __init__(self):
        small = tiny.predictor(tiny.build())
        predictor.StreamingPredictor.load = staticmethod(lambda *_args, **_options: small)
        widget.load_preferences = Preferences  # not those of the user
        self.recovery = Path(tempfile.mkdtemp())
        self.viewer = napari.Viewer()
        self.viewer.add_image(slow_movie(), name="movie", contrast_limits=(0, 255))
        self.open()

    def open(self):
        self.widget = Sam2vWidget(self.viewer, recovery_folder=self.recovery)
        self.dock = self.viewer.window.add_dock_widget(self.widget, name="sam2v")
        self.until(lambda: self.widget.controller.document is not None)

    def until(self, condition):
        end = time.monotonic() + 30
        while not condition():
            assert time.monotonic() < end, "it never came"
            QTest.qWait(10)

    def layer(self, name):
        return next(layer for layer in self.viewer.layers if layer.name == name)

    def track(self):
        self.widget.movie.show_frame(0)
        self.widget.tools.activate("point_positive")
        self.layer("sam2v points").add([0, *tiny.CLICK])
        self.widget.layers.flush()
        self.until(lambda: not self.widget.controller.worker.is_busy())
        self.widget.work.track(TrackOptions("forward"))
        self.until(lambda: len(self.widget.controller.annotation.masklet(1).entries()) >= 3)

    def draw(self, times=12):
        for _ in range(times):
            self.viewer.layers[0].refresh()
            QTest.qWait(10)


def cross_then_quit():
    """The cross while tracking: all is let go, another panel offers the work, and the program ends in peace."""
    scene = Scene()
    scene.track()
    worker = scene.widget.controller.worker
    scene.dock.title.close_button.click()
    assert not worker.is_busy()
    assert [layer.name for layer in scene.viewer.layers] == ["movie"]
    assert not scene.viewer.keymap
    scene.open()
    assert not scene.widget.panel.offer.isHidden()
    scene.track()
    scene.dock.title.close_button.click()
    scene.viewer.close()


def hidden_then_closed():
    """The eye while tracking, then the window's own close button."""
    scene = Scene()
    scene.track()
    worker = scene.widget.controller.worker
    scene.dock.title.hide_button.click()
    QTest.qWait(50)
    assert worker.is_busy(), "a hidden panel goes on"
    scene.viewer.window._qt_window.close()
    assert not worker.is_busy()
    QTest.qWait(50)


def lineage_open():
    """The lineage beside a panel that goes, and one that is open when the window closes."""
    scene = Scene()
    scene.widget.lineage.open()
    scene.track()
    scene.dock.title.close_button.click()
    assert scene.widget.lineage.panel is None
    scene.open()
    scene.widget.lineage.open()
    scene.track()
    scene.viewer.window._qt_window.close()
    QTest.qWait(50)
    assert scene.widget.lineage.binding is None


def layers_deleted():
    """Layers are deleted while tracking draws them anew, and all of them when the panel closes."""
    scene = Scene()
    scene.track()
    for name in ("sam2v points", "sam2v masks"):
        scene.viewer.layers.selection = {scene.layer(name)}
        scene.viewer.layers.remove_selected()
        scene.draw()
    assert scene.widget.controller.tracking.is_tracking
    assert "sam2v masks" in [layer.name for layer in scene.viewer.layers], "tracking shows what comes"
    scene.widget.close_all()
    scene.draw(30)
    scene.viewer.close()


if __name__ == "__main__":
    globals()[sys.argv[1]]()
    sys.stdout.write("all is well")
