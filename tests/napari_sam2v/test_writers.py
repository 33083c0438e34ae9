"""Layers saved by napari in the formats of other programs, through npe2 and without a screen."""

from __future__ import annotations

import csv
import json

import dask.array
import numpy as np
import pytest
import tifffile
from PIL import Image

from src_model.errors import FormatError
from src_model.formats import is_ctc, read_ctc, read_trackmate
from tests.formats.documents import SHAPE, links_of

npe2 = pytest.importorskip("npe2", reason="napari is not installed")
from napari.layers import Labels, Tracks  # noqa: E402
from napari.utils.notifications import notification_manager  # noqa: E402

from napari_sam2v.readers import layers_of  # noqa: E402
from napari_sam2v.writers import document_of_layers, write_layers  # noqa: E402

NAME = "napari-sam2v"
PLACE = {"scale": (30.0, 0.65, 0.65), "units": ("second", "micrometer", "micrometer")}


@pytest.fixture
def plugins(npe2pm):
    """napari's plugins, with ours alone."""
    with npe2pm.tmp_plugin(package=NAME):
        yield npe2pm


def values():
    labels = np.zeros(SHAPE, np.uint16)
    labels[:3, 5:9, 5:9] = 1
    labels[3:, 4:7, 5:9] = 2
    labels[3:, 8:11, 5:9] = 3
    return labels


@pytest.fixture
def labels():
    return Labels(values(), name="cells", **PLACE)


@pytest.fixture
def tracks():
    rows = [[1, t, 7, 7] for t in range(3)] + [[2, t, 5, 7] for t in range(3, 6)] + [[3, t, 9, 7] for t in range(3, 6)]
    return Tracks(np.array(rows, float), graph={2: [1], 3: [1]}, **PLACE)


def written(path, *layers):
    return npe2.write(str(path), list(layers), plugin_name=NAME)


@pytest.mark.usefixtures("plugins")
@pytest.mark.parametrize("name", ["res", "res.ctc"])
def test_labels_and_tracks_become_a_folder_with_divisions(tmp_path, labels, tracks, name):
    assert written(tmp_path / name, labels, tracks) == [str(tmp_path / name)]
    assert is_ctc(tmp_path / name)
    assert links_of(read_ctc(tmp_path / name).document()) == {2: 1, 3: 1}


@pytest.mark.usefixtures("plugins")
def test_a_tiff_keeps_the_pixel_size_of_the_layer(tmp_path, labels):
    written(tmp_path / "cells.tif", labels)
    with tifffile.TiffFile(tmp_path / "cells.tif") as file:
        assert file.imagej_metadata["unit"] == "micron"
        assert file.imagej_metadata["finterval"] == 30
        np.testing.assert_array_equal(file.asarray(), values())
    written(tmp_path / "cells.ome.tif", labels)
    with tifffile.TiffFile(tmp_path / "cells.ome.tif") as file:
        assert 'PhysicalSizeX="0.65" PhysicalSizeXUnit="µm"' in file.ome_metadata


@pytest.mark.usefixtures("plugins")
def test_a_table_and_coco_tell_of_all_objects(tmp_path, labels, tracks):
    written(tmp_path / "cells.csv", labels, tracks)
    with (tmp_path / "cells.csv").open(newline="") as file:
        assert {(row["object"], row["parent"]) for row in csv.DictReader(file)} == {("1", ""), ("2", "1"), ("3", "1")}
    written(tmp_path / "cells.json", labels)
    assert len(json.loads((tmp_path / "cells.json").read_text())["annotations"]) == 9


@pytest.mark.usefixtures("plugins")
def test_a_folder_of_pngs_and_a_graph_are_written(tmp_path, labels, tracks):
    written(tmp_path / "cells.pngs", labels)
    assert len(list((tmp_path / "cells.pngs").iterdir())) == 6
    pytest.importorskip("geff", reason="the extra geff is not installed")
    told = len(notification_manager.records)
    written(tmp_path / "cells.geff", labels, tracks)
    assert (tmp_path / "cells.geff").is_dir()
    assert [record.message for record in notification_manager.records[told:]] == [
        "A graph holds no masks: only where objects are and how large."
    ]


