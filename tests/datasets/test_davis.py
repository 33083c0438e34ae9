"""DAVIS, YouTube-VOS, MOSE and LVOS folders."""

from __future__ import annotations

import numpy as np
import pytest

from src_model.datasets import open_dataset
from src_model.errors import MovieError
from tests.datasets.samples import picture, save_palette, save_picture, squares


def write(root, *, names=("bear", "cat"), frames=6, every=1, resolution="", save=save_palette):
    for name in names:
        for frame in range(frames):
            save_picture(root / "JPEGImages" / resolution / name / f"{frame:05d}.jpg", picture(frame))
        for frame in range(0, frames, every):
            save(root / "Annotations" / resolution / name / f"{frame:05d}.png", squares(frame))
    return root


def test_palette_images_are_read_as_numbers_of_objects(tmp_path):
    movie = open_dataset(write(tmp_path)).named("bear")
    assert movie.object_ids() == (1, 2)
    assert movie.kind == "natural"
    assert movie.parents == {}
    for frame in range(6):
        np.testing.assert_array_equal(movie.labels(frame), squares(frame))
        np.testing.assert_array_equal(movie.mask(2, frame), squares(frame) == 2)
    assert movie.labels(0).dtype == np.int32
    assert movie.movie.shape == (6, 20, 30, 3)
    assert abs(int(movie.movie.read(4).mean()) - 40) <= 2


def test_binary_masks_of_davis_2016_are_one_object(tmp_path):
    def save_binary(path, labels):
        save_picture(path, np.where(labels > 0, 255, 0).astype(np.uint8))

    movie = open_dataset(write(tmp_path, save=save_binary))[0]
    assert movie.object_ids() == (1,)
    np.testing.assert_array_equal(movie.labels(3), squares(3) > 0)


def test_binary_masks_stored_in_three_equal_colors_are_understood(tmp_path):
    def save_gray_as_colors(path, labels):
        save_picture(path, np.repeat(np.where(labels > 0, 255, 0).astype(np.uint8)[..., None], 3, axis=2))

    assert open_dataset(write(tmp_path, save=save_gray_as_colors))[0].object_ids() == (1,)


def test_labels_in_colors_are_refused_by_name(tmp_path):
    save_colors = lambda path, labels: save_picture(path, np.stack([labels, labels * 2, labels], axis=2))  # noqa: E731
    with pytest.raises(MovieError, match=r"00000\.png' is in colors: expected labels"):
        open_dataset(write(tmp_path, save=save_colors))[0].labels(0)


def test_255_in_a_palette_is_left_out(tmp_path):
    def save_with_void(path, labels):
        labels[-1] = 255
        save_palette(path, labels)

    movie = open_dataset(write(tmp_path, save=save_with_void))[0]
    assert movie.object_ids() == (1, 2)
    assert not movie.labels(0)[-1].any()


def test_youtube_vos_labels_every_fifth_frame_and_no_other_can_be_asked_for(tmp_path):
    movie = open_dataset(write(tmp_path, frames=11, every=5))[0]
    assert tuple(movie.labelled_frames) == (0, 5, 10)
    assert len(movie.movie) == 11
    np.testing.assert_array_equal(movie.labels(5), squares(5))
    with pytest.raises(MovieError, match=r"frame 4 of 'bear' has no labels \(3 have, 0 to 10\)"):
        movie.labels(4)


def test_the_small_resolution_is_read_where_there_are_several(tmp_path):
    write(tmp_path, resolution="480p")
    write(tmp_path, resolution="Full-Resolution")
    data = open_dataset(tmp_path)
    assert data.names == ("bear", "cat")
    assert data[0].images.parent.name == "480p"


def test_movies_without_labels_are_left_out(tmp_path):
    write(tmp_path)
    save_picture(tmp_path / "JPEGImages" / "unseen" / "00000.jpg", picture(0))
    assert open_dataset(tmp_path).names == ("bear", "cat")


@pytest.mark.parametrize(
    "lines",
    ["cat\n", "/JPEGImages/480p/cat/00000.jpg /Annotations/480p/cat/00000.png\n/JPEGImages/480p/cat/00001.jpg x\n"],
)
def test_a_split_lists_its_movies(tmp_path, lines):
    write(tmp_path)
    (tmp_path / "ImageSets" / "2017").mkdir(parents=True)
    (tmp_path / "ImageSets" / "2017" / "val.txt").write_text(lines)
    assert open_dataset(tmp_path, split="val").names == ("cat",)
    assert open_dataset(tmp_path, split="2017/val").names == ("cat",)
    with pytest.raises(MovieError, match=r"split 'train' of .* is not there: expected 2017/val"):
        open_dataset(tmp_path, split="train")


