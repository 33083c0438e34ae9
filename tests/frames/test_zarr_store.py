"""Zarr arrays and OME-Zarr images."""

from __future__ import annotations

import builtins

import numpy as np
import pytest
import zarr

from src_model.errors import MissingExtraError, MovieError
from src_model.frames import open_movie


def frames_of(movie):
    return np.stack([movie.read(frame) for frame in range(len(movie))])


def write(group, name, values):
    chunks = (1,) * (values.ndim - 2) + values.shape[-2:]
    group.create_array(name, shape=values.shape, dtype=values.dtype, chunks=chunks)[...] = values


def write_image(group, values, metadata):
    """Write an image with a second level of half the size, and what is said of it."""
    write(group, "0", values)
    write(group, "1", np.ascontiguousarray(values[..., ::2, ::2]))
    group.attrs.update(metadata)


def multiscales(axes):
    return [{"axes": axes, "datasets": [{"path": "0"}, {"path": "1"}], "version": "0.4"}]


AXES = [{"name": "t", "type": "time"}, {"name": "c", "type": "channel"}, *({"name": n, "type": "space"} for n in "zyx")]


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_a_plain_array_is_a_movie(tmp_path, gray, zarr_format):
    zarr.create_array(tmp_path / "movie.zarr", data=gray, chunks=(2, 4, 4), zarr_format=zarr_format)
    movie = open_movie(tmp_path / "movie.zarr")
    assert movie.name == "movie.zarr"
    np.testing.assert_array_equal(frames_of(movie), gray)


def test_an_open_array_is_a_movie(gray):
    array = zarr.create_array(zarr.storage.MemoryStore(), data=gray, chunks=(2, 4, 4))
    np.testing.assert_array_equal(frames_of(open_movie(array)), gray)


def test_each_chunk_is_read_once_a_pass(gray):
    reads = []

    class CountingStore(zarr.storage.MemoryStore):
        async def get(self, key, prototype, byte_range=None):
            reads.append(key)
            return await super().get(key, prototype, byte_range)

    store = CountingStore()
    movie = open_movie(zarr.create_array(store, data=gray, chunks=(2, 6, 7)))
    reads.clear()
    frames_of(movie)
    chunks = [key for key in reads if "/c/" in f"/{key}"]
    assert len(chunks) == len(set(chunks)) == 3


def test_dimension_names_tell_the_axes(tmp_path, hyperstack):
    values = hyperstack[:, :, 0]
    zarr.create_array(tmp_path / "a.zarr", data=values, dimension_names=["z", "c", "y", "x"])
    with pytest.raises(MovieError, match=r"2 channels along C"):
        open_movie(tmp_path / "a.zarr")
    np.testing.assert_array_equal(frames_of(open_movie(tmp_path / "a.zarr", channel=1)), values[:, 1])
    zarr.create_array(tmp_path / "b.zarr", data=values, dimension_names=["time", None, "y", "x"])
    with pytest.raises(MovieError, match=r"ambiguous"):
        open_movie(tmp_path / "b.zarr")


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_the_finest_level_of_an_ome_zarr_image_is_read(tmp_path, hyperstack, zarr_format):
    group = zarr.open_group(tmp_path / "movie.zarr", mode="w", zarr_format=zarr_format)
    listed = {"multiscales": multiscales(AXES)}
    write_image(group, hyperstack, listed if zarr_format == 2 else {"ome": {"version": "0.5", **listed}})
    movie = open_movie(tmp_path / "movie.zarr", channel=1, plane="mean")
    np.testing.assert_allclose(frames_of(movie), hyperstack[:, 1].mean(axis=1), rtol=1e-6)


def test_the_finest_level_is_found_even_if_it_is_listed_last(tmp_path, gray):
    group = zarr.open_group(tmp_path / "movie.zarr", mode="w")
    write_image(group, gray, {"multiscales": [{"axes": ["t", "y", "x"], "datasets": [{"path": "1"}, {"path": "0"}]}]})
    assert open_movie(tmp_path / "movie.zarr").shape == gray.shape


def test_axes_may_have_long_names_and_types(tmp_path, gray):
    group = zarr.open_group(tmp_path / "movie.zarr", mode="w")
    axes = [{"name": "when", "type": "time"}, {"name": "y", "type": "space"}, {"name": "x", "type": "space"}]
    write_image(group, gray, {"multiscales": multiscales(axes)})
    assert open_movie(tmp_path / "movie.zarr").shape == gray.shape


def test_the_oldest_images_have_five_axes_and_say_nothing(tmp_path, hyperstack):
    group = zarr.open_group(tmp_path / "movie.zarr", mode="w", zarr_format=2)
    write_image(group, hyperstack, {"multiscales": [{"datasets": [{"path": "0"}]}]})
    assert open_movie(tmp_path / "movie.zarr", channel=0, plane=0).shape == (4, 6, 7)


