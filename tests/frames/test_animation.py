"""Animated pictures."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from src_model.errors import DamagedFrameError, MovieError
from src_model.frames import animation, open_movie
from tests.frames.disk import check_disk


def save(path, values, **options):
    first, *others = [Image.fromarray(image) for image in values]
    first.save(path, save_all=True, append_images=others, duration=100, **options)
    return path


@pytest.mark.parametrize("name", ["movie.png", "movie.apng"])
def test_an_animated_png_is_a_movie(tmp_path, gray, color, name):
    for values in (gray.astype(np.uint8), color):
        movie = open_movie(save(tmp_path / name, values, format="PNG"))
        assert movie.shape == values.shape
        for frame in (4, 0, 2, 1, 3):
            np.testing.assert_array_equal(movie.read(frame), values[frame])


def test_a_gif_is_a_movie_in_color(tmp_path, gray):
    values = gray.astype(np.uint8)
    movie = open_movie(save(tmp_path / "movie.gif", values))
    assert movie.shape == (5, 6, 7, 3)
    for frame in (4, 0, 2, 1, 3):
        np.testing.assert_array_equal(movie.read(frame), np.repeat(values[frame][..., None], 3, axis=2))


def test_an_animated_webp_is_a_movie(tmp_path, color):
    movie = open_movie(save(tmp_path / "movie.webp", color, lossless=True))
    np.testing.assert_array_equal(movie.read(3), color[3])


def test_going_back_keeps_no_more_frames_than_fit(tmp_path, color, monkeypatch):
    monkeypatch.setattr(animation, "RECENT_BYTES", 0)
    movie = open_movie(save(tmp_path / "movie.png", color))
    for frame in reversed(range(5)):
        np.testing.assert_array_equal(movie.read(frame), color[frame])
        assert len(movie._stack._recent) == 2


def test_pictures_that_do_not_move_are_movies_of_one_frame(tmp_path, color):
    for name in ("a.png", "a.bmp", "a.webp", "a.gif"):
        Image.fromarray(color[0]).save(tmp_path / name)
        assert open_movie(tmp_path / name).shape == (1, 6, 7, 3)


def test_damage_costs_the_frames_behind_it_alone(tmp_path):
    noise = np.random.default_rng(0).integers(0, 255, (6, 40, 50), dtype=np.uint8)
    path = save(tmp_path / "movie.png", noise)
    content = path.read_bytes()
    at = content.rindex(b"fdAT") + 40
    path.write_bytes(content[:at] + bytes(200) + content[at + 200 :])
    movie = open_movie(path)
    with pytest.raises(DamagedFrameError, match=r"frame 5 of movie 'movie.png' cannot be read"):
        movie.read(5)
    np.testing.assert_array_equal(movie.read(4), noise[4])


def test_a_file_that_is_no_picture_is_an_error(tmp_path):
    (tmp_path / "movie.gif").write_bytes(b"no picture")
    with pytest.raises(MovieError, match=r"movie.gif' cannot be read as a picture"):
        open_movie(tmp_path / "movie.gif")


@pytest.mark.parametrize("name", ["movie.gif", "animated.png"])
def test_animations_from_the_field(shared_data, name):
    movie = open_movie(shared_data / "awkward" / name)
    assert len(movie) == 6
    check_disk(movie, range(6))
