"""The panel in a real viewer: what a person does from the first click to a restored session."""

from __future__ import annotations

import dask.array as da
import numpy as np
import pytest

from napari_sam2v.preferences import Preferences
from napari_sam2v.view_state import TrackOptions
from src_model.document import Origin
from tests.napari_sam2v.person import FORWARD
from tests.tracking import tiny

pytestmark = pytest.mark.gui


def test_the_only_movie_is_chosen_by_itself_and_the_status_says_what_to_do(person):
    assert person.widget.panel.image.form.widgets["layer_name"].current_choice == "movie"
    assert person.document.movie.shape == (tiny.LENGTH, *tiny.SHAPE)
    assert person.status == "Choose Include (J), then click an object in the image"
    assert [layer.name for layer in person.viewer.layers] == ["movie"]  # no layer before one is needed


def test_a_click_shows_a_mask(person):
    person.click(*tiny.CLICK)
    assert person.frames() == [0]
    assert set(np.unique(person.shown(0))) == {0, 1}
    assert person.widget.panel.objects.current() == 1
    assert person.problems == []


def test_tracking_shows_every_frame_and_undo_takes_it_back_in_one_step(person):
    person.click(*tiny.CLICK)
    person.track()
    assert person.frames() == list(range(tiny.LENGTH))
    assert all(person.shown(frame).any() for frame in person.frames())
    assert person.controller.frame == tiny.LENGTH - 1  # the viewer followed
    person.widget.work.undo()
    assert person.frames() == [0]
    assert not person.shown(5).any()
    person.widget.work.redo()
    assert person.shown(5).any()


def test_undoing_a_click_takes_the_point_off_its_layer(person):
    person.click(*tiny.CLICK)
    person.widget.work.undo()
    assert len(person.layer("sam2v points").data) == 0
    assert not person.document.objects
    person.widget.work.redo()
    assert len(person.layer("sam2v points").data) == 1


def test_stop_keeps_what_is_done(person):
    person.click(*tiny.CLICK)
    person.widget.work.track(FORWARD)
    person.wait(lambda: len(person.frames()) >= 3)
    person.widget.panel.track.stop.click()
    person.wait_for_worker()
    done = person.frames()
    assert 3 <= len(done) < tiny.LENGTH
    person.track()
    assert person.frames() == list(range(tiny.LENGTH))


def test_a_correction_is_repaired_around_it_and_locked_frames_stay(person):
    person.click(*tiny.CLICK)
    person.track()
    person.widget.movie.show_frame(8)
    person.controller.toggle_frame_lock()
    before = {frame: person.document.mask_at(1, frame) for frame in person.frames()}
    person.click(25, 25, frame=5, tool="point_negative")
    assert person.document.frame(1, 5).origin is Origin.PROMPTED
    assert person.document.prompt(1, 5).labels == (0,)
    assert person.status.startswith(("Corrected. U tracks again", "The model is not sure"))
    assert person.widget.panel.track.repair.isEnabled()
    person.widget.work.repair()
    person.wait_for_worker()
    changed = {frame for frame in person.frames() if person.document.mask_at(1, frame) != before[frame]}
    assert 5 in changed
    assert changed <= {1, 2, 3, 4, 5, 6, 7}


def test_an_object_can_be_added_later(person):
    person.click(*tiny.CLICK)
    person.track()
    person.widget.work.next_object()
    assert "Click an object" in person.status
    person.click(*tiny.OTHER_CLICK, frame=3)
    assert list(person.document.objects) == [1, 2]
    person.track()
    assert person.frames(2) == list(range(3, tiny.LENGTH))
    assert person.frames(1) == list(range(tiny.LENGTH))
    assert len(person.widget.panel.objects.model.rows()) == 2


def test_painting_on_the_masks_is_an_edit_of_that_frame(person):
    person.click(*tiny.CLICK)
    person.track(TrackOptions("forward", "count", count=3))
    person.widget.movie.show_frame(2)
    layer = person.layer("sam2v masks")
    layer.selected_label = 1
    layer.brush_size = 5
    layer.paint((2, 35, 45), 1, refresh=True)
    person.widget.layers.flush()
    assert person.document.frame(1, 2).origin is Origin.EDITED
    assert person.document.mask_at(1, 2).decode()[35, 45]


