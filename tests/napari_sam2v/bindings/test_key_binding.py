from __future__ import annotations

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.utils.key_bindings import KeymapHandler

from napari_sam2v.actions import ACTIONS
from napari_sam2v.bindings.key_binding import Shortcuts, _napari_keys, _normal, resolve_keys


class Keyboard:
    """Presses keys as the viewer's window does: the active layer's keys first."""

    def __init__(self, viewer):
        self._handler = KeymapHandler()
        self._viewer = viewer

    def press(self, key):
        self._handler.keymap_providers = [
            provider for provider in (self._viewer.layers.selection.active, self._viewer) if provider is not None
        ]
        return self._handler.press_key(key)


@pytest.fixture
def viewer():
    return ViewerModel()


@pytest.fixture
def pressed():
    return []


@pytest.fixture
def handlers(pressed):
    return {action.id: lambda name=action.id: pressed.append(name) for action in ACTIONS}


@pytest.fixture
def keyboard(viewer):
    return Keyboard(viewer)


def test_the_defaults_take_no_key_of_naparis_but_undo_and_redo():
    taken = {_normal(action.key) for action in ACTIONS} & set(_napari_keys())
    assert taken <= {"Ctrl+Z", "Ctrl+Shift+Z"}


def test_keys_work_on_the_viewer_and_on_our_layers(viewer, handlers, pressed, keyboard):
    shortcuts = Shortcuts(handlers)
    shortcuts.bind_viewer(viewer)
    assert shortcuts.problems == []
    layer = viewer.add_labels(np.zeros((3, 5, 5), np.uint16))
    shortcuts.bind_layer(layer)
    keyboard.press("N")
    keyboard.press("Control-Z")  # of the layer, where it would otherwise undo a brush stroke
    viewer.layers.selection.active = None
    keyboard.press("K")
    keyboard.press(",")
    assert pressed == ["next_object", "undo", "point_negative", "previous_prompt"]


def test_keys_that_were_taken_back_do_nothing(viewer, handlers, pressed, keyboard):
    shortcuts = Shortcuts(handlers)
    shortcuts.bind_viewer(viewer)
    shortcuts.unbind()
    keyboard.press("N")
    assert pressed == []
    assert not viewer.keymap


def test_the_users_own_keys_replace_the_defaults(viewer, handlers, pressed, keyboard):
    shortcuts = Shortcuts(handlers, {"next_object": "Control-Shift-U", "worst_frame": ""})
    shortcuts.bind_viewer(viewer)
    for key in ("N", "W", "Control-Shift-U"):
        keyboard.press(key)
    assert pressed == ["next_object"]
    assert shortcuts.keys["next_object"] == "Control-Shift-U"
    assert "worst_frame" not in shortcuts.keys


def test_actions_without_a_handler_have_no_key(viewer, handlers, pressed):
    del handlers["repair"]
    shortcuts = Shortcuts(handlers)
    shortcuts.bind_viewer(viewer)
    assert "U" not in {str(key) for key in viewer.keymap}
    assert set(shortcuts.keys) == {action.id for action in ACTIONS if action.key} - {"repair"}


def test_a_key_for_two_actions_stays_with_the_one_the_user_chose():
    keys, problems = resolve_keys({"worst_frame": "n"})
    assert keys["worst_frame"] == "n"
    assert "next_object" not in keys
    assert len(problems) == 1
    assert "Start the next object" in problems[0]


@pytest.mark.parametrize("key", ["hello", "Control-", "G-G", "ß"])
def test_what_is_no_key_is_told(key):
    keys, problems = resolve_keys({"worst_frame": key})
    assert "worst_frame" not in keys
    assert "is no key" in problems[0]


def test_unknown_actions_are_ignored():
    assert resolve_keys({"fly": "F9"}) == resolve_keys({})


def test_a_key_that_another_plugin_took_stays_with_it(viewer, handlers, pressed, keyboard):
    others = []
    viewer.bind_key("K", lambda _: others.append(1))
    shortcuts = Shortcuts(handlers)
    shortcuts.bind_viewer(viewer)
    keyboard.press("K")
    assert (others, pressed) == ([1], [])
    assert "another plugin" in shortcuts.problems[0]
    assert "point_negative" not in shortcuts.keys


def test_a_key_of_naparis_is_taken_with_a_warning(viewer, handlers, pressed, keyboard):
    shortcuts = Shortcuts(handlers, {"worst_frame": "V"})
    shortcuts.bind_viewer(viewer)
    keyboard.press("V")
    assert pressed == ["worst_frame"]
    assert "napari's key" in shortcuts.problems[0]
