"""TIFF stacks: lazily, whatever program wrote them, and never silently shorter than they were."""

from __future__ import annotations

import gc
import tracemalloc

import numpy as np
import pytest
import tifffile

from src_model.errors import DamagedFrameError, MovieError
from src_model.frames import decide_normalization, open_movie
from tests.frames.disk import check_disk


@pytest.fixture
def path(tmp_path):
    return tmp_path / "movie.tif"


def frames_of(movie):
    return np.stack([movie.read(frame) for frame in range(len(movie))])


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"compression": "zlib"},
        {"compression": "lzw", "predictor": True},
        {"metadata": None},
        {"metadata": None, "compression": "zlib"},
        {"byteorder": ">"},
        {"byteorder": ">", "compression": "zlib"},
        {"bigtiff": True, "rowsperstrip": 2},
        {"tile": (16, 16)},
        {"metadata": {"axes": "TYX"}},
        {"imagej": True},
        {"imagej": True, "metadata": {"axes": "TYX"}},
        {"imagej": True, "metadata": {"axes": "ZYX"}},
        {"ome": True, "metadata": {"axes": "TYX"}},
        {"ome": True, "metadata": {"axes": "ZYX"}, "compression": "zlib"},
    ],
    ids=str,
)
def test_a_gray_stack_is_a_movie_whoever_wrote_it(path, gray, options):
    tifffile.imwrite(path, gray, photometric="minisblack", **options)
    movie = open_movie(path)
    assert movie.name == "movie.tif"
    assert movie.shape == gray.shape
    assert movie.dtype == np.uint16
    assert movie.read(0).dtype.isnative
    np.testing.assert_array_equal(frames_of(movie), gray)


@pytest.mark.parametrize("dtype", ["uint8", "int16", "float32", "float64", "bool"])
def test_values_keep_their_type(path, gray, dtype):
    tifffile.imwrite(path, gray.astype(dtype), photometric="minisblack")
    assert open_movie(path).dtype == np.dtype(dtype)
    np.testing.assert_array_equal(frames_of(open_movie(path)), gray.astype(dtype))


@pytest.mark.parametrize("options", [{}, {"compression": "zlib"}, {"planarconfig": "contig", "metadata": None}])
def test_rgb_stacks_are_color_movies(path, color, options):
    tifffile.imwrite(path, color, photometric="rgb", **options)
    assert open_movie(path).shape == (5, 6, 7, 3)
    np.testing.assert_array_equal(frames_of(open_movie(path)), color)


def test_colors_stored_as_separate_planes(path, color):
    tifffile.imwrite(path, np.moveaxis(color, -1, 1).copy(), photometric="rgb", planarconfig="separate")
    np.testing.assert_array_equal(frames_of(open_movie(path)), color)


@pytest.mark.parametrize("options", [{"imagej": True}, {"ome": True}, {"ome": True, "compression": "zlib"}, {}])
def test_hyperstacks_are_read_by_channel_and_plane(path, hyperstack, options):
    order = "TZCYX" if "imagej" in options else "TCZYX"
    values = hyperstack.swapaxes(1, 2).copy() if "imagej" in options else hyperstack
    tifffile.imwrite(path, values, photometric="minisblack", metadata={"axes": order}, **options)
    np.testing.assert_array_equal(frames_of(open_movie(path, channel=1, plane=2)), hyperstack[:, 1, 2])
    np.testing.assert_array_equal(frames_of(open_movie(path, channel=0, plane="max")), hyperstack[:, 0].max(axis=1))
    with pytest.raises(MovieError, match=r"3 planes along Z"):
        open_movie(path, channel=0)
    with pytest.raises(MovieError, match=r"channel 2 does not exist in movie 'movie.tif'.*2 channels, 0 to 1"):
        open_movie(path, channel=2, plane=0)


def test_axes_can_be_overruled(path, hyperstack):
    tifffile.imwrite(path, hyperstack[:, :, 0], imagej=True, metadata={"axes": "ZCYX"})
    np.testing.assert_array_equal(frames_of(open_movie(path, axes="TCYX", channel=1)), hyperstack[:, 1, 0])


