"""Folders of images."""

from __future__ import annotations

import random

import numpy as np
import pytest
import tifffile
from PIL import Image

from src_model.errors import DamagedFrameError, MovieError
from src_model.frames import folder as folder_module
from src_model.frames import open_movie
from tests.frames.disk import check_disk


def frames_of(movie):
    return np.stack([movie.read(frame) for frame in range(len(movie))])


def save(folder, values, suffix=".png", name="frame{}"):
    folder.mkdir(exist_ok=True)
    for number, image in enumerate(values):
        Image.fromarray(image).save(folder / (name.format(number) + suffix))
    return folder


def test_files_are_frames_in_natural_order(tmp_path):
    values = np.arange(12, dtype=np.uint8)[:, None, None] * np.ones((4, 5), np.uint8)
    folder = save(tmp_path / "movie", values, name="cell2_frame{}")
    movie = open_movie(folder)
    assert movie.name == "movie"
    assert movie.shape == (12, 4, 5)
    assert [int(movie.read(frame)[0, 0]) for frame in range(12)] == list(range(12))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, bool])
def test_png_files_keep_their_type(tmp_path, gray, dtype):
    values = gray.astype(dtype)
    movie = open_movie(save(tmp_path / "movie", values))
    assert movie.dtype == dtype
    np.testing.assert_array_equal(frames_of(movie), values)


def test_colors_are_kept_and_transparency_is_dropped(tmp_path, color):
    np.testing.assert_array_equal(frames_of(open_movie(save(tmp_path / "rgb", color))), color)
    rgba = np.concatenate([color, color[..., :1]], axis=-1)
    np.testing.assert_array_equal(frames_of(open_movie(save(tmp_path / "rgba", rgba))), color)
    gray_alpha = np.ascontiguousarray(color[..., :2])
    np.testing.assert_array_equal(frames_of(open_movie(save(tmp_path / "la", gray_alpha))), color[..., 0])


def test_a_palette_becomes_colors(tmp_path):
    picture = Image.new("P", (4, 3), 1)
    picture.putpalette([0, 0, 0, 10, 200, 30])
    picture.info["transparency"] = b"\x00\xff"
    picture.save(tmp_path / "a.png")
    assert open_movie(tmp_path / "a.png").read(0)[0, 0].tolist() == [10, 200, 30]


def test_jpeg_files_and_capital_extensions(tmp_path, color):
    smooth = np.full((3, 16, 16, 3), 90, np.uint8)
    folder = save(tmp_path / "movie", smooth, suffix=".JPG")
    (folder / "frame2.JPG").rename(folder / "frame2.jpeg")
    movie = open_movie(folder)
    assert movie.shape == (3, 16, 16, 3)
    assert abs(movie.read(2).astype(int) - 90).max() <= 2


def test_exif_orientation_is_not_applied(tmp_path):
    picture = Image.new("RGB", (8, 4))
    exif = picture.getexif()
    exif[0x0112] = 6  # turn by 90 degrees
    picture.save(tmp_path / "a.jpg", exif=exif)
    assert open_movie(tmp_path / "a.jpg").shape == (1, 4, 8, 3)


@pytest.mark.parametrize("dtype", ["uint16", ">u2", "float32"])
def test_tiff_files_may_hold_deep_images(tmp_path, gray, dtype):
    for number, image in enumerate(gray.astype(dtype)):
        tifffile.imwrite(tmp_path / f"t{number:03}.tif", image)
    movie = open_movie(tmp_path)
    assert movie.dtype == np.dtype(dtype).newbyteorder("=")
    np.testing.assert_array_equal(frames_of(movie), gray)


def test_tiff_files_may_hold_volumes_and_channels(tmp_path, hyperstack):
    for number, image in enumerate(hyperstack):
        tifffile.imwrite(tmp_path / f"t{number:03}.tif", image, photometric="minisblack", metadata={"axes": "CZYX"})
    np.testing.assert_array_equal(frames_of(open_movie(tmp_path, channel=1, plane="max")), hyperstack[:, 1].max(axis=1))
    with pytest.raises(MovieError, match=r"planes along Z"):
        open_movie(tmp_path, channel=1)


