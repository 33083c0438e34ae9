"""``sam2v track``, with a tiny network."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from src_model.cli.error_messages import FAILED
from src_model.cli.job import MovieChoice
from src_model.document import load
from src_model.frames import open_movie
from src_model.masks import labels_at
from src_model.workflow import DocumentTracker, TrackingJob, TrackRequest, run_job
from tests.cli.conftest import CLICK, said
from tests.tracking import tiny
from tests.tracking.damage import DamagedMovie


def expected_labels(session, overlap="score"):
    """Labels of a session, by the library alone."""
    masklets = session.masklets.values()
    return np.stack([labels_at(masklets, t, tiny.SHAPE, np.uint8, overlap=overlap) for t in range(tiny.LENGTH)])


@pytest.fixture
def session(predictor, movie):
    return predictor.start(movie)


def test_a_click_gives_the_labels_that_the_library_gives(sam2v, movie, session):
    result = sam2v("track", movie, "--point", CLICK)
    session.prompt(0, 1, points=[tiny.CLICK], labels=[1])
    tiny.finish(session.propagate())
    labels = tifffile.imread("labels.tif")
    assert labels.dtype == np.uint8
    np.testing.assert_array_equal(labels, expected_labels(session))
    assert labels.any(axis=(1, 2)).all()
    assert "Tracked 1 object through 10 frames in" in result.stdout
    assert "frames a second" in result.stdout
    assert "labels   labels.tif" in result.stdout


def test_prompts_of_several_objects_and_frames_arrive_as_they_were_meant(sam2v, movie, session, here):
    mask = np.zeros(tiny.SHAPE, np.uint8)
    mask[10:25, 12:30] = 7
    Image.fromarray(mask).save(here / "cell.png")
    words = ("--object", 4, "--point", "2,20,15", "--negative", "2,5,5", "--box", "2,12,8,30,25")
    sam2v("track", movie, *words, "--object", 2, "--mask", "0,cell.png", "--point", "0,15,20", "--out", "a.tiff")
    session.prompt(2, 4, points=[(20, 15), (5, 5)], labels=[1, 0], box=(12, 8, 30, 25))
    session.prompt(0, 2, mask=mask > 0)
    session.prompt(0, 2, points=[(15, 20)], labels=[1])
    tiny.finish(session.propagate(0, objects=[4, 2]))
    tiny.finish(session.propagate(2, reverse=True, objects=[4]))
    np.testing.assert_array_equal(tifffile.imread("a.tiff"), expected_labels(session))


@pytest.mark.parametrize(
    ("direction", "frames"), [("both", range(10)), ("forward", range(4, 10)), ("backward", range(5))]
)
def test_the_direction_decides_which_frames_have_labels(sam2v, movie, direction, frames):
    sam2v("track", movie, "--point", "4,20,15", "--direction", direction)
    assert list(np.flatnonzero(tifffile.imread("labels.tif").any(axis=(1, 2)))) == list(frames)


def test_a_span_is_tracked_and_the_labels_keep_the_length_of_the_movie(sam2v, movie):
    result = sam2v("track", movie, "--point", "4,20,15", "--frames", "2:7")
    labels = tifffile.imread("labels.tif")
    assert len(labels) == 10
    assert list(np.flatnonzero(labels.any(axis=(1, 2)))) == [2, 3, 4, 5, 6]
    assert "through 5 frames" in result.stdout


def test_preview_and_document_are_written_and_told(sam2v, movie, here):
    result = sam2v("track", movie, "--point", CLICK, "--preview", "look.png", "--document", "work.sam2v")
    assert (here / "look.png").stat().st_size > 1000
    assert load(here / "work.sam2v").mask_count == 10
    assert "preview  look.png" in result.stdout
    assert "document work.sam2v" in result.stdout
    assert not (here / "labels.sam2v").exists()


def test_without_being_asked_for_nothing_but_labels_and_their_document_are_written(sam2v, movie, here):
    sam2v("track", movie, "--point", CLICK)
    assert sorted(path.name for path in here.iterdir()) == ["labels.sam2v", "labels.tif", "movie.tif"]


def test_the_document_holds_what_was_tracked_and_can_be_tracked_on(sam2v, movie, here, predictor):
    result = sam2v("track", movie, "--point", "4,20,15", "--frames", "0:7", "--out", "cells.ome.tif")
    assert "document cells.sam2v" in result.stdout
    document, source = load(here / "cells.sam2v"), open_movie(here / movie)
    assert document.movie.differences(source) == ()
    assert Path(document.movie.path) == here / movie
    masks = {frame: document.mask_at(1, frame) for frame in range(7)}
    labels = tifffile.imread("cells.ome.tif")
    assert all(np.array_equal(mask.decode(), labels[frame] == 1) for frame, mask in masks.items())
    tracker = DocumentTracker(source, lambda: predictor, normalization=document.project.normalization)
    for _ in run_job(TrackingJob.track(document, TrackRequest(direction="forward", start=7)), tracker):
        pass
    assert list(document.masklet(1).frames) == list(range(10))
    assert {frame: document.mask_at(1, frame) for frame in range(7)} == masks


def test_a_document_that_is_there_is_never_replaced(sam2v, movie, here):
    sam2v("track", movie, "--point", CLICK)
    before = (here / "labels.sam2v").read_bytes()
    result = sam2v("track", movie, "--point", "4,10,40")
    assert (here / "labels.sam2v").read_bytes() == before
    assert "document labels-2.sam2v" in result.stdout
    assert list(load(here / "labels-2.sam2v").prompts(1)) == [4]


def test_quiet_says_nothing(sam2v, movie):
    assert sam2v("track", movie, "--point", CLICK, "--quiet").output == ""


def test_the_model_is_loaded_as_asked_for(sam2v, movie, loads):
    words = ("--model", "sam2.1-tiny", "--device", "cpu", "--preset", "official", "--image-size", 96)
    words += ("--precision", "exact")
    sam2v("track", movie, "--point", CLICK, "--frames", "0:2", *words)
    sam2v("track", movie, "--point", CLICK, "--frames", "0:2")
    assert loads == [
        {"name": "sam2.1-tiny", "device": "cpu", "preset": "official", "image_size": 96} | {"precision": "exact"},
        {"name": "default", "device": "auto", "preset": "default", "image_size": None} | {"precision": "auto"},
    ]


@pytest.mark.parametrize(("window", "held"), [("auto", "auto"), ("off", "off"), (24, 24)])
def test_small_objects_are_tracked_in_windows_if_asked_for(sam2v, movie, here, window, held):
    sam2v("track", movie, "--point", CLICK, "--frames", "0:2", "--window", window)
    assert load(here / "labels.sam2v").project.settings["window"] == held


@pytest.mark.parametrize("words", [("large",), (3,), ("auto", "--preset", "official")])
def test_windows_that_cannot_be_are_refused(sam2v, movie, words):
    assert "window" in sam2v("track", movie, "--point", CLICK, "--window", *words, code=2).output


def test_the_environment_can_name_the_model(sam2v, movie, loads, monkeypatch):
    monkeypatch.setenv("SAM2V_MODEL", "mine.safetensors")
    sam2v("track", movie, "--point", CLICK, "--frames", "0:1")
    assert loads[0]["name"] == "mine.safetensors"


def test_features_are_kept_for_the_next_run(sam2v, movie, here):
    words = ("track", movie, "--point", CLICK, "--frames", "0:3", "--out")
    sam2v(*words, "one.tif", "--feature-cache", "features")
    kept = {path: path.stat().st_ino for path in here.glob("features/*.zarr/c.*")}
    assert len(kept) == 3
    sam2v(*words, "two.tif", "--feature-cache", "features")
    assert {path: path.stat().st_ino for path in here.glob("features/*.zarr/c.*")} == kept
    np.testing.assert_array_equal(*(tifffile.imread(here / name) for name in ("one.tif", "two.tif")))


def test_a_folder_for_features_that_cannot_be_is_refused(sam2v, movie, here):
    (here / "file").write_text("")
    result = sam2v("track", movie, "--point", CLICK, "--feature-cache", "file", code=FAILED)
    assert "choose a folder that can be written to" in result.stderr


def test_threads_are_set(sam2v, movie, monkeypatch):
    asked = []
    monkeypatch.setattr("torch.set_num_threads", asked.append)
    sam2v("track", movie, "--point", CLICK, "--frames", "0:1", "--threads", 1)
    assert asked == [1]


def test_channel_plane_and_axes_choose_what_is_tracked(sam2v, movie, here):
    frames = tiny.make_movie()
    volume = np.zeros((10, 2, 3, *tiny.SHAPE), np.uint8)
    volume[:, 1, 2] = frames
    tifffile.imwrite(here / "volume.tif", volume, photometric="minisblack")
    sam2v("track", "volume.tif", "--point", CLICK, "--axes", "TCZYX", "--channel", 1, "--plane", "max")
    sam2v("track", movie, "--point", CLICK, "--out", "plain.tif")
    np.testing.assert_array_equal(tifffile.imread("labels.tif"), tifffile.imread("plain.tif"))


def test_a_movie_of_masks_gives_the_frame_of_the_prompt(sam2v, movie, here):
    masks = np.zeros((10, *tiny.SHAPE), np.uint16)
    masks[3, 10:20, 10:20] = 300
    tifffile.imwrite(here / "masks.tif", masks, metadata={"axes": "TYX"})
    sam2v("track", movie, "--mask", "3,masks.tif", "--frames", "3:4")
    np.testing.assert_array_equal(tifffile.imread("labels.tif")[3], masks[3] > 0)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "nothing was prompted"),
        (("--point", "12,1,1"), "frame 12"),
        (("--point", "0,100,1"), "point (y=100, x=1) lies outside the image"),
        (("--box", "0,5,5,5,9"), "has no area"),
        (("--mask", "0,missing.png"), "no file or folder 'missing.png'"),
        (("--mask", "0,movie.tif", "--frames", "0:20"), "--frames 0:20 is outside the movie"),
        (("--point", CLICK, "--frames", "5:"), "frame 0, which is not among the frames to be tracked, 5 to 9"),
        (("--point", CLICK, "--channel", "3"), "channel"),
        (("--resume", "missing.sam2v"), "missing.sam2v"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_writes_nothing(sam2v, movie, here, words, message):
    result = sam2v("track", movie, *words, code=FAILED)
    assert message in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    assert [path.name for path in here.iterdir()] == ["movie.tif"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--point", "1,2"), "is not T,Y,X"),
        (("--point", CLICK, "--out", "labels.png"), "must end in .tif, .tiff or .zarr"),
        (("--point", CLICK, "--out", "missing/labels.tif"), "there is no folder"),
        (("--point", CLICK, "--out", "movie.tif"), "'movie.tif' is in use here"),
        (("--point", CLICK, "--out", "movie.tif", "--force"), "'movie.tif' is in use here"),
        (("--point", CLICK, "--out", "other.tif"), "replace it with --force"),
        (("--point", CLICK, "--preview", "other.png"), "replace it with --force"),
        (("--point", CLICK, "--document", "other.sam2v"), "may hold what somebody corrected"),
        (("--mask", "0,mask.tif", "--out", "mask.tif", "--force"), "'mask.tif' is in use here"),
        (("--object", 4294967296, "--point", CLICK), "expected 1 to 2147483647"),
        (("--point", "0,500,3"), "outside"),
        (("--point", CLICK, "--point", "40,3,3"), "frame 40 is outside"),
        (("--mask", "0,missing.png"), "missing.png"),
        (("--mask", "0,mask.tif"), "the mask has shape"),
        (("--point", CLICK, "--preview", "a.gif"), "must end in .png"),
        (("--point", CLICK, "--document", "a.txt"), "must end in .sam2v"),
        (("--point", CLICK, "--direction", "sideways"), "sideways"),
        (("--point", CLICK, "--resume", "movie.tif"), "a resumed run keeps its prompts"),
    ],
)
def test_wrong_options_are_found_out_before_the_model_is_loaded(sam2v, movie, here, loads, words, message):
    for name in ("other.tif", "other.png", "other.sam2v"):
        (here / name).write_text("mine")
    tifffile.imwrite(here / "mask.tif", np.ones((3, 4), np.uint8))
    before = {path.name: path.read_bytes() for path in here.iterdir()}
    result = sam2v("track", movie, *words, code=FAILED)
    assert message in said(result)
    assert loads == []
    assert {path.name: path.read_bytes() for path in here.iterdir()} == before


def test_an_image_of_several_is_chosen_and_the_choice_is_repeated_to_resume(sam2v, here):
    pixels = tiny.make_movie()
    np.savez("two.npz", other=np.zeros_like(pixels), movie=pixels)
    result = sam2v("track", "two.npz", "--point", CLICK, code=FAILED)
    assert "holds 2 arrays (0: 'other'" in result.stderr
    assert "choose one (--series N" in result.stderr
    sam2v("track", "two.npz", "--series", 1, "--point", CLICK)
    assert tifffile.imread("labels.tif").any()


def test_what_there_is_to_know_about_a_file_is_said_once_on_standard_error(sam2v, here):
    for number, image in enumerate(tiny.make_movie()):
        tifffile.imwrite(f"frames_{number}_GFP.tif", image)
        if number != 3:
            tifffile.imwrite(f"frames_{number}_DIC.tif", image)
    note = "1 files of 'frames' are left out: their frames lack other channels."
    folder = here / "frames"
    folder.mkdir()
    for file in here.glob("frames_*.tif"):
        file.rename(folder / file.name)
    words = ("track", folder, "--channel", 1, "--point", CLICK)
    result = sam2v(*words)
    assert " ".join(result.stderr.split()).count(note) == 1
    assert note not in result.stdout
    assert note not in sam2v(*words, "--quiet").stderr


def test_what_an_earlier_run_wrote_is_replaced_and_other_files_by_force(sam2v, movie, here):
    words = ("track", movie, "--point", CLICK, "--preview", "a.jpg")
    sam2v(*words)
    sam2v(*words)
    for name in ("labels.tif", "a.jpg"):
        (here / name).write_text("mine")
    sam2v(*words, code=FAILED)
    sam2v(*words, "--force")
    assert tifffile.imread("labels.tif").any()


@pytest.mark.parametrize("out", ["raw.zarr", "raw.zarr/labels.tif"])
def test_nothing_is_written_onto_or_into_a_raw_store(sam2v, here, out):
    pytest.importorskip("zarr").save_array(str(here / "raw.zarr"), tiny.make_movie())
    before = {path: path.read_bytes() for path in here.rglob("*") if path.is_file()}
    told = sam2v("track", "raw.zarr", "--point", CLICK, "--force", "--out", out, code=FAILED).stderr
    assert "'raw.zarr'" in told
    assert "in use" in told
    assert {path: path.read_bytes() for path in here.rglob("*") if path.is_file()} == before


def test_nothing_is_written_among_the_images_of_the_movie(sam2v, here, monkeypatch):
    (here / "raw").mkdir()
    for number, frame in enumerate(tiny.make_movie()):
        tifffile.imwrite(here / "raw" / f"{number:03}.tif", frame)
    monkeypatch.chdir(here / "raw")
    assert "lies in '.'" in sam2v("track", ".", "--point", CLICK, code=FAILED).stderr
    assert len(list((here / "raw").iterdir())) == tiny.LENGTH
    sam2v("track", ".", "--point", CLICK, "--out", "../labels.tif")


@pytest.fixture
def holes(movie, monkeypatch):
    """Lets some frames of every movie that is opened be damaged."""
    damaged = set()
    monkeypatch.setattr(MovieChoice, "open", lambda choice, **_: DamagedMovie(tifffile.imread(choice.path), damaged))
    return damaged


def test_damaged_frames_are_gone_over_and_named(sam2v, movie, holes):
    holes |= {0, 5, 6}
    result = sam2v("track", movie, "--point", "2,20,15", "--preview", "look.png")
    assert "Tracked 1 object through 7 frames" in result.stdout
    assert "gone over: frames 0, 5-6" in result.stderr
    labels = tifffile.imread("labels.tif")
    assert list(np.flatnonzero(labels.any(axis=(1, 2)))) == [1, 2, 3, 4, 7, 8, 9]


def test_a_prompt_on_a_damaged_frame_is_one_line_that_names_others(sam2v, movie, holes):
    holes |= {2, 3}
    result = sam2v("track", movie, "--point", "2,20,15", code=FAILED)
    assert "prompt frame 1 or 4 instead" in result.stderr


def test_where_nothing_but_the_prompted_frame_can_be_read_the_command_fails(sam2v, movie, holes):
    holes |= set(range(1, 10))
    result = sam2v("track", movie, "--point", CLICK, code=FAILED)
    assert "nothing could be tracked" in result.stderr
    assert "frames 1-9" in result.stderr
    assert tifffile.imread("labels.tif")[0].any()


@pytest.mark.parametrize("suffix", [".tif", ".zarr"])
def test_labels_that_may_have_been_corrected_are_not_replaced_silently(sam2v, movie, here, suffix):
    words = ("track", movie, "--point", CLICK, "--out", f"labels{suffix}")
    sam2v(*words)
    sam2v(*words)
    name = "tiff" if suffix == ".tif" else "ome-zarr"
    sam2v("export", "labels.sam2v", "--format", name, "--out", f"labels{suffix}")
    told = sam2v(*words, code=FAILED).stderr
    assert f"labels{suffix}" in told
    assert "--force" in told or "folder" in told