def test_one_image_is_a_movie_of_one_frame(path, gray):
    tifffile.imwrite(path, gray[0])
    assert open_movie(path).shape == (1, 6, 7)


def test_pages_written_one_by_one_are_one_movie(path, gray):
    with tifffile.TiffWriter(path) as writer:
        for image in gray:
            writer.write(image)
    np.testing.assert_array_equal(frames_of(open_movie(path)), gray)


def test_a_thumbnail_is_left_aside(path, gray):
    with tifffile.TiffWriter(path) as writer:
        writer.write(gray, photometric="minisblack", metadata={"axes": "TYX"})
        writer.write(gray[0, :3, :3], subfiletype=1)
    np.testing.assert_array_equal(frames_of(open_movie(path)), gray)


def test_of_several_series_one_has_to_be_chosen(path, gray):
    with tifffile.TiffWriter(path, ome=True) as writer:
        writer.write(gray, photometric="minisblack", metadata={"axes": "TYX"})
        writer.write(gray + 1, photometric="minisblack", metadata={"axes": "TYX"})
    with pytest.raises(
        MovieError,
        match=r"holds 2 image series \(0: TYX \(5, 6, 7\) uint16; 1: .*choose one \(--series N; in Python series=N\)",
    ):
        open_movie(path)
    np.testing.assert_array_equal(frames_of(open_movie(path, series=1)), gray + 1)
    with pytest.raises(MovieError, match=r"series 2 does not exist in '.*movie.tif': it has 2, 0 to 1"):
        open_movie(path, series=2)


@pytest.mark.parametrize("options", [{}, {"metadata": None}])
@pytest.mark.parametrize("odd", [np.zeros((6, 8), np.uint16), np.zeros((6, 7), np.uint8)], ids=["size", "type"])
def test_frames_of_changing_size_or_type_are_an_error(path, gray, options, odd):
    with tifffile.TiffWriter(path) as writer:
        for image in (gray[0], gray[1], odd, gray[2]):
            writer.write(image, photometric="minisblack", **options)
    with pytest.raises(MovieError, match=r"movie.tif' holds . series of images of changing size or type.*choose one"):
        open_movie(path)


def test_a_file_that_is_no_tiff_is_an_error(path):
    for content in (b"", b"II*\x00", b"this is a text"):
        path.write_bytes(content)
        with pytest.raises(MovieError, match=r"movie.tif' .*(cannot be read as a TIFF file|is empty)"):
            open_movie(path)


@pytest.mark.parametrize(
    "options",
    [
        {"metadata": None},
        {"metadata": None, "compression": "zlib"},
        {"metadata": {"axes": "TYX"}},
        {"metadata": {"axes": "TYX"}, "compression": "zlib"},
        {"metadata": {"axes": "TYX"}, "imagej": True},
        {"metadata": {"axes": "TYX"}, "ome": True, "compression": "zlib"},
    ],
    ids=str,
)
@pytest.mark.parametrize("part", [0.05, 0.3, 0.5, 0.8, 0.99])
def test_a_truncated_stack_is_an_error_and_not_a_shorter_movie(path, part, options):
    noise = np.random.default_rng(0).integers(0, 255, (20, 32, 32), dtype=np.uint8)
    tifffile.imwrite(path, noise, photometric="minisblack", **options)
    content = path.read_bytes()
    path.write_bytes(content[: int(part * len(content))])
    with pytest.raises(MovieError, match=r"truncated|damaged"):
        frames_of(open_movie(path))