def test_a_volume_file_is_read_once_a_frame(tmp_path, hyperstack, monkeypatch):
    for number, image in enumerate(hyperstack[:, 0]):
        tifffile.imwrite(tmp_path / f"t{number}.tif", image, photometric="minisblack", metadata={"axes": "ZYX"})
    movie = open_movie(tmp_path, plane="max")
    opened = []
    ordinary = tifffile.TiffFile
    monkeypatch.setattr(tifffile, "TiffFile", lambda path: opened.append(path) or ordinary(path))
    frames_of(movie)
    assert len(opened) == len(set(opened)) == 4


def test_a_file_that_claims_to_be_huge_is_refused_before_memory_is_taken(tmp_path, gray, monkeypatch):
    tifffile.imwrite(tmp_path / "a.tif", gray[0])
    monkeypatch.setattr(folder_module, "MAX_FILE_BYTES", 83)
    with pytest.raises(MovieError, match=r"a.tif' holds 84 bytes a frame: at most 83 are read"):
        open_movie(tmp_path)


def test_movies_inside_a_folder_are_an_error(tmp_path, gray):
    tifffile.imwrite(tmp_path / "a.tif", gray, photometric="minisblack", metadata={"axes": "TYX"})
    with pytest.raises(MovieError, match=r"a.tif' holds a movie of its own \(axes TYX\): open it by itself"):
        open_movie(tmp_path)


def test_frames_of_changing_size_are_an_error_that_names_the_file(tmp_path, gray):
    folder = save(tmp_path / "movie", gray)
    Image.fromarray(gray[0, :, :-1]).save(folder / "frame3.png")
    movie = open_movie(folder)
    movie.read(2)
    with pytest.raises(MovieError, match=r"frame3.png', has the shape \(6, 6\) .*expected \(6, 7\).*changing size"):
        movie.read(3)


def test_frames_of_changing_type_are_an_error(tmp_path, gray):
    folder = save(tmp_path / "movie", gray)
    Image.fromarray(gray[0].astype(np.uint8)).save(folder / "frame3.png")
    with pytest.raises(MovieError, match=r"frame3.png', has the shape .* and type uint8: expected .* and uint16"):
        open_movie(folder).read(3)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif"])
@pytest.mark.parametrize("keep", [0.0, 0.3, 0.7])
def test_a_corrupt_file_is_an_error_that_names_it_and_spares_the_others(tmp_path, suffix, keep):
    noise = np.random.default_rng(0).integers(0, 255, (5, 64, 64), dtype=np.uint8)
    folder = save(tmp_path / "movie", noise, suffix=suffix)
    content = (folder / f"frame3{suffix}").read_bytes()
    (folder / f"frame3{suffix}").write_bytes(content[: int(keep * len(content))])
    movie = open_movie(folder)
    with pytest.raises(MovieError, match=rf"frame3{suffix}' (cannot be read as an image|is truncated)"):
        movie.read(3)
    assert movie.read(4).shape == (64, 64)


def test_a_corrupt_first_file_does_not_keep_the_others_from_being_used(tmp_path, gray):
    folder = save(tmp_path / "movie", gray)
    (folder / "frame0.png").write_bytes(b"no image")
    movie = open_movie(folder)
    assert movie.shape == gray.shape
    np.testing.assert_array_equal(movie.read(1), gray[1])
    with pytest.raises(DamagedFrameError, match=r"frame 0 of .*frame0.png' cannot be read as an image") as caught:
        movie.read(0)
    assert caught.value.frame == 0


def test_a_folder_of_corrupt_files_is_an_error_at_once(tmp_path):
    for number in range(3):
        (tmp_path / f"frame{number}.png").write_bytes(b"no image")
    with pytest.raises(MovieError, match=r"frame2.png' cannot be read as an image"):
        open_movie(tmp_path)


def test_a_folder_that_is_gone_is_no_matter_of_one_frame(tmp_path, gray):
    folder = save(tmp_path / "movie", gray)
    movie = open_movie(folder)
    (folder / "frame1.png").unlink()
    with pytest.raises(DamagedFrameError, match=r"frame 1 of movie 'movie' cannot be read"):
        movie.read(1)
    folder.rename(tmp_path / "moved")
    with pytest.raises(MovieError, match=r"the file is gone") as caught:
        movie.read(2)
    assert not isinstance(caught.value, DamagedFrameError)


