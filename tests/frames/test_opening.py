"""One door for all movies."""

from __future__ import annotations

import subprocess
import sys

import dask.array as da
import numpy as np
import pytest
import tifffile

from src_model.errors import MovieError
from src_model.frames import open_movie


def test_arrays_paths_and_open_movies_are_movies(tmp_path, gray, repository):
    tifffile.imwrite(tmp_path / "movie.tif", gray, photometric="minisblack")
    from_path = open_movie(tmp_path / "movie.tif")
    for movie in (
        open_movie(gray),
        open_movie(da.from_array(gray)),
        from_path,
        open_movie(str(tmp_path / "movie.tif")),
    ):
        np.testing.assert_array_equal(movie.read(3), gray[3])
    assert open_movie(from_path) is from_path


def test_the_name_can_be_given(tmp_path, gray):
    tifffile.imwrite(tmp_path / "movie.TIFF", gray, photometric="minisblack")
    assert open_movie(tmp_path / "movie.TIFF").name == "movie.TIFF"
    assert open_movie(tmp_path / "movie.TIFF", name="cells").name == "cells"
    assert open_movie(gray).name == "array"
    assert repr(open_movie(gray, name="cells")) == "<movie 'cells', shape (5, 6, 7), uint16>"


def test_options_do_not_apply_to_an_open_movie(gray):
    with pytest.raises(
        MovieError, match=r"channel, plane cannot be given for 'cells', an open movie: pass its array or path"
    ):
        open_movie(open_movie(gray, name="cells"), channel=0, plane=0)


def test_a_home_directory_is_understood(tmp_path, gray, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    np.save(tmp_path / "movie.npy", gray)
    assert len(open_movie("~/movie.npy")) == 5


@pytest.mark.parametrize("name", ["movie.tif", "movie.mp4", "movie.zarr", "movie.npy", "folder"])
def test_a_missing_path_is_an_error_that_names_it(tmp_path, name):
    with pytest.raises(MovieError, match=rf"there is no file or folder '.*{name}': expected the path of a TIFF"):
        open_movie(tmp_path / name)


@pytest.mark.parametrize("name", ["movie.xyz", "movie", "movie.zarr"])
def test_an_extension_that_is_not_known_is_an_error_that_lists_what_is(tmp_path, name):
    (tmp_path / name).write_bytes(b"something")
    with pytest.raises(
        MovieError, match=r"has the extension '.*', which is not known: expected a TIFF, .npy, .npz, .gif or video \("
    ):
        open_movie(tmp_path / name)


@pytest.mark.parametrize("source", [None, 5, [[1, 2], [3, 4]], b"movie.tif"], ids=str)
def test_anything_else_is_an_error(source):
    with pytest.raises(MovieError, match=rf"a movie cannot be made from {type(source).__name__}: expected an array"):
        open_movie(source)


def test_series_are_for_files_that_have_some(tmp_path, gray):
    np.save(tmp_path / "movie.npy", gray)
    with pytest.raises(
        MovieError, match=r"series=1 cannot be given for '.*movie.npy' \(--series\): only TIFF, .npz, zarr"
    ):
        open_movie(tmp_path / "movie.npy", series=1)


def test_a_dask_array_of_unknown_length_is_an_error(gray):
    array = da.from_array(gray)
    with pytest.raises(MovieError, match=r"compute_chunk_sizes\(\) on the dask array first"):
        open_movie(array[array[:, 0, 0] > 2000])


def test_what_is_not_used_is_not_imported(repository):
    program = (
        "import sys, numpy, src_model.frames as frames; frames.open_movie(numpy.zeros((2, 3, 4))).read(1);"
        "heavy = {'av', 'dask', 'zarr', 'torch', 'PIL'} & set(sys.modules); sys.exit(', '.join(heavy) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=repository, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
