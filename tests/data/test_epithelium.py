"""The movie that ships with the package, and its ground truth beside these tests."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile

from src_model.data import EPITHELIUM_FRAME_INTERVAL, EPITHELIUM_PIXEL_SIZE, epithelium_path


@pytest.fixture(scope="module")
def movie():
    return tifffile.imread(epithelium_path())


@pytest.fixture(scope="module")
def labels():
    return tifffile.imread(Path(__file__).with_name("epithelium_labels.tif"))


def test_the_movie_is_small_enough_to_ship():
    assert epithelium_path().stat().st_size < 1_000_000


def test_the_movie_is_a_16_bit_time_lapse(movie):
    assert movie.shape == (11, 160, 257)
    assert movie.dtype == np.uint16
    with tifffile.TiffFile(epithelium_path()) as file:
        assert file.series[0].axes == "TYX"


def test_the_file_carries_pixel_size_and_frame_interval():
    with tifffile.TiffFile(epithelium_path()) as file:
        metadata = file.imagej_metadata
        pixels, unit = file.pages[0].tags["XResolution"].value
    assert metadata["unit"] == "um"
    assert unit / pixels == pytest.approx(EPITHELIUM_PIXEL_SIZE)
    assert metadata["finterval"] == pytest.approx(EPITHELIUM_FRAME_INTERVAL)


def test_no_frame_is_empty_and_no_two_are_alike(movie):
    assert (movie.std(axis=(1, 2)) > 0).all()
    assert (np.diff(movie.astype(int), axis=0) != 0).any(axis=(1, 2)).all()


def test_the_labels_cover_the_movie_and_most_cells_live_through_it(movie, labels):
    assert labels.shape == movie.shape
    assert labels.dtype == np.uint16
    in_frame = [set(np.unique(frame)) - {0} for frame in labels]
    assert all(80 < len(cells) < 90 for cells in in_frame)
    assert len(set.intersection(*in_frame)) > 70


def test_cells_are_darker_than_the_outlines_between_them(movie, labels):
    outlined = labels.any(axis=0)[None] & (labels == 0)
    assert movie[labels > 0].mean() < 0.7 * movie[outlined].mean()