def test_pixels_lost_from_the_end_are_an_error_of_their_frame_alone(path, gray):
    with tifffile.TiffWriter(path) as writer:
        for image in gray:
            writer.write(image, compression="zlib", metadata=None)
    with tifffile.TiffFile(path) as file:
        tag = file.pages[3].tags["StripByteCounts"]
        start = tag.valueoffset
    content = bytearray(path.read_bytes())
    content[start : start + 4] = (2**20).to_bytes(4, "little")
    path.write_bytes(content)
    movie = open_movie(path)
    np.testing.assert_array_equal(movie.read(2), gray[2])
    with pytest.raises(
        MovieError, match=r"page 3 of '.*movie.tif' is truncated: it ends at byte \d+, the file has \d+"
    ):
        movie.read(3)
    np.testing.assert_array_equal(movie.read(4), gray[4])


def test_a_page_that_cannot_be_decoded_is_named(path, gray):
    tifffile.imwrite(path, gray, photometric="minisblack", compression="zlib")
    with tifffile.TiffFile(path) as file:
        start = file.pages[3].dataoffsets[0]
    content = bytearray(path.read_bytes())
    content[start : start + 8] = bytes(8)
    path.write_bytes(content)
    with pytest.raises(MovieError, match=r"page 3 of '.*movie.tif' cannot be decoded \(.*\): the file may be damaged"):
        open_movie(path).read(3)


def test_a_compression_without_its_package_is_an_error_that_names_it(path, gray, monkeypatch):
    tifffile.imwrite(path, gray, photometric="minisblack", compression="zlib")
    movie = open_movie(path)

    def decode(page):
        raise ValueError(f"{page.compression!r} requires the 'imagecodecs' package")

    monkeypatch.setattr(tifffile.TiffPage, "asarray", decode)
    with pytest.raises(MovieError, match=r"is compressed .*: pip install imagecodecs"):
        movie.read(0)


def test_the_file_is_closed_when_the_movie_goes(path, gray):
    tifffile.imwrite(path, gray, photometric="minisblack", compression="zlib")
    movie = open_movie(path)
    movie.read(0)
    del movie
    gc.collect()  # an open file would be a ResourceWarning, which is an error here


@pytest.mark.parametrize("compression", [None, "zlib"])
def test_ten_thousand_frames_take_no_more_memory_than_a_few(path, compression):
    frames = (np.full((64, 64), number, np.uint16) for number in range(10_000))
    tifffile.imwrite(
        path, frames, shape=(10_000, 64, 64), dtype="uint16", photometric="minisblack", compression=compression
    )
    movie = open_movie(path)
    tracemalloc.start()
    for number in range(0, 10_000, 3):
        assert movie.read(number)[5, 5] == number
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2 * 2**20


def test_real_movies_open_as_they_are(shared_data):
    movie = open_movie(shared_data / "t98g" / "t98g_phase_contrast.tif")
    assert movie.shape == (37, 512, 512)
    assert movie.dtype == np.uint16
    seen = decide_normalization(movie).apply(movie.read(36))
    assert seen.shape == (512, 512, 3)
    assert 0.2 < seen.mean() < 0.8


def write_ome(path, values, planes, length, channels=1, files=None):
    """Write an OME-TIFF whose metadata promise more than there is: planes are (frame, channel) by page."""
    data = "".join(
        f'<TiffData FirstT="{t}" FirstC="{c}" FirstZ="0" IFD="{page}" PlaneCount="1">'
        + (f'<UUID FileName="{files[0]}">urn:uuid:{files[1]}</UUID>' if files else "")
        + "</TiffData>"
        for page, (t, c) in enumerate(planes)
    )
    data += "".join(
        f'<TiffData FirstT="{t}" FirstC="0" FirstZ="0" IFD="{page}" PlaneCount="1">'
        f'<UUID FileName="rest.ome.tif">urn:uuid:ea321eba-4adc-4259-a105-1ea7ba6750a0</UUID></TiffData>'
        for page, t in enumerate(range(len(planes), length) if files else [])
    )
    height, width = values.shape[1:]
    described = "".join(f'<Channel ID="Channel:0:{c}" SamplesPerPixel="1"/>' for c in range(channels))
    uuid = f' UUID="urn:uuid:{files[1]}"' if files else ""
    xml = (
        f'<?xml version="1.0"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"{uuid}>'
        f'<Image ID="Image:0">'
        f'<Pixels ID="Pixels:0" DimensionOrder="XYCZT" Type="uint16" SizeX="{width}" SizeY="{height}" '
        f'SizeC="{channels}" SizeZ="1" SizeT="{length}">{described}{data}</Pixels></Image></OME>'
    )
    with tifffile.TiffWriter(path) as writer:
        for number, image in enumerate(values):
            writer.write(image, description=xml if number == 0 else None, metadata=None)
    return path


