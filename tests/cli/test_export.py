"""``sam2v export``: what was annotated, for other programs."""

from __future__ import annotations

import csv

import numpy as np
import pytest
import tifffile

from src_model.document import save
from src_model.formats import FORMATS
from tests.cli.conftest import CLICK, said
from tests.formats.documents import SHAPE, crowded, family


@pytest.fixture
def cells(here):
    save(family(), here / "cells.sam2v")
    return "cells.sam2v"


def test_a_document_becomes_a_folder_of_the_cell_tracking_challenge(sam2v, cells, here):
    result = sam2v("export", cells, "--format", "ctc", "--out", "01_RES")
    assert len((here / "01_RES" / "res_track.txt").read_text().splitlines()) == 5
    assert "Wrote 4 objects on 6 frames" in result.stdout
    assert "new label with the old one as its parent" in result.stderr


def test_the_suffix_of_the_output_is_enough(sam2v, cells, here):
    sam2v("export", cells, "-o", "cells.tif")
    assert tifffile.imread(here / "cells.tif").shape == SHAPE


def test_a_document_of_track_is_exported_as_track_wrote_it(sam2v, movie, here):
    sam2v("track", movie, "--point", CLICK, "--out", "tracked.tif", "--quiet")
    sam2v("export", "tracked.sam2v", "--out", "exported.ome.tif")
    np.testing.assert_array_equal(tifffile.imread(here / "exported.ome.tif"), tifffile.imread(here / "tracked.tif"))


def test_objects_and_the_overlap_rule_can_be_chosen(sam2v, here):
    save(crowded(), here / "cells.sam2v")
    sam2v("export", "cells.sam2v", "--out", "a.tif", "--overlap", "score")
    assert tifffile.imread(here / "a.tif")[0, 7, 7] == 2
    sam2v("export", "cells.sam2v", "--out", "b.tif", "--object", "1")
    assert set(np.unique(tifffile.imread(here / "b.tif"))) == {0, 1}


def test_channels_of_a_movie_are_measured(sam2v, cells, here):
    values = np.zeros((6, 2, 24, 32), np.uint8)
    values[:, 1] = 9
    tifffile.imwrite(here / "movie.tif", values, metadata={"axes": "TCYX"}, photometric="minisblack")
    sam2v("export", cells, "--out", "a.csv", "--movie", "movie.tif", "--channel", 0, "--channel", 1)
    with (here / "a.csv").open(newline="") as file:
        row = next(csv.DictReader(file))
    assert (row["mean_channel_0"], row["mean_channel_1"]) == ("0", "9")


def test_quiet_says_nothing(sam2v, cells):
    result = sam2v("export", cells, "--out", "a.tif", "--quiet")
    assert result.output == ""


def test_all_formats_are_listed_with_what_they_lose(sam2v):
    listed = sam2v("export", "--formats").stdout
    assert all(item.name in listed for item in FORMATS)
    assert "prompts, locks" in " ".join(listed.split())


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (["--out", "a.xyz"], "does not tell its format"),
        (["--out", "a.tif", "--format", "nope"], "no format 'nope'"),
        (["--out", "nowhere/a.tif"], "no folder"),
        (["--out", "a.tif", "--object", "77"], "no object 77"),
        (["--out", "a.csv", "--channel", "0"], "--movie"),
        (["--out", "a.tif", "--movie", "movie.tif"], "no intensities"),
        (["--out", "a.csv", "--movie", "missing.tif"], "missing.tif"),
    ],
)
def test_what_cannot_be_is_said_in_a_line(sam2v, cells, words, fault):
    result = sam2v("export", cells, *words, code=2)
    assert fault in said(result)


def test_a_document_that_is_not_there_is_named(sam2v, here):
    message = said(sam2v("export", "a.sam2v", "--out", "b.tif", code=2))
    assert "there is no annotation file" in message
    assert "a.sam2v'" in message


def test_damaged_documents_are_refused(sam2v, here):
    (here / "a.sam2v").write_bytes(b"PK\x03\x04 no more")
    assert "damaged" in sam2v("export", "a.sam2v", "--out", "b.tif", code=2).stderr
    assert not (here / "b.tif").exists()
