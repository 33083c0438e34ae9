"""The panel in a real viewer: nothing is read on the window's thread, and what comes late goes where it belongs."""

from __future__ import annotations

import sys
import threading
import time

import dask.array as da
import numpy as np
import pytest
import tifffile

from src_model.document import load
from tests.napari_sam2v.person import FORWARD
from tests.tracking import tiny

pytestmark = pytest.mark.gui


class Watched:
    """A dask movie that notes on which thread our own code reads it; napari reads what it shows by itself."""

    def __init__(self, frames, seconds=0.0):
        self.threads, self.seconds, self._frames = [], seconds, frames
        chunks = ((1,) * len(frames), *((side,) for side in frames.shape[1:]))
        self.movie = da.map_blocks(self._read, chunks=chunks, dtype=frames.dtype, meta=np.zeros((0,), frames.dtype))

    def _read(self, block_info=None):
        if _is_ours():
            self.threads.append(threading.current_thread())
            time.sleep(self.seconds)
        t = block_info[None]["array-location"][0][0]
        return self._frames[t : t + 1]

    @property
    def on_the_windows_thread(self):
        return [thread for thread in self.threads if thread is threading.main_thread()]


def _is_ours():
    frame = sys._getframe()
    while frame is not None:
        if f"{'src_model'}/frames" in frame.f_code.co_filename:
            return True
        frame = frame.f_back
    return False


@pytest.fixture
def in_this_thread():
    """Let dask read on the thread that asks."""
    import dask

    with dask.config.set(scheduler="synchronous"):
        yield


def labels_file(path):
    labels = np.zeros((tiny.LENGTH, *tiny.SHAPE), np.uint8)
    labels[:4, 5:15, 5:15] = 3
    tifffile.imwrite(path, labels, metadata={"axes": "TYX"})
    return path


@pytest.mark.usefixtures("in_this_thread")
def test_nothing_is_read_on_the_windows_thread(open_panel, tmp_path):
    watched = Watched(np.stack([tiny.make_movie(), tiny.make_movie()[:, ::-1]], axis=1))
    person = open_panel(watched.movie, contrast_limits=(0, 255))
    person.widget.panel.image.option_chosen.emit("channel", 1)
    person.wait_for_movie()
    person.viewer.dims.set_current_step(1, 1)
    person.click(*tiny.CLICK)
    person.widget.panel.image.option_chosen.emit("contrast", "limits")
    person.layer("movie").contrast_limits = (20, 90)
    person.widget.panel.image.option_chosen.emit("contrast", "percentile")
    person.wait_for_movie()
    person.save(tmp_path / "work.sam2v")
    person.open(tmp_path / "work.sam2v")
    assert person.frames() == [0]
    assert person.problems == []
    assert watched.threads
    assert watched.on_the_windows_thread == []


@pytest.mark.usefixtures("in_this_thread")
def test_the_window_goes_on_while_a_slow_movie_is_opened(open_panel):
    watched = Watched(tiny.make_movie())
    person = open_panel(watched.movie, contrast_limits=(0, 255))
    watched.seconds = 0.1
    person.widget.movie.choose_layer("movie")
    assert person.status == "Reading 'movie'"
    longest, beat = 0.0, time.monotonic()
    while person.widget.movie.is_reading:
        person.qtbot.wait(1)
        longest, beat = max(longest, time.monotonic() - beat), time.monotonic()
    assert len(watched.threads) > 10
    assert longest < 0.5, "the window stood still"  # all frames take more than a second


@pytest.mark.usefixtures("in_this_thread")
def test_a_movie_that_is_not_wanted_any_more_is_not_read_on(open_panel):
    watched = Watched(tiny.make_movie())
    person = open_panel(watched.movie, contrast_limits=(0, 255))
    person.viewer.add_image(np.zeros((4, 30, 30), np.uint8), name="other")
    watched.seconds = 0.05
    watched.threads.clear()
    person.widget.movie.choose_layer("movie")
    person.wait(lambda: bool(watched.threads))
    person.choose("other")
    assert len(watched.threads) < 5
    assert person.document.movie.name == "other"


def test_masks_that_come_late_go_to_the_movie_they_were_read_for(person, tmp_path):
    work = person.document
    person.viewer.add_image(tiny.make_movie()[:, ::-1], name="other")
    person.widget.saving.open_from(labels_file(tmp_path / "labels.tif"))
    person.widget.movie.choose_layer("other")
    person.wait_for_files()
    assert person.document is not work
    assert not person.document.objects
    assert list(work.objects) == [3]
    person.choose("movie")
    assert person.frames(3) == [0, 1, 2, 3]


