"""The table of objects."""

from __future__ import annotations

import csv

import numpy as np
import pytest

from src_model.document import MovieIdentity
from src_model.errors import FormatError
from src_model.formats import ExportOptions, export
from src_model.frames import open_movie
from tests.formats.documents import SHAPE, described, document, dynasty, family, losses_of, masklet, plain, square
from tests.tracking.damage import DamagedMovie


def rows(tmp_path, annotation, **options):
    export(annotation, tmp_path / "cells.csv", options=ExportOptions(**options))
    with (tmp_path / "cells.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_each_object_and_frame_has_a_line(tmp_path):
    found = rows(tmp_path, plain())
    assert len(found) == 11
    first = found[0]
    assert (first["frame"], first["object"], first["area"]) == ("0", "1", "16")
    assert (first["centroid_y"], first["centroid_x"]) == ("3.500", "3.500")
    assert [first[f"box_{side}"] for side in ("y0", "x0", "y1", "x1")] == ["2", "2", "6", "6"]
    assert (first["score"], first["object_score"], first["origin"]) == ("1.0000", "1.0000", "imported")


def test_sizes_in_the_movies_units_follow(tmp_path):
    row = rows(tmp_path, plain())[1]
    assert float(row["time_s"]) == 30
    assert float(row["area_um2"]) == pytest.approx(16 * 0.65**2)
    assert float(row["centroid_x_um"]) == pytest.approx(4.5 * 0.65)


def test_without_units_there_are_no_such_columns(tmp_path):
    movie = MovieIdentity("cells", SHAPE, "uint8", units=("frame", "pixel", ""))
    assert not any(
        key.startswith("time") for key in rows(tmp_path, document([masklet(1, {0: square(1, 1)})], movie=movie))[0]
    )


def test_names_with_commas_and_an_absent_object_are_kept(tmp_path):
    found = rows(tmp_path, described())
    assert (found[0]["name"], found[0]["class"]) == ("Zelle Ä", "neuron")
    assert (found[1]["area"], found[1]["centroid_y"], found[1]["box_x1"]) == ("0", "", "")


def test_daughters_name_their_parent(tmp_path):
    assert {(row["object"], row["parent"]) for row in rows(tmp_path, family())} == {
        ("2", ""),
        ("3", ""),
        ("5", "3"),
        ("8", "3"),
    }


def test_the_mean_intensity_of_each_channel_is_measured_in_the_mask(tmp_path):
    gray = np.zeros(SHAPE, np.uint16)
    gray[0, 2:6, 2:6] = 100
    gray[0, 2:6, 2:4] = 200
    colors = np.zeros((*SHAPE, 3), np.uint8)
    colors[..., 1] = 7
    channels = {"dapi": open_movie(gray), "film": open_movie(colors)}
    row = rows(tmp_path, plain(), channels=channels)[0]
    assert (row["mean_dapi"], row["mean_film_red"], row["mean_film_green"]) == ("150", "0", "7")
    assert rows(tmp_path, described(), channels=channels)[1]["mean_dapi"] == ""


@pytest.mark.parametrize("shape", [(5, 24, 32), (6, 24, 30)])
def test_a_movie_that_does_not_fit_is_refused(tmp_path, shape):
    channels = {"a": open_movie(np.zeros(shape, np.uint8))}
    with pytest.raises(FormatError, match="cannot be measured"):
        rows(tmp_path, plain(), channels=channels)


def test_that_there_are_no_masks_in_it_is_told(tmp_path):
    assert losses_of(export(plain(), tmp_path / "cells.csv"))["masks"].count == 11


def test_intensities_of_a_damaged_frame_are_left_out_and_told(tmp_path):
    annotation = document([masklet(1, {0: square(1, 1), 1: square(1, 1)})])
    source = DamagedMovie(np.ones(SHAPE, np.uint8), {1})
    options = ExportOptions(channels={"dna": source})
    report = export(annotation, tmp_path / "cells.csv", options=options)
    with (tmp_path / "cells.csv").open(encoding="utf-8", newline="") as file:
        assert [row["mean_dna"] for row in csv.DictReader(file)] == ["1", ""]
    assert losses_of(report)["intensities"].count == 1


def test_lines_tell_lineage_generation_and_how_an_object_begins_and_ends(tmp_path):
    found = {row["object"]: row for row in rows(tmp_path, dynasty())}
    told = {number: (row["parent"], row["lineage_id"], row["generation"]) for number, row in found.items()}
    assert told["1"] == ("", "1", "0")
    assert told["5"] == ("2", "1", "2")
    assert told["6"] == ("3 5", "1", "2")
    lives = {number: (row["begins"], row["ends"]) for number, row in found.items()}
    assert lives["1"] == ("first frame", "division")
    assert lives["3"] == ("division", "fusion")
    assert lives["6"] == ("fusion", "last frame")
    assert rows(tmp_path, described())[0]["note"] == "see, lab book"


def test_a_table_of_before_lineages_is_ours_too(tmp_path):
    export(plain(), tmp_path / "cells.csv")
    lines = (tmp_path / "cells.csv").read_text().splitlines()
    older = lines[0].replace(",lineage_id,generation,begins,ends,note", "")
    assert older != lines[0]
    (tmp_path / "cells.csv").write_text(older)
    export(family(), tmp_path / "cells.csv")


def test_speeds_are_those_since_the_frame_before_and_empty_after_a_gap(tmp_path):
    found = [row for row in rows(tmp_path, family()) if row["object"] == "2"]
    assert [row["speed"] for row in found] == ["", "1", "", "1", "1"]
    assert float(found[1]["speed_um_s"]) == pytest.approx(0.65 / 30, rel=1e-5)
