"""COCO JSON."""

from __future__ import annotations

import json

import numpy as np
import pytest

from src_model.formats import export
from src_model.masks import Rle
from tests.formats.documents import (
    crowded,
    described,
    document,
    dynasty,
    family,
    losses_of,
    masklet,
    masks_of,
    plain,
    square,
)


def written(tmp_path, annotation, name="coco"):
    report = export(annotation, tmp_path / "cells.json", name)
    return json.loads((tmp_path / "cells.json").read_text(encoding="utf-8")), report


@pytest.mark.parametrize("make", [plain, family, crowded])
def test_run_lengths_hold_exactly_the_masks_even_where_they_overlap(tmp_path, make):
    data, report = written(tmp_path, make())
    found = {(row["track_id"], row["image_id"] - 1): Rle.from_coco(row["segmentation"]) for row in data["annotations"]}
    assert found == masks_of(make())
    assert not [loss for loss in report.losses if loss.matters]


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # of pycocotools itself
@pytest.mark.parametrize("name", ["coco", "coco-polygons"])
def test_pycocotools_reads_it_and_finds_the_same_areas_and_boxes(tmp_path, name, capsys):
    tools = pytest.importorskip("pycocotools.coco", reason="pycocotools is not installed")
    written(tmp_path, family(), name)
    coco = tools.COCO(str(tmp_path / "cells.json"))
    capsys.readouterr()
    assert len(coco.getImgIds()) == 6
    for row in coco.loadAnns(coco.getAnnIds()):
        mask = coco.annToMask(row).astype(bool)
        expected = masks_of(family())[row["track_id"], row["image_id"] - 1]
        assert np.logical_xor(mask, expected.decode()).sum() <= (0 if name == "coco" else 0.1 * expected.area)
        assert row["area"] == expected.area
        y0, x0, y1, x1 = expected.box
        assert row["bbox"] == [x0, y0, x1 - x0, y1 - y0]


def test_polygons_run_along_the_corners_of_pixels_as_x_and_y(tmp_path):
    data, _ = written(tmp_path, document([masklet(1, {0: square(3, 5)})]), "coco-polygons")
    (ring,) = data["annotations"][0]["segmentation"]
    assert set(zip(ring[::2], ring[1::2], strict=True)) == {(5, 3), (9, 3), (9, 7), (5, 7)}


def test_a_mask_with_a_hole_stays_run_lengths_among_polygons(tmp_path):
    ring = square(3, 3, 5)
    ring[5, 5] = False
    data, _ = written(tmp_path, document([masklet(1, {0: ring})]), "coco-polygons")
    assert Rle.from_coco(data["annotations"][0]["segmentation"]) == Rle.encode(ring)


def test_the_movie_its_frames_the_tracks_and_the_classes_are_listed(tmp_path):
    data, _ = written(tmp_path, described())
    assert data["videos"] == [{"id": 1, "name": "cells.tif", "width": 32, "height": 24, "length": 6}]
    assert [row["frame_index"] for row in data["images"]] == list(range(6))
    assert data["categories"] == [{"id": 1, "name": "neuron"}]
    (track,) = data["tracks"]
    assert (track["id"], track["name"], track["color"], track["note"]) == (4, "Zelle Ä", "#102030", "see, lab book")
    assert [(row["score"], row["origin"]) for row in data["annotations"]] == [(0.5, "imported"), (1.0, "imported")]


def test_daughters_name_their_parent(tmp_path):
    data, _ = written(tmp_path, family())
    assert {row["id"]: row.get("parent_id") for row in data["tracks"]} == {2: None, 3: None, 5: 3, 8: 3}


def test_that_empty_masks_are_left_out_is_told(tmp_path):
    _, report = written(tmp_path, described())
    assert losses_of(report)["frames known to be empty"].count == 1


def test_tracks_tell_lineage_generation_and_all_parents_of_a_fusion(tmp_path):
    data, _ = written(tmp_path, dynasty())
    tracks = {row["id"]: row for row in data["tracks"]}
    assert {row["lineage_id"] for row in tracks.values()} == {1}
    assert [row["generation"] for row in tracks.values()] == [0, 1, 1, 2, 2, 2]
    assert (tracks[6]["parent_id"], tracks[6]["parent_ids"]) == (3, [3, 5])