def test_masks_for_a_movie_that_was_closed_meanwhile_are_refused_in_words(person, tmp_path):
    person.viewer.add_image(tiny.make_movie()[:, ::-1], name="other")
    held = threading.Event()
    read = person.widget.tasks.run
    person.widget.tasks.run = lambda text, work, done, **options: read(
        text, lambda *given: (held.wait(10), work(*given))[1], done, **options
    )
    person.widget.saving.open_from(labels_file(tmp_path / "labels.tif"))
    person.viewer.layers.remove("movie")
    person.wait(lambda: person.controller.document is not None and person.document.movie.name == "other")
    held.set()
    person.wait_for_files()
    assert not person.document.objects
    assert "'movie' was closed meanwhile" in person.problems[-1]


def test_a_file_that_is_read_while_another_movie_is_chosen_is_refused_in_words(person, tmp_path):
    person.click(*tiny.CLICK)
    person.save(tmp_path / "work.sam2v")
    person.viewer.add_image(tiny.make_movie()[:, ::-1], name="other")
    person.widget.saving.open_from(tmp_path / "work.sam2v")
    person.widget.movie.choose_layer("other")
    person.wait_for_files()
    assert "another movie was chosen" in person.problems[-1]
    assert not person.document.objects


def test_the_file_holds_what_there_was_when_it_was_saved_and_later_work_is_unsaved(person, tmp_path):
    person.click(*tiny.CLICK)
    person.widget.saving.save_to(tmp_path / "work.sam2v")
    person.controller.toggle_frame_lock()
    person.wait_for_files()
    assert person.document.is_modified
    assert not load(tmp_path / "work.sam2v").locked_frames(1)


def test_a_window_that_closes_while_the_work_is_saved_waits_for_the_file(person, tmp_path, monkeypatch):
    from napari_sam2v.bindings import save_binding

    person.click(*tiny.CLICK)
    threads, write = [], save_binding.write

    def slowly(*given, **options):
        threads.append(threading.current_thread())
        time.sleep(0.3)
        return write(*given, **options)

    monkeypatch.setattr(save_binding, "write", slowly)
    person.widget.saving.save_to(tmp_path / "work.sam2v")
    document = person.document
    person.widget.close_all()
    assert threads[0] is not threading.main_thread()
    assert list(load(tmp_path / "work.sam2v").objects) == [1]
    assert not document.is_modified
    assert not any(path.is_dir() for path in person.recovery.iterdir()), "nothing is left to be restored"


def test_a_panel_beside_a_movie_knows_which_frame_is_shown(person):
    shown = person.viewer.dims.current_step[0]
    assert 0 < shown < tiny.LENGTH - 1, "napari opens movies in the middle"
    assert person.controller.frame == shown


def test_another_channel_in_view_is_said_and_offered(open_panel):
    movie = tiny.make_movie()
    person = open_panel(np.stack([movie, movie[:, ::-1]], axis=1))
    image = person.widget.panel.image
    chosen = person.widget.movie.options.channel
    assert image.follow.isHidden()
    person.viewer.dims.set_current_step(1, 1 - chosen)
    assert image.follow.text() == f"Use channel {1 - chosen}, as shown"
    person.click(*tiny.CLICK)
    assert f"The model sees channel {chosen}; press 'Use channel {1 - chosen}, as shown'" in person.problems[0]
    person.click(22, 17)
    assert len(person.problems) == 1, "once is enough"
    image.follow.click()
    person.wait_for_movie()
    assert person.widget.movie.options.channel == 1 - chosen
    assert image.follow.isHidden()
    assert person.frames() == [0]


@pytest.mark.parametrize("silently", [False, True], ids=["another array", "written into the array"])
def test_the_model_sees_the_pixels_that_a_layer_has_now(person, silently):
    person.click(*tiny.CLICK)
    before, work = person.controller.tracker, person.document
    other = tiny.make_movie()[:, ::-1].copy()
    if silently:
        person.layer("movie").data[...] = other
    else:
        person.layer("movie").data = other
        person.wait_for_movie()
    assert person.controller.tracker is not before
    assert np.array_equal(person.widget.movie.source.read(2), other[2])
    person.wait_for_movie()
    assert person.document is work
    assert person.frames() == [0]
    person.track(FORWARD)
    assert person.frames() == list(range(tiny.LENGTH))


@pytest.mark.parametrize("shape", [(4, 30, 30), (4, 2, 30, 30), (30, 30)], ids=str)
def test_pixels_of_another_size_are_another_movie_and_the_work_on_the_first_is_kept(person, shape):
    person.click(*tiny.CLICK)
    person.layer("movie").data = np.zeros(shape, np.uint8)
    person.wait_for_movie()
    assert person.document.movie.shape == (4 if len(shape) > 2 else 1, 30, 30)
    assert not person.document.objects
    assert not person.widget.panel.offer.isHidden()