def test_of_a_collection_one_image_is_chosen(tmp_path, gray):
    root = zarr.open_group(tmp_path / "movie.zarr", mode="w", attributes={"bioformats2raw.layout": 3})
    axes = ["t", "y", "x"]
    write_image(root.create_group("0"), gray, {"multiscales": multiscales(axes)})
    np.testing.assert_array_equal(frames_of(open_movie(tmp_path / "movie.zarr")), gray)
    write_image(root.create_group("1"), gray + 1, {"multiscales": multiscales(axes)})
    with pytest.raises(MovieError, match=r"holds 2 images \(0: TYX \(5, 6, 7\) uint16; 1: .*choose one \(--series N"):
        open_movie(tmp_path / "movie.zarr")
    np.testing.assert_array_equal(frames_of(open_movie(tmp_path / "movie.zarr", series=1)), gray + 1)


def test_a_group_with_one_array_is_that_array_and_with_more_an_error(tmp_path, gray):
    group = zarr.open_group(tmp_path / "movie.zarr", mode="w")
    write(group, "raw", gray)
    np.testing.assert_array_equal(frames_of(open_movie(tmp_path / "movie.zarr")), gray)
    write(group, "mask", gray)
    with pytest.raises(MovieError, match=r"holds 2 arrays \(0: 'mask' \(5, 6, 7\) uint16; 1: 'raw' .*choose one"):
        open_movie(tmp_path / "movie.zarr")
    np.testing.assert_array_equal(frames_of(open_movie(tmp_path / "movie.zarr", series=1)), gray)
    np.testing.assert_array_equal(frames_of(open_movie(tmp_path / "movie.zarr" / "raw")), gray)


def test_an_empty_folder_is_an_error(tmp_path):
    (tmp_path / "movie.zarr").mkdir()
    with pytest.raises(MovieError, match=r"movie.zarr' cannot be opened as zarr"):
        open_movie(tmp_path / "movie.zarr")


def test_an_array_without_frames_is_an_error(tmp_path):
    zarr.create_array(tmp_path / "movie.zarr", shape=(0, 6, 7), dtype="uint8", chunks=(1, 6, 7))
    with pytest.raises(MovieError, match=r"movie 'movie.zarr' is empty, its shape is \(0, 6, 7\)"):
        open_movie(tmp_path / "movie.zarr")


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        ({"multiscales": 3}, "metadata of '.*' is damaged"),
        ({"multiscales": [{"datasets": [{}]}]}, "metadata of '.*' is damaged"),
        ({"multiscales": [{"datasets": []}]}, "is empty: its multiscales list no datasets"),
        ({"multiscales": [{"datasets": [{"path": "7"}]}]}, "cannot be opened as zarr"),
        ({"multiscales": [{"datasets": [{"path": "../../secret"}]}]}, "cannot be opened as zarr"),
        ({"multiscales": multiscales([{"name": 5}])}, "has the axis {'name': 5}: expected a name"),
        ({"multiscales": multiscales(["y", "x"])}, "axes are 'YX', which does not fit"),
        ({"ome": 5}, "'ome' metadata of '.*' is 5"),
    ],
)
def test_damaged_metadata_is_an_error(tmp_path, gray, metadata, message):
    write_image(zarr.open_group(tmp_path / "movie.zarr", mode="w"), gray, metadata)
    with pytest.raises(MovieError, match=message):
        open_movie(tmp_path / "movie.zarr")


def test_a_damaged_chunk_is_an_error_of_its_frame(tmp_path, gray):
    zarr.create_array(tmp_path / "movie.zarr", data=gray, chunks=(1, 6, 7))
    (tmp_path / "movie.zarr" / "c" / "3" / "0" / "0").write_bytes(b"nonsense")
    movie = open_movie(tmp_path / "movie.zarr")
    np.testing.assert_array_equal(movie.read(2), gray[2])
    with pytest.raises(MovieError, match=r"frame 3 of movie 'movie.zarr' cannot be read .*: the data may be damaged"):
        movie.read(3)


def test_without_the_package_the_error_names_the_extra(tmp_path, monkeypatch):
    (tmp_path / "movie.zarr").mkdir()
    ordinary = builtins.__import__

    def without_zarr(name, *arguments, **options):
        if name == "zarr":
            raise ImportError(name)
        return ordinary(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", without_zarr)
    with pytest.raises(MissingExtraError, match=r"reading '.*movie.zarr' needs the package 'zarr': .*\[zarr\]"):
        open_movie(tmp_path / "movie.zarr")
