"""COCO JSON."""

from __future__ import annotations

import json

import numpy as np
import pytest

from src_model.errors import FormatError, StoppedError
from src_model.formats import export, is_coco, read_coco
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


@pytest.mark.parametrize("name", ["coco", "coco-polygons"])
@pytest.mark.parametrize("make", [plain, family, dynasty, crowded])
def test_what_is_written_is_read_as_the_same_objects_masks_and_divisions(tmp_path, make, name):
    export(make(), tmp_path / "cells.json", name)
    assert is_coco(tmp_path / "cells.json")
    again = read_coco(tmp_path / "cells.json").document()
    assert masks_of(again) == masks_of(make())
    assert again.divisions == make().divisions
    assert again.objects == make().objects


def test_names_classes_colors_notes_and_scores_come_back(tmp_path):
    export(described(), tmp_path / "cells.json")
    again = read_coco(tmp_path / "cells.json").document()
    assert again.objects == described().objects
    assert again.frame(4, 0).score == 0.5


def coco(**changes):
    """Two frames as another program writes them."""
    images = [{"id": 10 + n, "height": 24, "width": 32, "file_name": f"{n}.png"} for n in range(2)]
    ring = [[2, 2, 6, 2, 6, 6, 2, 6]]
    rows = [
        {"id": n, "image_id": 10 + n, "category_id": 3, "segmentation": ring, "bbox": [0, 0, 1, 1]} for n in range(2)
    ]
    return {"images": images, "annotations": rows, "categories": [{"id": 3, "name": "cell"}], **changes}


def read(tmp_path, data):
    (tmp_path / "a.json").write_text(json.dumps(data))
    return read_coco(tmp_path / "a.json")


def test_annotations_without_tracks_are_objects_on_one_frame(tmp_path):
    imported = read(tmp_path, coco())
    assert [(item.object_id, item.frames) for item in imported.masklets] == [(1, (0,)), (2, (1,))]
    assert [info.class_name for info in imported.objects] == ["cell", "cell"]


def row(**changes):
    return [{**coco()["annotations"][0], "track_id": 1, **changes}]


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"images": []}, "images of 0 sizes"),
        ({"images": [coco()["images"][0]] * 2}, "a frame twice"),
        ({"images": [{"id": 10, "height": 10**9, "width": 10**9}]}, "speaks of 1 frames"),
        ({"images": [{**coco()["images"][0], "frame_index": 2**30}]}, "frame_index"),
        ({"annotations": row(image_id=99)}, "image 99, which it does not list"),
        ({"annotations": row() * 2}, "two annotations"),
        ({"annotations": row(track_id=0)}, "track_id"),
        ({"annotations": row(segmentation=[[1, 2, 3]])}, "cannot be"),
        ({"annotations": row(segmentation={"size": [2, 2], "counts": [4]})}, r"size \(2, 2\)"),
        ({"annotations": row(segmentation={"size": [24, 32], "counts": "zzz"})}, "cannot be"),
        ({"annotations": row(), "tracks": [{"id": 1}, {"id": 1}]}, "a track twice"),
        ({"annotations": row(), "tracks": [{"id": 1, "color": "red"}]}, "color 'red'"),
        ({"annotations": row(), "tracks": [{"id": 1, "parent_id": 1}]}, "cannot divide"),
    ],
)
def test_what_is_damaged_or_hostile_is_refused_in_words(tmp_path, changes, fault):
    with pytest.raises(FormatError, match=fault):
        read(tmp_path, coco(**changes))


def test_what_is_no_coco_is_refused(tmp_path, monkeypatch):
    with pytest.raises(FormatError, match="images: Field required"):
        read(tmp_path, {})
    assert not is_coco(tmp_path / "a.json")
    (tmp_path / "b.json").write_text(json.dumps(coco()))
    with pytest.raises(StoppedError):
        read_coco(tmp_path / "b.json", cancelled=lambda: True)
    monkeypatch.setattr("src_model.formats.coco_reader._MOST_BYTES", 5)
    with pytest.raises(FormatError, match="5 at most"):
        read_coco(tmp_path / "b.json")
