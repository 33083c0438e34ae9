"""Movies with labels beside them."""

from __future__ import annotations

import io
import zipfile

import numpy as np
import pytest

from src_model.datasets import open_dataset, pair
from src_model.errors import MovieError
from tests.datasets.samples import SHAPE, save_tiff, squares

MOVIE = (100 * np.arange(3)[:, None, None] + np.arange(600).reshape(SHAPE)).astype(np.uint16)
LABELS = np.stack([squares(frame) for frame in range(3)]).astype(np.uint16)


def check(movie):
    assert movie.movie.shape == MOVIE.shape
    assert list(movie.labelled_frames) == [0, 1, 2]
    assert movie.object_ids() == (1, 2)
    np.testing.assert_array_equal(movie.movie.read(1), MOVIE[1])
    np.testing.assert_array_equal(movie.labels(2), LABELS[2])


def test_labels_are_found_by_the_name_of_their_movie(tmp_path):
    for name in ("a", "b"):
        save_tiff(tmp_path / f"{name}.tif", MOVIE)
        save_tiff(tmp_path / f"{name}_labels.tif", LABELS)
    save_tiff(tmp_path / "unlabelled.tif", MOVIE)
    data = open_dataset(tmp_path)
    assert (data.layout, data.names) == ("pairs", ("a", "b"))
    check(data[0])
    alone = open_dataset(tmp_path / "b.tif")
    assert alone.names == ("b",)
    check(alone[0])


@pytest.mark.parametrize("name", ["labels.tif", "Labels.tif", "other_tracked_masks.tif"])
def test_a_movie_and_labels_alone_in_a_folder_belong_together(tmp_path, name):
    save_tiff(tmp_path / "cells.tif", MOVIE)
    save_tiff(tmp_path / name, LABELS)
    check(open_dataset(tmp_path)[0])


def test_labels_may_be_stored_as_floats_that_are_whole(tmp_path):
    save_tiff(tmp_path / "cells.tif", MOVIE)
    save_tiff(tmp_path / "cells_labels.tif", LABELS.astype(np.float32))
    check(open_dataset(tmp_path)[0])
    save_tiff(tmp_path / "dots.tif", MOVIE)
    save_tiff(tmp_path / "dots_labels.tif", LABELS / 3)
    with pytest.raises(MovieError, match="holds fractions: expected labels"):
        open_dataset(tmp_path).named("dots").labels(0)


@pytest.mark.parametrize("keys", [("images", "labels"), ("imgs", "gts")])
def test_an_archive_holds_both(tmp_path, keys):
    np.savez_compressed(tmp_path / "both.npz", **{keys[0]: MOVIE, keys[1]: LABELS, "spacing": np.ones(3)})
    check(open_dataset(tmp_path / "both.npz")[0])
    check(open_dataset(tmp_path)[0])


def test_volumes_need_a_plane(tmp_path):
    np.savez(tmp_path / "deep.npz", images=np.stack([MOVIE] * 6, 1), labels=np.stack([LABELS] * 6, 1))
    check(open_dataset(tmp_path / "deep.npz", plane=4)[0])
    with pytest.raises(MovieError, match=r"deep\.npz' holds volumes of 6 planes: pass plane"):
        open_dataset(tmp_path / "deep.npz")[0].labels(0)


def test_two_arrays_make_a_labelled_movie():
    movie = pair(MOVIE, LABELS, name="mine", parents={2: 1})
    check(movie)
    assert movie.name == "mine"
    assert movie.parents == {2: 1}
    assert hash(movie) == hash(movie)


def test_movie_and_labels_of_different_length_are_refused(tmp_path):
    with pytest.raises(MovieError, match=r"has the shape \(3, 20, 30\) \(T, Y, X\) but its labels"):
        pair(MOVIE, LABELS[:2])
    save_tiff(tmp_path / "a.tif", MOVIE)
    save_tiff(tmp_path / "a_labels.tif", LABELS[:2])
    with pytest.raises(MovieError, match=r"but its labels 'a_labels\.tif' have"):
        open_dataset(tmp_path)[0].labels(0)


def test_labels_without_a_movie_and_movies_without_labels_are_named(tmp_path):
    save_tiff(tmp_path / "a.tif", MOVIE)
    with pytest.raises(MovieError, match="no data set of a known layout"):
        open_dataset(tmp_path)
    with pytest.raises(MovieError, match=r"a\.tif' has no labels: expected 'a_labels\.tif' beside it"):
        open_dataset(tmp_path / "a.tif", layout="pairs")
    save_tiff(tmp_path / "b.tif", MOVIE)
    save_tiff(tmp_path / "c_labels.tif", LABELS)
    with pytest.raises(MovieError, match=r"c_labels\.tif' belongs to no movie: expected 'c\.tif'"):
        open_dataset(tmp_path)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (LABELS.astype(np.int32) - 5, "values from -5 to -3"),
        (LABELS.astype(np.uint64) + 2**40, "expected labels from 0"),
    ],
)
def test_values_that_are_no_labels_are_refused(labels, message):
    with pytest.raises(MovieError, match=message):
        pair(MOVIE, labels).labels(0)


def test_archives_that_are_no_archives_are_refused(tmp_path):
    np.savez(tmp_path / "other.npz", x=MOVIE)
    with pytest.raises(MovieError, match="has the arrays x: expected 'images'"):
        open_dataset(tmp_path / "other.npz")[0].labels(0)
    (tmp_path / "broken.npz").write_bytes(b"PK")
    with pytest.raises(MovieError, match=r"broken\.npz' cannot be read as \.npz"):
        open_dataset(tmp_path / "broken.npz")[0].labels(0)


def test_pickled_objects_in_an_archive_are_refused(tmp_path):
    np.savez(tmp_path / "a.npz", images=np.array([{"a": 1}], object), labels=LABELS)
    with pytest.raises(MovieError, match=r"a\.npz' cannot be read as \.npz"):
        open_dataset(tmp_path / "a.npz")[0].labels(0)


def test_an_array_that_claims_more_than_is_there_takes_no_memory(tmp_path):
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<u2", "fortran_order": False, "shape": (10**6, 10**6)})
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("images.npy", header.getvalue() + bytes(100))
    with pytest.raises(MovieError, match="claims 2000000000000 bytes and has"):
        open_dataset(tmp_path / "a.npz")[0].labels(0)


def test_the_shared_tracked_cells_are_read(shared_data):
    data = open_dataset(shared_data / "t98g")
    assert data.licence == "MIT License"
    assert data[0].movie.shape == (37, 512, 512)
    assert 20 <= len(np.unique(data[0].labels(3))) <= 27