def test_a_split_with_lists_of_two_years_has_to_be_told_apart(tmp_path):
    write(tmp_path)
    for year in ("2016", "2017"):
        (tmp_path / "ImageSets" / year).mkdir(parents=True)
        (tmp_path / "ImageSets" / year / "val.txt").write_text("bear")
    with pytest.raises(MovieError, match="one of several: 2016/val, 2017/val"):
        open_dataset(tmp_path, split="val")


def test_a_split_that_names_a_missing_movie_is_refused(tmp_path):
    write(tmp_path)
    (tmp_path / "ImageSets").mkdir()
    (tmp_path / "ImageSets" / "val.txt").write_text("bear\nwolf\n")
    with pytest.raises(MovieError, match=r"val\.txt' names 'wolf', which has no labels"):
        open_dataset(tmp_path, split="val")


def test_a_folder_for_each_split_needs_a_choice(tmp_path):
    write(tmp_path / "train", names=("bear",))
    write(tmp_path / "valid", names=("cat",))
    assert open_dataset(tmp_path, split="valid").names == ("cat",)
    with pytest.raises(MovieError, match="has the splits train, valid, not None: pass split"):
        open_dataset(tmp_path)


def test_what_does_not_fit_together_is_named(tmp_path):
    write(tmp_path, frames=2)
    save_palette(tmp_path / "Annotations" / "bear" / "00007.png", squares(0))
    with pytest.raises(MovieError, match=r"00007\.png' belongs to no frame: expected an image named '00007'"):
        open_dataset(tmp_path)[0].labels(0)
    save_palette(tmp_path / "Annotations" / "dog" / "00000.png", squares(0))
    with pytest.raises(MovieError, match="dog' has labels but no frames: expected"):
        open_dataset(tmp_path)


def test_labels_of_another_size_and_damaged_ones_are_refused(tmp_path):
    write(tmp_path, frames=2)
    save_palette(tmp_path / "Annotations" / "bear" / "00000.png", squares(0)[:10])
    (tmp_path / "Annotations" / "bear" / "00001.png").write_bytes(b"no image at all")
    movie = open_dataset(tmp_path)[0]
    with pytest.raises(
        MovieError, match=r"labels of frame 0 of 'bear' have the size \(10, 30\) \(Y, X\): expected \(20, 30\)"
    ):
        movie.labels(0)
    with pytest.raises(MovieError, match=r"00001\.png' cannot be read as an image"):
        movie.labels(1)


def test_an_empty_annotation_folder_is_refused(tmp_path):
    write(tmp_path)
    for path in (tmp_path / "Annotations" / "bear").iterdir():
        path.unlink()
    with pytest.raises(MovieError, match=r"bear' holds no \.png labels"):
        _ = open_dataset(tmp_path)[0].labelled_frames


def test_movies_of_the_same_files_are_equal(tmp_path):
    write(tmp_path)
    first, again = open_dataset(tmp_path), open_dataset(tmp_path)
    assert first[0] == again[0]
    assert hash(first[0]) == hash(again[0])
    assert first[0] != again[1]


def test_opening_thousands_of_movies_reads_no_pixel(tmp_path, no_pixels):
    for number in range(2000):
        (tmp_path / "JPEGImages" / f"{number:04d}").mkdir(parents=True)
        (tmp_path / "Annotations" / f"{number:04d}").mkdir(parents=True)
    data = open_dataset(tmp_path)
    assert len(data) == 2000
    assert data.names[1234] == "1234"


def test_the_shared_davis_movies_are_read(shared_data):
    data = open_dataset(shared_data / "davis2016")
    assert len(data) == 10
    movie = data.named("blackswan")
    assert movie.movie.shape == (50, 480, 854, 3)
    assert len(movie.labelled_frames) == 50
    assert set(np.unique(movie.labels(7))) == {0, 1}
    with pytest.raises(MovieError, match="has no movie 'goose': it has 10, such as blackswan"):
        data.named("goose")
