"""Zarr arrays and OME-Zarr images."""

from __future__ import annotations

import builtins
import shutil

import numpy as np
import pytest
import zarr

from src_model.errors import DamagedFrameError, MissingExtraError, MovieError
from src_model.frames import open_movie
from tests.frames.disk import check_disk


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
    with pytest.raises(DamagedFrameError, match=r"frame 3 of movie 'movie.zarr' cannot be read .*: the data may be"):
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


def test_a_store_that_is_gone_is_no_matter_of_one_frame(tmp_path, gray):
    zarr.create_array(tmp_path / "movie.zarr", data=gray, chunks=(1, 6, 7))
    movie = open_movie(tmp_path / "movie.zarr")
    shutil.rmtree(tmp_path / "movie.zarr")
    with pytest.raises(MovieError, match=r"the file is gone") as caught:
        movie.read(1)
    assert not isinstance(caught.value, DamagedFrameError)


@pytest.mark.parametrize(
    ("names", "shape", "options", "frames"),
    [
        ("tyx", (4, 6, 7), {}, 4),
        ("tcyx", (4, 2, 6, 7), {"channel": 1}, 4),
        ("tzyx", (4, 3, 6, 7), {"plane": 1}, 4),
        ("tczyx", (4, 2, 3, 6, 7), {"channel": 1, "plane": "max"}, 4),
        ("cyx", (3, 6, 7), {"channel": 0}, 1),
        ("czyx", (2, 5, 6, 7), {"channel": 0, "plane": 2}, 1),
        ("zyx", (5, 6, 7), {}, 5),
    ],
)
@pytest.mark.parametrize("version", ["0.5", "0.6"])
def test_axes_mean_the_same_in_every_version_of_ome_zarr(tmp_path, names, shape, options, frames, version):
    axes = [{"name": name, "type": {"t": "time", "c": "channel"}.get(name, "space")} for name in names]
    image = {"datasets": [{"path": "0", "coordinateTransformations": [{"output": {"name": "physical"}}]}]}
    if version == "0.5":
        image["axes"] = axes
    else:
        other = [{"name": name} for name in "abcde"[: len(names)]]
        image["coordinateSystems"] = [{"name": "array", "axes": other}, {"name": "physical", "axes": axes}]
    values = np.random.default_rng(0).integers(0, 255, shape, dtype=np.uint8)
    group = zarr.open_group(tmp_path / "movie.zarr", mode="w")
    write(group, "0", values)
    group.attrs.update({"ome": {"version": version, "multiscales": [image]}})
    movie = open_movie(tmp_path / "movie.zarr", **options)
    assert movie.shape == (frames, 6, 7)
    if "channel" in options:
        with pytest.raises(MovieError, match=r"channels along C"):
            open_movie(tmp_path / "movie.zarr", plane=options.get("plane"))


@pytest.mark.parametrize("inside", ["", "movie.zarr"])
def test_a_zipped_zarr_is_a_movie(tmp_path, gray, inside):
    zarr.create_array(tmp_path / "made" / inside, data=gray, chunks=(1, 6, 7))
    shutil.make_archive(str(tmp_path / "movie.zarr"), "zip", tmp_path / "made")
    np.testing.assert_array_equal(frames_of(open_movie(tmp_path / "movie.zarr.zip")), gray)


def test_a_zip_file_of_something_else_is_an_error(tmp_path):
    (tmp_path / "made").mkdir()
    (tmp_path / "made" / "text.txt").write_text("hello")
    shutil.make_archive(str(tmp_path / "movie"), "zip", tmp_path / "made")
    with pytest.raises(MovieError, match=r"movie.zip' is a zip file without zarr data in it"):
        open_movie(tmp_path / "movie.zip")
    (tmp_path / "movie.zip").write_bytes(b"no zip")
    with pytest.raises(MovieError, match=r"movie.zip' cannot be opened as zarr"):
        open_movie(tmp_path / "movie.zip")


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_what_xarray_writes_is_the_image_beside_its_coordinates(tmp_path, hyperstack, zarr_format):
    values = hyperstack[:, :, 0]
    group = zarr.open_group(tmp_path / "movie.zarr", mode="w", zarr_format=zarr_format)
    names = ["time", "channel", "y", "x"]
    if zarr_format == 2:
        write(group, "image", values)
        group["image"].attrs["_ARRAY_DIMENSIONS"] = names
    else:
        group.create_array("image", data=values, dimension_names=names)
    group.create_array("time", data=np.arange(4.0))
    np.testing.assert_array_equal(frames_of(open_movie(tmp_path / "movie.zarr", channel=1)), values[:, 1])


def test_a_group_without_an_image_is_an_error(tmp_path):
    zarr.open_group(tmp_path / "movie.zarr", mode="w").create_array("time", data=np.arange(4.0))
    with pytest.raises(MovieError, match=r"is a zarr group without an image: .* its arrays \(time\) are no images"):
        open_movie(tmp_path / "movie.zarr")


def test_a_plate_and_a_well_name_their_fields(tmp_path, gray):
    plate = zarr.open_group(tmp_path / "plate.zarr", mode="w")
    plate.attrs.update({"ome": {"plate": {"wells": [{"path": "A/1"}, {"path": "A/2"}]}}})
    for name in ("A/1", "A/2"):
        well = plate.create_group(name)
        well.attrs.update({"ome": {"well": {"images": [{"path": "0"}, {"path": "1"}]}}})
        write_image(well.create_group("0"), gray, {"multiscales": multiscales(["t", "y", "x"])})
    with pytest.raises(MovieError, match=r"a plate with 2 wells: .*plate.zarr/A/1/0' \(fields: A/1/0, A/1/1, A/2/0, "):
        open_movie(tmp_path / "plate.zarr")
    with pytest.raises(MovieError, match=r"is a well: .* such as '.*plate.zarr/A/2/0' \(fields: 0, 1\)"):
        open_movie(tmp_path / "plate.zarr" / "A" / "2")
    np.testing.assert_array_equal(frames_of(open_movie(tmp_path / "plate.zarr" / "A" / "2" / "0")), gray)


def test_a_damaged_chunk_from_the_field(shared_data):
    movie = open_movie(shared_data / "awkward" / "damaged_chunk.ome.zarr")
    check_disk(movie, [0, 1, 2, 4, 5])
    with pytest.raises(DamagedFrameError, match=r"frame 3 of movie"):
        movie.read(3)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("xarray_v2.zarr", {"channel": 0}),
        ("bioformats2raw_two.zarr", {"series": 1, "channel": 1, "plane": 1}),
        ("plate.zarr/A/1/1", {"channel": 1, "plane": 1}),
    ],
)
def test_zarr_stores_from_the_field(shared_data, name, options):
    check_disk(open_movie(shared_data / "awkward" / name, **options), range(6))


def test_ome_zarr_0_6_from_the_field(shared_data):
    folder = shared_data / "awkward" / "ome_zarr_06"
    assert open_movie(folder / "tczyx.zarr", channel=0, plane=0).shape == (4, 32, 40)
    assert open_movie(folder / "tzyx.zarr", plane=0).shape == (4, 32, 40)
    assert open_movie(folder / "tcyx.zarr", channel=1).shape == (6, 32, 40)
    assert open_movie(folder / "cyx.zarr", channel=0).shape == (1, 32, 40)
    assert open_movie(folder / "czyx.zarr", channel=0, plane=0).shape == (1, 32, 40)
    with pytest.raises(MovieError, match=r"3 channels along C"):
        open_movie(folder / "cyx.zarr")
