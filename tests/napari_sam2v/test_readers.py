"""Annotations and folders of tracked cells opened in napari, through npe2 and without a screen."""

from __future__ import annotations

import numpy as np
import pytest

from src_model.document import Annotation, DocumentView, MovieIdentity, save
from src_model.formats import export
from tests.formats.documents import SCALE, SHAPE, described, document, dynasty, family, masklet, square

npe2 = pytest.importorskip("npe2", reason="napari is not installed")
from napari.components import ViewerModel  # noqa: E402

from napari_sam2v import readers  # noqa: E402

NAME = "napari-sam2v"


@pytest.fixture
def plugins(npe2pm):
    """napari's plugins, with ours alone."""
    with npe2pm.tmp_plugin(package=NAME):
        yield npe2pm


def opened(path):
    return npe2.read([str(path)], plugin_name=NAME, stack=False)


def shown(layers):
    """The layers in a viewer, as napari adds them."""
    viewer = ViewerModel()
    for data, options, kind in layers:
        getattr(viewer, f"add_{kind}")(data, **options)
    return viewer.layers


@pytest.mark.usefixtures("plugins")
def test_an_annotation_opens_as_labels_and_tracks_where_the_movie_lies(tmp_path):
    save(family(), tmp_path / "cells.sam2v")
    labels, tracks = shown(opened(tmp_path / "cells.sam2v"))
    assert labels.data.shape == SHAPE
    assert set(np.unique(np.asarray(labels.data[0]))) == {0, 2, 3}
    assert tuple(labels.scale) == tuple(tracks.scale) == SCALE
    assert [str(unit) for unit in labels.units] == ["second", "micrometer", "micrometer"]
    assert labels.metadata == {"sam2v_annotation": str(tmp_path / "cells.sam2v")}
    assert tracks.graph == {5: [3], 8: [3]}
    assert len(tracks.data) == 14


@pytest.mark.usefixtures("plugins")
def test_labels_have_the_colors_of_the_objects(tmp_path):
    save(described(), tmp_path / "cells.sam2v")
    labels, _ = shown(opened(tmp_path / "cells.sam2v"))
    np.testing.assert_allclose(labels.get_color(4), np.array([16, 32, 48, 255]) / 255, atol=1e-6)


@pytest.mark.usefixtures("plugins")
def test_a_folder_of_tracked_cells_opens_by_its_table_with_its_lineage(tmp_path):
    export(family(), tmp_path / "01_RES", "ctc")
    labels, tracks = shown(opened(tmp_path / "01_RES" / "res_track.txt"))
    assert labels.name == "01_RES"
    assert set(np.unique(np.asarray(labels.data[5]))) == {0, 2, 5, 8}
    assert tracks.graph == {5: [3], 8: [3]}


@pytest.mark.usefixtures("plugins")
def test_a_file_of_trackmate_opens_with_divisions_and_fusions(tmp_path):
    export(dynasty(), tmp_path / "cells.xml")
    labels, tracks = shown(opened(tmp_path / "cells.xml"))
    assert set(np.unique(np.asarray(labels.data[4]))) == {0, 3, 4, 5}
    assert tracks.graph == {2: [1], 3: [1], 4: [2], 5: [2], 6: [3, 5]}


def test_frames_are_painted_when_they_are_looked_at(monkeypatch):
    movie = MovieIdentity("long", (2000, *SHAPE[1:]), "uint8")
    annotation = document([masklet(70_000, {5: square(1, 1)})], movie=movie)
    painted = []
    original = DocumentView.masks_at
    monkeypatch.setattr(
        DocumentView, "masks_at", lambda self, frame, **o: painted.append(frame) or original(self, frame, **o)
    )
    labels = readers.painted(annotation)
    assert labels.dtype == np.uint32
    assert painted == []
    assert np.asarray(labels[5]).max() == 70_000
    assert painted == [5]


def test_an_annotation_without_masks_has_no_tracks(tmp_path):
    (labels,) = shown(readers.layers_of(Annotation(MovieIdentity("empty", SHAPE, "uint8")), "empty"))
    assert not np.asarray(labels.data[0]).any()


def test_other_files_and_folders_are_left_to_others(tmp_path):
    assert readers.annotation_reader("movie.tif") is None
    assert readers.annotation_reader(["a.sam2v", "b.sam2v"]) is None
    assert readers.tracked_cells_reader(tmp_path) is None
    (tmp_path / "note.xml").write_text("<note/>")
    assert readers.tracked_cells_reader(tmp_path / "note.xml") is None
    assert readers.annotation_reader(["a.sam2v"]) is readers.read_annotation


@pytest.mark.usefixtures("plugins")
def test_an_array_file_opens_as_a_movie_that_is_read_when_it_is_looked_at(tmp_path):
    values = np.random.default_rng(0).integers(0, 255, (4, 6, 7), dtype=np.uint8)
    np.savez(tmp_path / "cells.npz", movie=values)
    (layer,) = shown(opened(tmp_path / "cells.npz"))
    assert (layer.name, layer.rgb, layer.data.chunksize) == ("cells", False, (1, 6, 7))
    np.testing.assert_array_equal(np.asarray(layer.data[2]), values[2])


@pytest.mark.usefixtures("plugins")
def test_a_video_opens_as_a_movie_in_color(tmp_path):
    av = pytest.importorskip("av", reason="the extra 'video' is not installed")
    with av.open(str(tmp_path / "cells.mpg"), "w") as container:
        stream = container.add_stream("mpeg2video", rate=25)
        stream.height, stream.width, stream.pix_fmt = 48, 64, "yuv420p"
        for number in range(5):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.full((48, 64, 3), 40 * number, np.uint8))))
        container.mux(stream.encode())
    (layer,) = shown(opened(tmp_path / "cells.mpg"))
    assert layer.rgb
    assert layer.data.shape == (5, 48, 64, 3)
    assert abs(int(np.asarray(layer.data[3]).mean()) - 120) < 4


def test_the_manifest_lists_the_movies_that_are_read(repository):
    manifest = npe2.PluginManifest.from_file(repository / "napari_sam2v" / "napari.yaml")
    (reader,) = [item for item in manifest.contributions.readers if item.command.endswith("read_movie")]
    assert tuple(pattern.removeprefix("*") for pattern in reader.filename_patterns) == readers.MOVIE_SUFFIXES
