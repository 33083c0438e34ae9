"""How the panel ends, and what is left of it: by its cross, with its window, with the program."""

from __future__ import annotations

import os
import subprocess
import sys
import threading

import pytest
from qtpy.QtWidgets import QLabel

from tests.napari_sam2v.person import FORWARD, Person
from tests.tracking import tiny

pytestmark = pytest.mark.gui


@pytest.mark.parametrize("scene", ["cross_then_quit", "hidden_then_closed", "lineage_open", "layers_deleted"])
def test_the_program_survives(scene, repository, tmp_path):
    environment = {**os.environ, "PYTHONPATH": str(repository), "SAM2V_CACHE": str(tmp_path)}
    ended = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-m", "tests.napari_sam2v.scenes", scene],
        cwd=repository,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr[-3000:]
    assert "all is well" in ended.stdout
    assert "has been deleted" not in ended.stderr


def test_the_cross_lets_go_of_everything_and_offers_the_work_again(person, qtbot):
    person.click(*tiny.CLICK)
    person.widget.work.track(FORWARD)
    person.wait(lambda: len(person.frames()) >= 3)
    person.dock.title.close_button.click()
    assert not person.controller.worker.is_busy()
    assert [layer.name for layer in person.viewer.layers] == ["movie"]
    assert not person.viewer.keymap
    other = Person(person.viewer, qtbot, person.recovery)
    assert other.problems == []
    assert not other.widget.panel.offer.isHidden()
    other.widget.close_all()


def test_the_eye_floating_and_a_dock_beside_leave_the_panel_alone(person):
    person.click(*tiny.CLICK)
    dock = person.dock
    person.viewer.window._qt_window.show()
    dock.title.hide_button.click()
    dock.show()
    dock.title.float_button.click()
    dock.title.hide_button.click()  # closes the floating window
    dock.show()
    dock.title.float_button.click()
    person.viewer.window.add_dock_widget(QLabel("another plugin"), name="another", tabify=True)
    person.track()
    assert person.frames() == list(range(tiny.LENGTH))


def test_a_window_that_refuses_to_close_keeps_its_panel(person, qtbot):
    from qtpy.QtCore import QEvent, QObject

    class Refusal(QObject):
        def eventFilter(self, watched, event):
            if event.type() == QEvent.Type.Close:
                event.ignore()
                return True
            return False

    window, refusal = person.viewer.window._qt_window, Refusal()
    window.show()
    window.installEventFilter(refusal)
    person.widget._close_watcher._watch_parents()  # so that the panel hears of it first
    window.close()
    assert window.isVisible()
    qtbot.wait(10)
    window.hide()
    window.show()
    window.removeEventFilter(refusal)
    person.click(*tiny.CLICK)
    assert person.frames() == [0]


def test_a_panel_that_napari_opens_notices_that_its_layers_are_deleted(
    make_napari_viewer, qtbot, predictor, monkeypatch, tmp_path
):
    monkeypatch.setattr("src_model.document.autosave.default_folder", lambda: tmp_path)
    monkeypatch.setattr("src_model.document.recovery.default_folder", lambda: tmp_path)
    viewer = make_napari_viewer()
    viewer.add_image(tiny.make_movie(), name="movie")
    _, widget = viewer.window.add_plugin_dock_widget("napari-sam2v", "sam2v")
    qtbot.waitUntil(lambda: widget.layers.geometry is not None)
    widget.tools.activate("point_positive")
    viewer.layers.remove("sam2v points")
    assert widget.layers.prompts.layers == ()
    widget.tools.activate("point_positive")
    assert viewer.layers.selection.active.name == "sam2v points"
    widget.close_all()


def connections(viewer):
    emitters = (
        viewer.layers.events.inserted,
        viewer.layers.events.removed,
        viewer.layers.events.removing,
        viewer.layers.events.renamed,
        viewer.layers.selection.events.active,
        viewer.dims.events.current_step,
        viewer.dims.events.ndisplay,
        viewer.dims.events.point,
        *(viewer.layers["movie"].events[name] for name in ("data", "contrast_limits", "scale", "units")),
    )
    return [len(emitter.callbacks) for emitter in emitters]


def ours():
    return sorted(thread.name for thread in threading.enumerate() if thread.name.startswith("sam2v"))


def test_five_panels_one_after_the_other_leave_nothing_behind(person, qtbot):
    viewer, recovery = person.viewer, person.recovery
    person.click(*tiny.CLICK)
    person.dock.title.close_button.click()
    before = connections(viewer), ours(), len(viewer.layers)
    for _ in range(5):
        person = Person(viewer, qtbot, recovery)
        person.widget.tools.activate("point_positive")
        person.widget.tools.activate("box")
        person.dock.title.close_button.click()
        qtbot.wait(1)
    assert (connections(viewer), ours(), len(viewer.layers)) == before