def test_lazy_multiscale_and_flat_layers_are_taken_too():
    lazy = dask.array.from_array(values(), chunks=(1, 24, 32))
    meta = {"name": "cells", "scale": (1.0, 2.0, 3.0)}
    assert document_of_layers([(lazy, meta, "labels")]).movie.scale == (1, 2, 3)
    assert list(document_of_layers([([lazy, lazy[:, ::2, ::2]], meta, "labels")]).objects) == [1, 2, 3]
    assert document_of_layers([(lazy[:, None], {"scale": (1, 9, 2, 3)}, "labels")]).movie.scale == (1, 2, 3)
    assert document_of_layers([(values()[0], {"scale": (2.0, 3.0)}, "labels")]).movie.shape == (1, 24, 32)


def test_tracks_of_objects_that_are_not_in_the_labels_are_left_out(tracks):
    only = np.where(values() == 3, 0, values())
    annotation = document_of_layers([(only, {}, "labels"), tracks.as_layer_data_tuple()])
    assert links_of(annotation) == {2: 1}


@pytest.mark.usefixtures("plugins")
def test_trackmate_gets_outlines_and_the_whole_graph(tmp_path, labels, tracks):
    written(tmp_path / "cells.xml", labels, tracks)
    again = read_trackmate(tmp_path / "cells.xml").document()
    assert links_of(again) == {2: 1, 3: 1}
    assert again.mask_at(1, 0).area == 16


def test_a_graph_with_several_parents_is_a_fusion(labels):
    rows = [[1, t, 5, 7] for t in range(3)] + [[2, t, 9, 7] for t in range(3)] + [[3, t, 7, 7] for t in range(3, 6)]
    merged = np.where(values() == 2, 3, values())
    merged[:3, 12:16, 5:9] = 2
    tracks = Tracks(np.array(rows, float), graph={3: [1, 2]})
    annotation = document_of_layers([(merged, {}, "labels"), tracks.as_layer_data_tuple()])
    assert {item.parent: item.daughters for item in annotation.divisions.values()} == {1: (3,), 2: (3,)}
    layers = layers_of(annotation, "cells")
    assert layers[1][1]["graph"] == {3: [1, 2]}


def test_volumes_and_missing_labels_are_refused(tmp_path, tracks):
    with pytest.raises(FormatError, match=r"expected \(T, Y, X\)"):
        write_layers(str(tmp_path / "a.tif"), [(np.zeros((2, 3, 4, 5), int), {"name": "stack"}, "labels")])
    with pytest.raises(FormatError, match="no Labels layer"):
        write_layers(str(tmp_path / "a.tif"), [tracks.as_layer_data_tuple()])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("plugins")
def test_raw_data_are_not_replaced_where_nobody_can_be_asked(tmp_path, labels):
    raw = np.ones(SHAPE, np.uint8)
    tifffile.imwrite(tmp_path / "raw.tif", raw)
    (tmp_path / "raw.pngs").mkdir()
    Image.fromarray(raw[0]).save(tmp_path / "raw.pngs" / "0000.png")
    for name in ("raw.tif", "raw.pngs"):
        with pytest.raises(FormatError, match="choose another name"):
            write_layers(str(tmp_path / name), [labels.as_layer_data_tuple()])
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "raw.tif"), raw)
    assert len(list((tmp_path / "raw.pngs").iterdir())) == 1


@pytest.mark.gui
@pytest.mark.parametrize("answer", [True, False])
def test_another_file_is_replaced_after_asking_but_an_open_image_never(
    tmp_path, labels, make_napari_viewer, monkeypatch, answer
):
    asked = []
    monkeypatch.setattr("napari_sam2v.bindings.dialogs.may_replace", lambda path: asked.append(path) or answer)
    raw = np.ones(SHAPE, np.uint8)
    for name in ("raw.tif", "other.tif"):
        tifffile.imwrite(tmp_path / name, raw)
    make_napari_viewer().open(str(tmp_path / "raw.tif"), plugin="napari")
    layers = [labels.as_layer_data_tuple()]
    if answer:
        write_layers(str(tmp_path / "other.tif"), layers)
        np.testing.assert_array_equal(tifffile.imread(tmp_path / "other.tif"), values())
    else:
        with pytest.raises(FormatError, match="is there already"):
            write_layers(str(tmp_path / "other.tif"), layers)
    with pytest.raises(FormatError, match="is in use here"):
        write_layers(str(tmp_path / "raw.tif"), layers)
    assert len(asked) == 2
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "raw.tif"), raw)