def test_a_box_and_the_mask_candidates(person):
    person.click(*tiny.CLICK)
    first = person.document.mask_at(1, 0)
    assert person.widget.panel.prompts.mask_button.text().endswith("/3")
    person.widget.panel.prompts.mask_button.click()
    assert person.document.mask_at(1, 0) != first
    person.widget.work.next_object()
    person.widget.tools.activate("box")
    person.layer("sam2v boxes").add_rectangles([[0, 5, 30], [0, 5, 47], [0, 17, 47], [0, 17, 30]])
    person.widget.layers.flush()
    person.wait_for_worker()
    assert person.document.prompt(2, 0).box == pytest.approx((5.5, 30.5, 17.5, 47.5), abs=1)


def test_keys_work_from_any_layer(person):
    person.click(*tiny.CLICK)
    for layer in person.viewer.layers:
        if layer.name.startswith("sam2v"):
            assert "G" in {str(key) for key in layer.keymap}
    assert "N" in {str(key) for key in person.viewer.keymap}


def test_saved_work_opens_again(person, open_panel, tmp_path):
    person.click(*tiny.CLICK)
    person.track()
    person.save(tmp_path / "work.sam2v")
    assert not person.document.is_modified
    other = open_panel()
    other.open(tmp_path / "work.sam2v")
    assert other.problems == []
    assert other.frames() == list(range(tiny.LENGTH))
    assert other.shown(4).any()
    assert len(other.layer("sam2v points").data) == 1


def test_work_on_another_movie_is_refused_in_words(person, open_panel, tmp_path):
    person.click(*tiny.CLICK)
    person.save(tmp_path / "work.sam2v")
    other = open_panel(np.zeros((4, 30, 30), np.uint8))
    other.open(tmp_path / "work.sam2v")
    assert "This annotation is of 'movie'" in other.problems[0]
    assert not other.document.objects


def test_unsaved_work_is_offered_again_and_restored(person, open_panel):
    person.click(*tiny.CLICK)
    person.track()
    person.widget.close_all()  # as when the window is closed without saving
    other = open_panel()
    offer = other.widget.panel.offer
    assert not offer.isHidden()
    offer.restore.click()
    other.wait_for_files()
    assert other.frames() == list(range(tiny.LENGTH))
    assert offer.isHidden()


def test_each_frame_of_a_dask_movie_is_read_once_a_pass(open_panel):
    reads = []
    frames = tiny.make_movie()

    def read(block_info=None):
        t = block_info[None]["array-location"][0][0]
        reads.append(t)
        return frames[t : t + 1]

    movie = da.map_blocks(read, chunks=((1,) * tiny.LENGTH, *((side,) for side in tiny.SHAPE)), dtype=np.uint8)
    person = open_panel(movie, contrast_limits=(0, 255))
    person.widget.panel.track.advanced.form.widgets[
        "follow"
    ].native.click()  # the viewer reads what it shows; here only the model counts
    person.click(*tiny.CLICK)
    shown = set(reads)  # any of these may have been looked at before the click
    reads.clear()
    person.track()
    assert len(reads) == len(set(reads))
    assert set(reads) <= set(range(1, tiny.LENGTH)) <= set(reads) | shown
    reads.clear()
    person.widget.work.undo()
    person.track()
    assert reads == []  # features are cached


@pytest.mark.parametrize("wanted", [True, False])
def test_what_was_computed_waits_on_disk_for_the_next_session_if_that_is_preferred(
    open_panel, monkeypatch, tmp_path, wanted
):
    monkeypatch.setenv("SAM2V_CACHE", str(tmp_path))
    monkeypatch.setattr("napari_sam2v.widget.load_preferences", lambda: Preferences(keep_features=wanted))
    person = open_panel()
    person.click(*tiny.CLICK)
    person.track()
    person.widget.controller.tracker.session.flush()
    assert bool(list(tmp_path.glob("features/*.zarr"))) is wanted


def test_errors_are_told_in_words(person):
    person.widget.work.track(FORWARD)
    person.wait_for_worker()
    assert person.problems == ["There is no object yet; prompt one with a click, a box or a mask first"]
    assert person.problems[0] in person.status


def test_the_panel_lets_go_of_the_viewer(person):
    person.click(*tiny.CLICK)
    person.widget.close_all()
    assert [layer.name for layer in person.viewer.layers] == ["movie"]
    assert "N" not in {str(key) for key in person.viewer.keymap}


def test_the_manifest_opens_the_panel(make_napari_viewer, predictor, monkeypatch, tmp_path):
    monkeypatch.setattr("src_model.document.autosave.default_folder", lambda: tmp_path)
    monkeypatch.setattr("src_model.document.recovery.default_folder", lambda: tmp_path)
    viewer = make_napari_viewer()
    _, widget = viewer.window.add_plugin_dock_widget("napari-sam2v", "sam2v")
    assert "Open a movie" in widget.panel.status.text()
    widget.close_all()
