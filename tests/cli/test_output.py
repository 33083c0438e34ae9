"""Labels movies."""

from __future__ import annotations

import sys
import weakref

import numpy as np
import pytest
import tifffile
import typer

from src_model.cli.output import LabelsMovie, check_labels_path, write_labels
from src_model.errors import MissingExtraError
from src_model.formats import labels_tiff
from src_model.frames import open_movie
from tests.cli.conftest import document_of

SHAPE = (4, 20, 30)


@pytest.fixture
def labels(crossing):
    return LabelsMovie(document_of(crossing))


def test_a_tiff_has_the_movies_length_and_its_axes(labels, tmp_path):
    path = write_labels(tmp_path / "labels.tif", labels)
    with tifffile.TiffFile(path) as file:
        assert file.series[0].axes == "TYX"
        assert file.is_ome
        assert file.series[0].shape == SHAPE
    written = tifffile.imread(path)
    assert written.dtype == np.uint8
    assert set(np.unique(written[0])) == {0, 1}
    assert set(np.unique(written[1])) == {0, 1, 2}
    assert not written[2:].any()


@pytest.mark.parametrize(("overlap", "owner"), [("score", 2), ("first", 1), ("last", 2)])
def test_pixels_that_two_objects_claim_go_by_the_policy(crossing, tmp_path, overlap, owner):
    path = write_labels(tmp_path / "labels.tif", LabelsMovie(document_of(crossing), overlap))
    assert tifffile.imread(path)[1, 7, 9] == owner


@pytest.mark.parametrize("name", ["labels.tif", "labels.tiff", "labels.zarr", "labels.ome.zarr"])
def test_what_is_written_can_be_opened_as_a_movie_with_the_same_values(labels, tmp_path, name):
    source = open_movie(write_labels(tmp_path / name, labels))
    assert source.shape == SHAPE
    for frame, expected in enumerate(labels.frames()):
        np.testing.assert_array_equal(source.read(frame), expected)


def test_a_zarr_folder_is_an_ome_zarr_label_image_with_one_chunk_a_frame(labels, tmp_path):
    import zarr

    group = zarr.open_group(store=str(write_labels(tmp_path / "labels.zarr", labels)), mode="r")
    ome = group.attrs["ome"]
    assert ome["version"] == "0.5"
    assert [axis["name"] for axis in ome["multiscales"][0]["axes"]] == ["t", "y", "x"]
    assert ome["image-label"]["properties"] == [{"label-value": 1}, {"label-value": 2}]
    assert group["0"].chunks == (1, 20, 30)


def test_large_movies_become_bigtiff(labels, tmp_path, monkeypatch):
    monkeypatch.setattr(labels_tiff, "CLASSIC_TIFF_BYTES", 4 * 20 * 30 - 1)
    with tifffile.TiffFile(write_labels(tmp_path / "labels.tif", labels)) as file:
        assert file.is_bigtiff
        assert file.series[0].axes == "TYX"


@pytest.mark.parametrize("name", ["labels.tif", "labels.zarr"])
def test_a_failure_leaves_what_was_there_and_nothing_else(labels, tmp_path, name):
    before = write_labels(tmp_path / name, LabelsMovie(document_of({})))

    def fail():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_labels(tmp_path / name, labels, fail)
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert not any(open_movie(before).read(frame).any() for frame in range(4))


@pytest.mark.parametrize("name", ["labels.tif", "labels.zarr"])
def test_labels_replace_those_of_an_earlier_run(labels, tmp_path, name):
    write_labels(tmp_path / name, LabelsMovie(document_of({})))
    assert open_movie(write_labels(tmp_path / name, labels)).read(1).any()
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("name", ["labels.tif", "labels.zarr"])
def test_frames_are_painted_and_dropped_one_by_one(crossing, tmp_path, name, monkeypatch):
    original, seen, alive = LabelsMovie.frames, [], []

    class Frame(np.ndarray):  # plain arrays cannot be watched
        pass

    def frames(self):
        for frame in original(self):
            seen.append(weakref.ref(shown := frame.view(Frame)))
            alive.append(sum(held() is not None for held in seen))
            yield shown

    monkeypatch.setattr(LabelsMovie, "frames", frames)
    counted = []
    write_labels(tmp_path / name, LabelsMovie(document_of(crossing, 40)), lambda: counted.append(1))
    assert len(counted) == 40
    assert max(alive) <= 4


@pytest.mark.parametrize("name", ["labels.png", "labels", "labels.json"])
def test_other_suffixes_are_refused(tmp_path, name):
    with pytest.raises(typer.BadParameter, match=r"\.tif, \.tiff or \.zarr"):
        check_labels_path(tmp_path / name)


def test_zarr_without_the_package_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "zarr", None)
    with pytest.raises(MissingExtraError, match=r"napari-sam2v\[zarr\]"):
        check_labels_path(tmp_path / "labels.zarr")


def test_an_object_that_is_nowhere_takes_no_pixel(tmp_path):
    path = write_labels(tmp_path / "labels.tif", LabelsMovie(document_of({300: {}})))
    assert tifffile.imread(path).dtype == np.uint16
    assert not tifffile.imread(path).any()