@pytest.mark.parametrize(
    ("names", "channels"),
    [
        (("img_{:03}_DIC.tif", "img_{:03}_GFP.tif"), "0: DIC, 1: GFP"),
        (("DIC_t{}.tif", "GFP_t{}.tif"), "0: DIC, 1: GFP"),
        (("t{:03}_c1.tif", "t{:03}_c2.tif"), "0: c1, 1: c2"),
        (("img_channel000_time{:09}_z000.tif", "img_channel001_time{:09}_z000.tif"), "0: channel000, 1: channel001"),
    ],
)
def test_files_that_differ_by_a_channel_are_one_frame(tmp_path, gray, names, channels):
    for channel, name in enumerate(names):
        for frame in range(5):
            tifffile.imwrite(tmp_path / name.format(frame), gray[frame] + channel)
    with pytest.raises(MovieError, match=rf"channels {channels}\) has 2 channels along C"):
        open_movie(tmp_path)
    np.testing.assert_array_equal(frames_of(open_movie(tmp_path, channel=1)), gray + 1)
    assert open_movie(tmp_path, channel=(1, 0)).shape == (5, 6, 7, 3)


def test_a_frame_that_lacks_a_channel_is_left_out_with_a_note(tmp_path, gray):
    for frame in range(5):
        tifffile.imwrite(tmp_path / f"img_{frame}_GFP.tif", gray[frame])
        if frame < 4:
            tifffile.imwrite(tmp_path / f"img_{frame}_DIC.tif", gray[frame])
    movie = open_movie(tmp_path, channel=1)
    assert len(movie) == 4
    assert movie.notes == (f"1 files of '{tmp_path.name}' are left out: their frames lack other channels",)


@pytest.mark.parametrize("names", ["a b c d", "c1 c2 c3 c4", "x1_c3 x2_c3 x3_c3 x4_c3", "dark t1 t2 t3", "a1 b2 c3 d4"])
def test_names_that_tell_no_channels_are_frames(tmp_path, gray, names):
    for name, image in zip(names.split(), gray, strict=False):
        tifffile.imwrite(tmp_path / f"{name}.tif", image)
    np.testing.assert_array_equal(frames_of(open_movie(tmp_path)), gray[:4])


def test_channels_in_names_from_the_field(shared_data):
    with pytest.raises(MovieError, match=r"channels 0: DIC, 1: GFP"):
        open_movie(shared_data / "awkward" / "channels_in_names")
    check_disk(open_movie(shared_data / "awkward" / "channels_in_names", channel=1), range(6))


def test_an_empty_folder_is_an_error(tmp_path):
    with pytest.raises(MovieError, match=r"has no image files, only nothing: expected one .png, .jpg"):
        open_movie(tmp_path)


def test_other_and_hidden_files_do_not_count(tmp_path, gray):
    folder = save(tmp_path / "movie", gray)
    (folder / "notes.txt").write_text("hello")
    (folder / "._frame0.png").write_bytes(b"what macOS leaves behind")
    (folder / "masks.png").mkdir()
    assert len(open_movie(folder)) == 5


def test_of_hundreds_of_unknown_files_only_a_few_are_named(tmp_path):
    for number in range(150):
        (tmp_path / f"f{number}.xyz").touch()
    with pytest.raises(
        MovieError, match=r"only f0.xyz, f1.xyz, f2.xyz, f3.xyz, f4.xyz and 145 more: expected"
    ) as caught:
        open_movie(tmp_path)
    assert len(str(caught.value)) < 400


def test_images_and_masks_in_one_folder_are_an_error(tmp_path, gray):
    folder = save(tmp_path / "movie", gray.astype(np.uint8), suffix=".jpg")
    save(folder, gray[:2], suffix=".png", name="mask{}")
    with pytest.raises(MovieError, match=r"mixes kinds of images \(5 JPEG, 2 PNG\): keep the frames alone"):
        open_movie(folder)


def test_order_does_not_depend_on_the_file_system(tmp_path, gray):
    folder = tmp_path / "movie"
    folder.mkdir()
    order = list(range(5))
    random.Random(1).shuffle(order)
    for number in order:
        Image.fromarray(gray[number]).save(folder / f"t{number:02}.png")
    np.testing.assert_array_equal(frames_of(open_movie(folder)), gray)


def test_a_real_sequence(shared_data):
    movie = open_movie(shared_data / "davis2016" / "JPEGImages" / "dog")
    assert movie.shape == (60, 480, 854, 3)
    assert movie.read(59).std() > 10
