"""A document, an event loop and a mouse for layers without a screen."""

from __future__ import annotations

import time
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("napari", reason="napari is not installed")

from napari.components import ViewerModel
from napari.utils.interactions import mouse_move_callbacks, mouse_press_callbacks, mouse_release_callbacks
from qtpy.QtCore import QCoreApplication

from napari_sam2v.layers.geometry import LayerGeometry
from src_model.masks import labels_from_masks


class EventLoop:
    """Runs long enough for every timer of the layers to fire."""

    def run(self, seconds=0.1, until=lambda: False):
        end = time.monotonic() + seconds
        while time.monotonic() < end and not until():
            QCoreApplication.processEvents()
            time.sleep(0.001)
        QCoreApplication.processEvents()


class Document:
    """Masks by object and frame; counts how often frames are decoded."""

    def __init__(self, shape):
        self.shape = shape
        self.masks = {}
        self.locked = set()
        self.dtype = np.dtype(np.uint16)
        self.decoded = []

    def put(self, object_id, frame, box):
        mask = np.zeros(self.shape, bool)
        mask[box[0] : box[2], box[1] : box[3]] = True
        self.masks[object_id, frame] = mask

    def labels(self, frame):
        self.decoded.append(frame)
        here = {object_id: mask for (object_id, at), mask in self.masks.items() if at == frame}
        return labels_from_masks(here, self.shape, self.dtype)

    def mask(self, object_id, frame):
        return self.masks.get((object_id, frame))

    def refusal(self, object_id, frame):
        return f"object {object_id} is locked" if (object_id, frame) in self.locked else None

    def take(self, edits):
        for edit in edits:
            self.masks[edit.object_id, edit.frame] = edit.mask.decode()


class Mouse:
    """Presses, moves and releases over a layer, in its data coordinates."""

    def __init__(self, layer, viewer, button=1, modifiers=()):
        self.layer, self.viewer = layer, viewer
        self.event = SimpleNamespace(
            button=button,
            modifiers=list(modifiers),
            view_direction=None,
            up_direction=None,
            dims_displayed=list(viewer.dims.displayed),
            handled=False,
            camera_zoom=1.0,
        )

    def _at(self, kind, yx):
        frame = self.viewer.dims.current_step[0]
        data = np.array([frame, *([0] * (self.layer.ndim - 3)), *yx], float)
        world = np.asarray(self.layer.data_to_world(data))
        self.event.type, self.event.position = kind, tuple(world)
        self.event.pos = np.array(yx[::-1], float) * 10  # ten screen pixels a pixel
        self.event.is_dragging = kind == "mouse_move"

    def drag(self, *path, between=lambda: None):
        self._at("mouse_press", path[0])
        mouse_press_callbacks(self.layer, self.event)
        between()
        for place in path[1:]:
            self._at("mouse_move", place)
            mouse_move_callbacks(self.layer, self.event)
        self._at("mouse_release", path[-1])
        mouse_release_callbacks(self.layer, self.event)


@pytest.fixture
def event_loop(qapp):
    return EventLoop()


@pytest.fixture
def viewer(event_loop):
    return ViewerModel()


@pytest.fixture
def make_movie(viewer):
    """Add an image and return its geometry."""

    def make(shape=(6, 20, 30), axes="TYX", plane=None, **options):
        image = viewer.add_image(np.zeros(shape, np.uint8), **options)
        viewer.dims.current_step = (0,) * len(shape)
        return LayerGeometry(image, axes, plane=plane)

    return make


@pytest.fixture
def make_document():
    return Document


@pytest.fixture
def mouse():
    return Mouse
