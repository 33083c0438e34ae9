"""Someone who works with the panel."""

from __future__ import annotations

import numpy as np

from napari_sam2v.view_state import TrackOptions

FORWARD = TrackOptions("forward")


class Person:
    """Someone at a viewer with the panel open."""

    def __init__(self, viewer, qtbot, recovery):
        from napari_sam2v.widget import Sam2vWidget

        self.viewer, self.qtbot, self.recovery = viewer, qtbot, recovery
        self.widget = Sam2vWidget(viewer, recovery_folder=recovery)
        self.dock = viewer.window.add_dock_widget(self.widget, name="sam2v")
        self.problems = []
        self.widget.controller.events.problem.connect(self.problems.append)
        self.wait_for_movie()

    @property
    def controller(self):
        return self.widget.controller

    @property
    def document(self):
        return self.controller.annotation

    @property
    def status(self):
        return self.widget.panel.status.text()

    def layer(self, name):
        return next(layer for layer in self.viewer.layers if layer.name == name)

    def wait(self, until, seconds=60):
        self.qtbot.waitUntil(until, timeout=seconds * 1000)

    def wait_for_movie(self):
        self.wait(lambda: not self.widget.movie.is_reading)

    def wait_for_files(self):
        self.wait(lambda: not self.widget.tasks.is_running)
        self.wait_for_movie()

    def choose(self, name):
        self.widget.movie.choose_layer(name)
        self.wait_for_movie()

    def save(self, path):
        self.widget.saving.save_to(path)
        self.wait_for_files()

    def open(self, path):
        self.widget.saving.open_from(path)
        self.wait_for_files()

    def wait_for_worker(self):
        self.wait(lambda: not self.controller.worker.is_busy() and not self.controller.tracking.is_tracking)
        self.qtbot.wait(50)

    def click(self, y, x, frame=0, tool="point_positive"):
        self.widget.movie.show_frame(frame)
        self.widget.tools.activate(tool)
        layer = self.layer("sam2v points")
        layer.add(self.widget.movie.geometry.to_data(frame, [(y, x)])[0])
        self.widget.layers.flush()
        self.wait_for_worker()

    def track(self, request=FORWARD):
        self.widget.work.track(request)
        self.wait_for_worker()

    def frames(self, object_id=1):
        return sorted(self.document.masklet(object_id).entries())

    def shown(self, frame):
        return np.asarray(self.layer("sam2v masks").data[frame])
