"""The panel in a real viewer: other movies, other channels, files of other programs, closed windows."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import tifffile

from src_model.document import SetMovie, ShowObject
from src_model.formats import format_named
from src_model.formats.settings import ExportSettings
from tests.napari_sam2v.person import FORWARD
from tests.tracking import tiny

pytestmark = pytest.mark.gui


def two_channels():
    """(T, C, Y, X); the second channel is the first one upside down."""
    movie = tiny.make_movie()
    return np.stack([movie, movie[:, ::-1]], axis=1)


def test_next_object_takes_a_tool_that_can_start_one(person):
    person.widget.work.next_object()
    assert person.widget.tools.active_tool == "point_positive"
    person.widget.tools.activate("point_negative")
    person.widget.work.next_object()
    assert person.widget.tools.active_tool == "point_positive"
    person.widget.tools.activate("box")
    person.widget.work.next_object()
    assert person.widget.tools.active_tool == "box"
    assert "Draw a box" in person.status


def test_another_layer_puts_the_tool_away_and_the_status_says_so(person):
    person.widget.tools.activate("point_positive")
    assert person.widget.panel.prompts.tools["point_positive"].isChecked()
    person.viewer.layers.selection.active = person.layer("movie")
    assert not person.widget.panel.prompts.tools["point_positive"].isChecked()
    assert person.status.startswith("Choose Include")


def test_a_click_in_3d_is_refused_and_leaves_nothing_behind(person):
    person.widget.tools.activate("point_positive")
    person.viewer.dims.ndisplay = 3
    assert person.widget.tools.active_tool == ""
    person.layer("sam2v points").add([0, *tiny.CLICK])
    person.widget.layers.flush()
    assert "3-D" in person.problems[-1]
    assert len(person.layer("sam2v points").data) == 0
    assert not person.document.objects


def test_another_channel_is_the_same_work(open_panel):
    person = open_panel(two_channels())
    person.click(*tiny.CLICK)
    work, source = person.document, person.widget.movie.source
    person.widget.panel.image.option_chosen.emit("channel", 1)
    person.wait_for_movie()
    assert person.document is work
    assert person.widget.movie.source is not source
    assert person.shown(0).any()


def test_another_time_axis_is_another_work_and_the_way_back_finds_the_first(open_panel):
    person = open_panel(two_channels())
    person.click(*tiny.CLICK)
    work = person.document
    person.widget.panel.image.option_chosen.emit("axes", "CTYX")
    person.wait_for_movie()
    assert not person.document.objects
    person.widget.panel.image.option_chosen.emit("axes", "TCYX")
    person.wait_for_movie()
    assert person.document is work
    assert person.shown(0).any()


def test_work_on_a_layer_waits_while_another_layer_is_annotated(person):
    person.click(*tiny.CLICK)
    work = person.document
    person.viewer.add_image(np.zeros((4, 30, 30), np.uint8), name="other")
    person.choose("other")
    assert not person.document.objects
    assert not person.widget.panel.offer.isVisible()  # nothing is lost that would have to be restored
    person.choose("movie")
    assert person.document is work


def test_work_whose_layer_was_removed_is_offered_and_restored_on_the_same_movie(person):
    person.click(*tiny.CLICK)
    person.viewer.layers.remove("movie")
    person.wait(lambda: person.controller.document is None)
    assert len(person.viewer.layers) == 0
    assert "Open a movie" in person.status
    assert not person.widget.panel.offer.isHidden()
    person.viewer.add_image(tiny.make_movie(), name="movie again")
    person.widget.panel.offer.restore.click()
    person.wait_for_files()
    assert person.frames() == [0]
    assert person.widget.panel.offer.isHidden()


def test_a_layer_can_be_renamed_in_the_middle_of_work(person):
    person.click(*tiny.CLICK)
    person.layer("movie").name = "embryo"
    assert person.widget.panel.image.form.widgets["layer_name"].current_choice == "embryo"
    person.track()
    assert person.frames() == list(range(tiny.LENGTH))


def test_contrast_follows_the_layer_if_so_chosen_and_undo_takes_it_back(person):
    person.widget.panel.image.option_chosen.emit("contrast", "limits")
    person.wait_for_movie()
    before = person.document.project.normalization
    person.layer("movie").contrast_limits = (20, 90)
    person.wait(lambda: person.document.project.normalization != before)
    person.widget.work.undo()
    assert person.document.project.normalization == before


def test_a_saved_work_finds_its_channel_by_itself(open_panel, tmp_path):
    person = open_panel(two_channels())
    person.widget.panel.image.option_chosen.emit("axes", "TCYX")
    person.wait_for_movie()
    person.viewer.dims.set_current_step(1, 1)
    person.choose("movie")
    person.click(*tiny.CLICK)
    person.save(tmp_path / "work.sam2v")
    other = open_panel(two_channels()[:, ::-1])
    other.open(tmp_path / "work.sam2v")
    assert other.problems == []
    assert other.frames() == [0]
    assert other.widget.movie.options.channel != person.widget.movie.options.channel


def test_masks_are_exported_beside_the_work_and_come_back(person, open_panel, tmp_path):
    person.click(*tiny.CLICK)
    person.track()
    person.widget.files.export_to(format_named("tiff"), tmp_path / "masks.tif", ExportSettings())
    person.wait(lambda: not person.widget.tasks.is_running)
    assert "Wrote masks.tif: 1 object on" in person.status
    assert tifffile.imread(tmp_path / "masks.tif").shape == (tiny.LENGTH, *tiny.SHAPE)
    other = open_panel()
    other.open(tmp_path / "masks.tif")
    other.wait(lambda: not other.widget.tasks.is_running)
    assert other.frames() == list(range(tiny.LENGTH))
    assert np.array_equal(other.shown(4), person.shown(4))
    other.widget.work.undo()
    assert not other.document.objects


@pytest.mark.parametrize(
    ("name", "target", "opened"),
    [
        ("ctc", "01_RES", "01_RES/res_track.txt"),
        ("trackmate", "cells.xml", "cells.xml"),
        ("coco", "cells.json", "cells.json"),
    ],
)
def test_tracked_cells_of_other_programs_are_opened(person, tmp_path, name, target, opened):
    person.click(*tiny.CLICK)
    person.track()
    person.widget.files.export_to(format_named(name), tmp_path / target, ExportSettings())
    person.wait(lambda: not person.widget.tasks.is_running)
    person.open(tmp_path / opened)
    person.wait(lambda: len(person.document.objects) == 2)
    again = person.document.mask_at(2, 3)
    # Outlines of TrackMate have no holes, which masks of a network without training are full of.
    assert again.box == person.document.mask_at(1, 3).box
    assert name == "trackmate" or again == person.document.mask_at(1, 3)


def test_what_cannot_be_exported_is_told_in_words(person, tmp_path):
    person.widget.files.export_to(format_named("tiff"), tmp_path / "masks.tif", ExportSettings())
    person.wait(lambda: not person.widget.tasks.is_running)
    assert person.problems == ["There is nothing to export: no object has a mask yet"]
    assert not (tmp_path / "masks.tif").exists()


@pytest.mark.parametrize("answer", [True, False])
def test_a_file_of_other_origin_is_replaced_only_after_asking(person, tmp_path, monkeypatch, answer):
    asked = []
    monkeypatch.setattr("napari_sam2v.bindings.dialogs.may_replace", lambda path, parent: asked.append(path) or answer)
    target = tmp_path / "masks.tif"
    tifffile.imwrite(target, tiny.make_movie())
    person.click(*tiny.CLICK)
    for _ in range(2):
        person.widget.files.export_to(format_named("tiff"), target, ExportSettings())
        person.wait(lambda: not person.widget.tasks.is_running)
    assert np.array_equal(tifffile.imread(target), tiny.make_movie()) != answer
    assert asked == [target] * (1 if answer else 2)


def test_the_movie_is_never_written_onto(person, tmp_path, monkeypatch):
    monkeypatch.setattr("napari_sam2v.bindings.dialogs.may_replace", lambda path, parent: pytest.fail("asked"))
    target = tmp_path / "movie.tif"
    tifffile.imwrite(target, tiny.make_movie())
    person.click(*tiny.CLICK)
    movie = dataclasses.replace(person.document.movie, path=str(target))
    person.document.do(SetMovie(movie))
    person.widget.files.export_to(format_named("tiff"), target, ExportSettings())
    assert "is in use here" in person.problems[-1]
    assert np.array_equal(tifffile.imread(target), tiny.make_movie())


def test_every_format_is_offered(person):
    box = person.widget.panel.result.export_popup.form.widgets["format"].native
    entries = [box.itemText(index) for index in range(box.count())]
    assert "Cell Tracking Challenge folder" in entries
    assert len(entries) >= 8


def test_what_is_chosen_for_an_export_holds(person, tmp_path):
    person.click(*tiny.CLICK)
    person.widget.work.next_object()
    person.click(25, 40)
    person.document.do(ShowObject(2, False))
    person.widget.files.export_to(format_named("csv"), tmp_path / "cells.csv", ExportSettings(visible_only=True))
    person.wait(lambda: not person.widget.tasks.is_running)
    lines = (tmp_path / "cells.csv").read_text().splitlines()[1:]
    assert {line.split(",")[1] for line in lines} == {"1"}


def test_a_run_is_a_task_of_napari_and_ends_with_the_window(person):
    person.click(*tiny.CLICK)
    person.widget.work.track(FORWARD)
    person.wait(lambda: len(person.frames()) >= 3)
    assert person.widget._close_question._ended is not None, "napari knows of the run"
    person.widget.close()
    assert person.widget._close_question._ended is None
    assert not person.controller.worker.is_busy()
    assert not person.controller.tracking.is_tracking


def test_the_status_of_imported_masks_says_that_they_are_imported(person, tmp_path):
    labels = np.zeros((tiny.LENGTH, *tiny.SHAPE), np.uint8)
    labels[:4, 5:15, 5:15] = 3
    tifffile.imwrite(tmp_path / "labels.tif", labels, metadata={"axes": "TYX"})
    person.open(tmp_path / "labels.tif")
    person.wait(lambda: bool(person.document.objects))
    person.controller.select(3)
    told = f"Object 3 is imported on 4 of {tiny.LENGTH} frames; click it once to let it be tracked"
    assert person.status == told
