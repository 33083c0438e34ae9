"""Arrays in .npy files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from src_model.errors import MovieError
from src_model.frames import open_movie


@pytest.mark.parametrize("dtype", ["bool", "uint8", ">u2", "float32"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_a_npy_file_reads_as_it_was_saved(tmp_path, gray, dtype, order):
    values = np.array(gray, dtype=dtype, order=order)
    np.save(tmp_path / "movie.npy", values)
    movie = open_movie(tmp_path / "movie.npy")
    assert movie.name == "movie.npy"
    assert movie.dtype.isnative
    for frame in range(5):
        np.testing.assert_array_equal(movie.read(frame), values[frame])


def test_a_file_is_not_held_open(tmp_path, gray):
    np.save(tmp_path / "movie.npy", gray)
    movie = open_movie(tmp_path / "movie.npy")
    movie.read(0)
    (tmp_path / "movie.npy").unlink()
    with pytest.raises(MovieError, match=r"frame 1 of movie 'movie.npy' cannot be read"):
        movie.read(1)


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads the size of the process from /proc")
def test_reading_a_large_file_does_not_grow_the_process(tmp_path):
    np.save(tmp_path / "movie.npy", np.ones((96, 1024, 512), np.uint16))
    movie = open_movie(tmp_path / "movie.npy")

    def resident():
        return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

    movie.read(0)
    before = resident()
    largest = max(resident() for frame in range(96) if movie.read(frame).all())
    assert largest - before < 16 * 2**20


def test_pickled_objects_are_refused(tmp_path):
    np.save(tmp_path / "movie.npy", np.array([{}, {}], dtype=object), allow_pickle=True)
    with pytest.raises(
        MovieError, match=r"movie.npy' cannot be opened as a .npy array \(.*\): expected an array of num"
    ):
        open_movie(tmp_path / "movie.npy")


def test_a_truncated_file_is_an_error(tmp_path, gray):
    np.save(tmp_path / "movie.npy", gray)
    content = (tmp_path / "movie.npy").read_bytes()
    for length in (0, 5, 40, len(content) - 1):
        (tmp_path / "movie.npy").write_bytes(content[:length])
        with pytest.raises(MovieError, match=r"cannot be opened as a .npy array"):
            open_movie(tmp_path / "movie.npy")


def test_a_foreign_file_is_an_error(tmp_path):
    np.savez(tmp_path / "movie.npz", a=np.zeros(3))
    (tmp_path / "movie.npz").rename(tmp_path / "movie.npy")
    with pytest.raises(MovieError, match=r"is not a .npy array: expected one array"):
        open_movie(tmp_path / "movie.npy")
    (tmp_path / "text.npy").write_text("hello, this is not an array")
    with pytest.raises(MovieError, match=r"cannot be opened as a .npy array"):
        open_movie(tmp_path / "text.npy")


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_a_npz_file_with_one_image_reads_as_it_was_saved(tmp_path, gray, save):
    save(tmp_path / "movie.npz", times=np.arange(5.0), movie=np.asfortranarray(gray))
    movie = open_movie(tmp_path / "movie.npz")
    assert movie.shape == (5, 6, 7)
    for frame in range(5):
        np.testing.assert_array_equal(movie.read(frame), gray[frame])


def test_of_several_arrays_in_a_npz_file_one_is_chosen(tmp_path, gray):
    np.savez(tmp_path / "movie.npz", raw=gray, mask=gray > 3)
    with pytest.raises(
        MovieError, match=r"holds 2 arrays \(0: 'raw' \(5, 6, 7\) uint16; 1: 'mask' .* bool\): choose one \(--series N"
    ):
        open_movie(tmp_path / "movie.npz")
    np.testing.assert_array_equal(open_movie(tmp_path / "movie.npz", series=1).read(0), gray[0] > 3)
    with pytest.raises(MovieError, match=r"series 2 does not exist in '.*movie.npz': it has 2, 0 to 1"):
        open_movie(tmp_path / "movie.npz", series=2)


def test_a_npz_file_without_images_or_damaged_is_an_error(tmp_path):
    np.savez(tmp_path / "movie.npz", times=np.arange(5), objects=np.array([[{}, {}]], dtype=object))
    with pytest.raises(MovieError, match=r"movie.npz' holds no image, only times, objects"):
        open_movie(tmp_path / "movie.npz")
    content = (tmp_path / "movie.npz").read_bytes()
    (tmp_path / "movie.npz").write_bytes(content[:100])
    with pytest.raises(MovieError, match=r"movie.npz' cannot be opened as a .npz file"):
        open_movie(tmp_path / "movie.npz")
