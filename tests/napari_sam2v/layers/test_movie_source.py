from __future__ import annotations

from collections import Counter

import dask.array as da
import numpy as np
import pytest

from napari_sam2v.layers.movie_options import LayerColors, MovieOptions
from napari_sam2v.layers.movie_source import ImageWatcher, limits_of, preview_image, source_of
from src_model.errors import MovieError
from src_model.frames import Normalization, decide_normalization

RNG = np.random.default_rng(0)


def normalization_of(layers, choice, source):
    return decide_normalization(source, limits=limits_of(layers, choice))


def movie(*shape, dtype=np.uint16):
    return RNG.integers(0, 250, shape).astype(dtype)


def counting(values, chunks):
    """A dask array that counts how often each frame is computed."""
    reads = Counter()

    def read(block, block_info=None):
        if block_info and block.size and 0 not in block.shape:
            start, stop = block_info[0]["array-location"][0]
            reads.update(range(start, stop))
        return block

    array = da.from_array(values, chunks=chunks).map_blocks(read, dtype=values.dtype, meta=np.empty((0,), values.dtype))
    return array, reads


def test_each_frame_of_a_dask_layer_is_read_once_a_pass(viewer):
    values = movie(8, 20, 30)
    array, reads = counting(values, (1, 20, 30))
    viewer.add_image(array, name="cells", contrast_limits=(0, 255))
    reads.clear()
    source = source_of(viewer.layers, MovieOptions("cells", "TYX"))
    assert not reads
    for frame in range(8):
        np.testing.assert_array_equal(source.read(frame), values[frame])
    assert reads == Counter(range(8))


def test_frames_in_larger_chunks_are_still_computed_once_a_pass(viewer):
    values = movie(8, 20, 30)
    array, reads = counting(values, (4, 20, 30))
    viewer.add_image(array, name="cells", contrast_limits=(0, 255))
    reads.clear()
    source = source_of(viewer.layers, MovieOptions("cells", "TYX"))
    for frame in range(8):
        np.testing.assert_array_equal(source.read(frame), values[frame])
    assert reads == Counter(range(8))


def test_the_finest_level_of_a_multiscale_layer_is_read(viewer):
    fine = movie(4, 64, 64)
    viewer.add_image([fine, fine[:, ::2, ::2], fine[:, ::4, ::4]], name="cells", multiscale=True)
    source = source_of(viewer.layers, MovieOptions("cells", "TYX"))
    assert source.shape == (4, 64, 64)
    np.testing.assert_array_equal(source.read(3), fine[3])


def test_a_zarr_layer_is_read(viewer, tmp_path):
    zarr = pytest.importorskip("zarr", reason="zarr is not installed")
    values = movie(4, 20, 30)
    array = zarr.create_array(str(tmp_path / "movie.zarr"), shape=values.shape, chunks=(1, 20, 30), dtype=values.dtype)
    array[:] = values
    viewer.add_image(array, name="cells", contrast_limits=(0, 255))
    np.testing.assert_array_equal(source_of(viewer.layers, MovieOptions("cells", "TYX")).read(2), values[2])


@pytest.mark.parametrize(
    ("axes", "channel", "plane", "expected"),
    [
        ("TCZYX", 1, 2, lambda v: v[3, 1, 2]),
        ("TCZYX", 0, "max", lambda v: v[3, 0].max(axis=0)),
        ("TZCYX", 2, 1, lambda v: v[3, 1, 2]),
        ("CTZYX", 2, 1, lambda v: v[2, 3, 1]),
        ("TCZYX", (1, 0), 2, lambda v: np.stack([v[3, 1, 2], v[3, 0, 2], 0 * v[3, 0, 2]], axis=-1)),
    ],
)
def test_channel_and_plane_are_cut_out_of_five_axes(viewer, axes, channel, plane, expected):
    values = movie(4, 4, 4, 20, 30)
    viewer.add_image(values, name="cells")
    source = source_of(viewer.layers, MovieOptions("cells", axes, channel, plane))
    np.testing.assert_array_equal(source.read(3), expected(values))


def test_a_volume_is_a_movie_through_its_planes(viewer):
    values = movie(9, 20, 30)
    viewer.add_image(values, name="cells", axis_labels=("z", "y", "x"))
    assert source_of(viewer.layers, MovieOptions("cells", "TYX")).shape == (9, 20, 30)