def test_a_stopped_acquisition_has_the_frames_that_were_written_and_says_so(tmp_path, gray, capfd):
    path = write_ome(tmp_path / "movie.ome.tif", gray, [(t, 0) for t in range(5)], length=20)
    movie = open_movie(path)
    assert movie.notes == ("'movie.ome.tif' has 5 of 20 frames: acquisition was stopped before the end",)
    np.testing.assert_array_equal(frames_of(movie), gray)
    assert capfd.readouterr().err == ""


def test_a_file_that_is_not_there_costs_its_frames_alone(tmp_path, gray, capfd):
    files = ("movie.ome.tif", "af4830aa-7ef9-4f62-84b1-7a00ce5a3d17")
    path = write_ome(tmp_path / "movie.ome.tif", gray, [(t, 0) for t in range(5)], length=8, files=files)
    movie = open_movie(path)
    assert movie.notes == (
        "'movie.ome.tif' is one of 2 files, of which 'rest.ome.tif' cannot be found beside it",
        "'movie.ome.tif' has 5 of 8 frames: the other files hold the rest",
    )
    np.testing.assert_array_equal(frames_of(movie), gray)
    assert capfd.readouterr().err == ""


def test_images_that_were_left_out_are_damaged_frames(tmp_path, gray):
    planes = [(0, 0), (0, 1), (2, 0), (2, 1), (3, 0)]
    movie = open_movie(write_ome(tmp_path / "movie.ome.tif", gray, planes, length=6, channels=2), channel=1)
    assert len(movie) == 4
    assert movie.notes[1:] == (
        "'movie.ome.tif' lacks 3 of the images of its frames: these frames cannot be used as a whole",
    )
    np.testing.assert_array_equal(movie.read(2), gray[3])
    for frame in (1, 3):
        with pytest.raises(DamagedFrameError, match=rf"frame {frame} of movie .* is missing") as caught:
            movie.read(frame)
        assert caught.value.frame == frame


def test_a_damaged_page_is_a_damaged_frame(path, gray):
    tifffile.imwrite(path, gray, photometric="minisblack", compression="zlib")
    with tifffile.TiffFile(path) as file:
        start, size = file.pages[3].dataoffsets[0], file.pages[3].databytecounts[0]
    content = bytearray(path.read_bytes())
    content[start : start + size] = bytes(size)
    path.write_bytes(content)
    movie = open_movie(path)
    with pytest.raises(DamagedFrameError, match=r"frame 3 of movie 'movie.tif' cannot be read") as caught:
        movie.read(3)
    assert caught.value.frame == 3
    np.testing.assert_array_equal(movie.read(4), gray[4])


@pytest.mark.parametrize(("name", "frames"), [("interrupted_6_of_20.ome.tif", 6), ("multifile_missing/p0.ome.tif", 3)])
def test_incomplete_movies_from_the_field(shared_data, name, frames):
    movie = open_movie(shared_data / "awkward" / name)
    assert len(movie) == frames
    assert any(f"{frames} of {20 if frames == 6 else 6} frames" in note for note in movie.notes)
    check_disk(movie, range(frames))


def test_two_series_from_the_field(shared_data):
    path = shared_data / "awkward" / "two_series.ome.tif"
    with pytest.raises(MovieError, match=r"holds 2 image series \(0: TYX \(6, 96, 128\) uint16; 1: .*--series N"):
        open_movie(path)
    check_disk(open_movie(path, series=0), range(6))
