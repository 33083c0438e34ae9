"""``sam2v track --all``: every object of a movie without a prompt, and results as a Cell Tracking Challenge folder."""

from __future__ import annotations

import numpy as np
import pytest
import tifffile

from src_model.document import load
from src_model.formats import read_ctc
from src_model.weights import MaskThresholds
from tests.cli.conftest import CLICK, said
from tests.tracking import tiny


@pytest.fixture
def finds_anything(monkeypatch):
    """Automatic masks of whatever score."""
    anything = MaskThresholds(0.0, 0.0)
    monkeypatch.setattr("src_model.tracking.predictor.architecture_thresholds", lambda _: anything)


@pytest.mark.usefixtures("finds_anything")
def test_all_needs_no_prompt_and_the_document_says_what_begins(sam2v, movie, here):
    shown = sam2v("track", movie, "--all", "--every", 20)
    for told in (
        "frames on average",
        "with doubtful frames",
        "objects on the first frame",
        "divisions",
        "left at the edge",
    ):
        assert told in " ".join(shown.output.split())
    document = load(here / "labels.sam2v")
    assert document.objects
    assert all(info.note.startswith("begins on frame") for info in document.objects.values())
    assert tifffile.imread(here / "labels.tif").shape == (tiny.LENGTH, *tiny.SHAPE)
    resumed = ("track", movie, "--resume", "labels.sam2v", "--model", "default", "--force")
    assert sam2v(*resumed, "--all").exit_code == 0  # nothing is left, and the labels are written once more
    assert {n: info.note for n, info in load(here / "labels.sam2v").objects.items()} == {
        n: info.note for n, info in document.objects.items()
    }
    assert "only --all goes on with them" in said(sam2v(*resumed, code=2))


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--point", CLICK, "--every", 3), "belongs to --all"),
        (("--point", CLICK, "--divisions", "off"), "belongs to --all"),
        (("--point", CLICK, "--exact"), "belongs to --resume"),
        (("--all", "--exact", "--resume", "labels.sam2v"), "leave --resume and --exact out"),
    ],
)
def test_options_that_would_say_nothing_are_refused(sam2v, movie, words, told):
    assert told in said(sam2v("track", movie, *words, code=2))


def test_all_that_finds_nothing_says_what_to_do(sam2v, movie):
    assert "say what to track with --point" in sam2v("track", movie, "--all", "--frames", "0:2", code=2).output


def test_all_goes_forward(sam2v, movie):
    assert "looks back" in sam2v("track", movie, "--all", "--direction", "backward", code=2).output


@pytest.mark.usefixtures("finds_anything")
def test_a_folder_gets_label_images_and_the_table_of_tracks(sam2v, movie, here):
    shown = sam2v("track", movie, "--all", "--every", 20, "--divisions", "ask", "--out", "ctc/")
    document = load(here / "ctc.sam2v")
    assert not document.divisions
    images = [f"mask{frame:03}.tif" for frame in range(tiny.LENGTH)]
    assert sorted(path.name for path in (here / "ctc").iterdir()) == [*images, "res_track.txt"]
    masklets = [document.masklet(number).entries().values() for number in document.objects]
    seen = [entries for entries in masklets if any(not entry.mask.is_empty for entry in entries)]
    assert len(read_ctc(here / "ctc").masklets) == len(seen)
    assert "document ctc.sam2v" in " ".join(shown.output.split())


def test_a_folder_of_ours_is_replaced_and_another_is_not(sam2v, movie, here):
    (here / "empty").mkdir()
    sam2v("track", movie, "--point", CLICK, "--out", "empty")  # it is a folder, with a slash or without
    table = (here / "empty" / "res_track.txt").read_text()
    assert np.loadtxt(here / "empty" / "res_track.txt").shape[-1] == 4
    sam2v("track", movie, "--point", CLICK, "--out", "empty/")
    assert (here / "empty" / "res_track.txt").read_text() == table
    (here / "mine").mkdir()
    (here / "mine" / "notes.txt").write_text("about my cells")
    assert "'mine'" in said(sam2v("track", movie, "--point", CLICK, "--out", "mine/", code=2))
    assert [path.name for path in (here / "mine").iterdir()] == ["notes.txt"]


def test_a_run_that_was_stopped_goes_on_into_the_same_folder(sam2v, movie, here):
    sam2v("track", movie, "--point", CLICK, "--frames", "0:4", "--out", "ctc/")
    sam2v("track", movie, "--resume", "ctc.sam2v", "--model", "default", "--force", "--out", "ctc/")
    assert len(load(here / "ctc.sam2v").masklet(1)) == tiny.LENGTH


@pytest.mark.parametrize("name", ["ctc", "labels.png"])
def test_where_no_folder_is_meant_the_error_says_how_to_say_so(sam2v, movie, name):
    told = said(sam2v("track", movie, "--point", CLICK, "--out", name, code=2))
    assert "must end in .tif, .tiff or .zarr, or in / for a folder of the Cell Tracking Challenge" in told