def test_rgb_and_single_images_are_movies_too(viewer):
    pictures = movie(4, 20, 30, 3, dtype=np.uint8)
    viewer.add_image(pictures, name="color", rgb=True)
    viewer.add_image(pictures[0, ..., 0], name="gray")
    source = source_of(viewer.layers, MovieOptions("color", "TYX"))
    np.testing.assert_array_equal(source.read(1), pictures[1])
    assert source_of(viewer.layers, MovieOptions("gray", "YX")).shape == (1, 20, 30)
    assert normalization_of(viewer.layers, MovieOptions("color", "TYX", contrast="limits"), source).kind == "none"


def test_several_layers_become_the_colors_of_one_movie(viewer):
    red, blue = movie(4, 20, 30, dtype=np.uint8), movie(4, 20, 30, dtype=np.uint16)
    viewer.add_image(red, name="RFP", contrast_limits=(10, 200))
    viewer.add_image(blue, name="DAPI", contrast_limits=(20, 100))
    choice = MovieOptions("RFP", "TYX", LayerColors("RFP", None, "DAPI"), contrast="limits")
    source = source_of(viewer.layers, choice)
    assert (source.shape, source.dtype, source.name) == ((4, 20, 30, 3), np.uint16, "RFP + DAPI")
    np.testing.assert_array_equal(source.read(2), np.stack([red[2], 0 * red[2], blue[2]], axis=-1))
    assert source.concurrent, "frames of several layers are read ahead too"
    limits = normalization_of(viewer.layers, choice, source)
    assert (limits.low, limits.high) == ((10, 0, 20), (200, 1, 100))
    by_movie = normalization_of(viewer.layers, MovieOptions("RFP", "TYX", choice.channel), source)
    assert by_movie.kind == "percentile"
    assert by_movie.high[2] == np.percentile(blue, 99.5)


def test_contrast_goes_by_the_movie_or_by_the_layer(viewer):
    viewer.add_image(movie(4, 20, 30), name="cells", contrast_limits=(30, 90))
    source = source_of(viewer.layers, MovieOptions("cells", "TYX"))
    assert normalization_of(viewer.layers, MovieOptions("cells", "TYX"), source).kind == "percentile"
    limits = normalization_of(viewer.layers, MovieOptions("cells", "TYX", contrast="limits"), source)
    assert limits == Normalization("limits", (30.0,), (90.0,))


def test_the_preview_is_small_and_shows_what_the_model_sees(viewer):
    values = np.zeros((2, 300, 500), np.uint16)
    values[1, :, 250:] = 100
    viewer.add_image(values, name="cells")
    source = source_of(viewer.layers, MovieOptions("cells", "TYX"))
    picture = preview_image(source, 1, Normalization("limits", (0.0,), (200.0,)), longest=100)
    assert picture.dtype == np.uint8
    assert picture.shape == (60, 100, 3)
    assert set(np.unique(picture[:, :50])) == {0}
    assert set(np.unique(picture[:, 50:])) == {128}


def test_a_layer_that_is_gone_or_has_changed_is_named(viewer):
    viewer.add_image(movie(4, 20, 30), name="cells")
    with pytest.raises(MovieError, match=r"no image layer 'other'; the viewer has 'cells'"):
        source_of(viewer.layers, MovieOptions("other", "TYX"))
    with pytest.raises(MovieError, match="choose it again"):
        source_of(viewer.layers, MovieOptions("cells", "TCYX", channel=0))


def test_another_array_and_values_written_into_the_array_are_noticed(viewer):
    image = viewer.add_image(np.zeros((5, 40, 50), np.uint8))
    noticed = []
    watcher = ImageWatcher(image, lambda: noticed.append("limits"), lambda: noticed.append("pixels"))
    watcher.check()
    assert noticed == []
    image.data[3] += 1
    watcher.check()
    assert noticed == ["pixels"]
    image.data = image.data.copy()
    assert noticed == ["pixels", "pixels"]
    image.contrast_limits = (3, 9)
    assert noticed[2:] == ["limits"]
    watcher.close()
    image.data = image.data.copy()
    image.contrast_limits = (4, 9)
    assert len(noticed) == 3


def test_nothing_is_read_of_an_array_that_is_not_in_memory(viewer):
    def read(block_info=None):
        raise AssertionError("read")

    image = viewer.add_image(np.zeros((5, 40, 50), np.uint8), name="lazy")
    lazy = da.map_blocks(read, chunks=((1,) * 5, (40,), (50,)), dtype=np.uint8, meta=np.zeros((0,), np.uint8))
    with image.events.blocker_all():
        image._data = lazy
    ImageWatcher(image, lambda: None, lambda: pytest.fail("nothing was replaced")).check()
