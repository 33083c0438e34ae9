"""Folders of labelled stills."""

from __future__ import annotations

import numpy as np
import pytest

from src_model.datasets import open_dataset
from src_model.errors import MovieError
from tests.datasets.samples import picture, save_picture, save_tiff, squares


def write(root, count=3):
    for number in range(count):
        save_picture(root / "images" / f"{number:04d}.png", picture(number))
        save_picture(root / "labels" / f"{number:04d}.png", squares(number).astype(np.uint16) * 300)
    return root


def test_each_still_is_a_movie_of_one_frame(tmp_path):
    data = open_dataset(write(tmp_path))
    assert (data.layout, data.names) == ("stills", ("0000", "0001", "0002"))
    movie = data[2]
    assert movie.movie.shape == (1, 20, 30, 3)
    assert list(movie.labelled_frames) == [0]
    assert movie.object_ids() == (300, 600)
    np.testing.assert_array_equal(movie.labels(0), squares(2).astype(int) * 300)


def test_labels_may_be_tiff_and_hold_all_of_255_objects(tmp_path):
    labels = np.arange(600).reshape(20, 30) % 256
    save_picture(tmp_path / "images" / "a.png", picture(0))
    save_tiff(tmp_path / "masks" / "a.tif", labels.astype(np.uint8))
    assert open_dataset(tmp_path)[0].object_ids() == tuple(range(1, 256))


def test_labels_without_an_image_are_named_and_images_without_labels_left_out(tmp_path):
    write(tmp_path)
    (tmp_path / "labels" / "0001.png").unlink()
    assert open_dataset(tmp_path).names == ("0000", "0002")
    save_picture(tmp_path / "labels" / "0009.png", squares(0))
    with pytest.raises(MovieError, match=r"0009\.png' belongs to no frame: expected an image named '0009'"):
        open_dataset(tmp_path)


def test_empty_or_missing_folders_are_refused(tmp_path):
    write(tmp_path, 0)
    (tmp_path / "images").mkdir()
    with pytest.raises(MovieError, match="has no folder 'labels'"):
        open_dataset(tmp_path, layout="stills")
    (tmp_path / "labels").mkdir()
    with pytest.raises(MovieError, match="labels' holds no labels"):
        open_dataset(tmp_path)


def test_opening_reads_no_pixel(tmp_path, no_pixels):
    for folder in ("images", "labels"):
        (tmp_path / folder).mkdir()
        for number in range(1000):
            (tmp_path / folder / f"{number}.png").touch()
    assert len(open_dataset(tmp_path)) == 1000


def test_the_shared_stills_are_read(shared_data):
    data = open_dataset(shared_data / "dsb2018")
    assert len(data) == 598
    colors = {len(data[number].movie.shape) for number in range(0, 598, 40)}
    assert colors == {3, 4}
    assert len(data[0].object_ids()) > 3
