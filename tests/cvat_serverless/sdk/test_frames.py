"""Frames of a task as a movie."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from cvat_serverless.images import ImageLimits
from cvat_serverless.sdk.frames import FrameFiles, TaskMovie
from cvat_serverless.sdk.login import Login, connect
from cvat_serverless.sdk.task import open_task
from src_model.errors import DamagedFrameError, FrameRangeError, MovieError
from tests.cvat_serverless.sdk.cvat_server import TOKEN


@pytest.fixture
def place(cvat, monkeypatch, tmp_path):
    monkeypatch.setenv("CVAT_ACCESS_TOKEN", TOKEN)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    server = connect(Login(cvat.url))
    yield open_task(server, 5)
    server.close()


def test_they_are_those_that_cvat_shows_by_its_numbers(place, task, tmp_path):
    with TaskMovie(place, (2, 5, 7), FrameFiles(tmp_path / "f")) as movie:
        assert movie.shape == (3, 40, 52, 3)
        assert all(np.array_equal(movie.read(i), task.frames[number]) for i, number in enumerate((2, 5, 7)))
        with pytest.raises(FrameRangeError):
            movie.read(3)


def test_each_is_fetched_once_forwards_and_backwards_and_in_the_next_process(place, cvat, tmp_path):
    for _ in range(2):
        with TaskMovie(place, range(10), FrameFiles(tmp_path / "f")) as movie:
            for frame in (*range(10), *reversed(range(10))):
                movie.read(frame)
    assert sorted(cvat.frames_asked()) == list(range(10))


def test_files_take_no_more_room_than_they_may(place, tmp_path):
    files = FrameFiles(tmp_path / "f", budget=10_000)
    for frame in range(8):
        files.put(frame, bytes(3000))
    assert sorted(path.stem for path in (tmp_path / "f").iterdir()) == ["00000005", "00000006", "00000007"]
    files.clear()
    assert not (tmp_path / "f").exists()


def test_what_is_read_is_the_callers_own(place, tmp_path):
    with TaskMovie(place, range(10), FrameFiles(tmp_path / "f")) as movie:
        movie.read(0)[:] = 0
        assert movie.read(0).any()


def png(frame):
    file = io.BytesIO()
    Image.fromarray(frame).save(file, "PNG")
    return file.getvalue()


@pytest.mark.parametrize("cut", [lambda file: b"no image", lambda file: file[:-400]], ids=["text", "half an image"])
def test_a_frame_that_is_no_image_is_damaged_and_named(place, task, tmp_path, monkeypatch, cut):
    monkeypatch.setattr(type(place), "frame_file", lambda self, frame: cut(png(task.frames[frame])))
    with (
        TaskMovie(place, range(2, 10), FrameFiles(tmp_path / "f")) as movie,
        pytest.raises(DamagedFrameError, match="frame 4 of task 5") as caught,
    ):
        movie.read(2)
    assert caught.value.frame == 2, "as the movie counts"


def test_a_frame_of_another_size_is_damaged(place, task, tmp_path, monkeypatch):
    monkeypatch.setattr(type(place), "frame_file", lambda self, frame: png(task.frames[frame][:20]))
    with (
        TaskMovie(place, range(10), FrameFiles(tmp_path / "f")) as movie,
        pytest.raises(DamagedFrameError, match="came as 52 x 20 pixels, but CVAT calls it 52 x 40"),
    ):
        movie.read(4)


def test_frames_beyond_the_limit_of_decoding_are_no_damage(place, tmp_path):
    with (
        TaskMovie(place, range(10), FrameFiles(tmp_path / "f"), ImageLimits(pixels=100)) as movie,
        pytest.raises(MovieError, match=r"frame 4 of task 5.*Scale it down") as caught,
    ):
        movie.read(4)
    assert not isinstance(caught.value, DamagedFrameError)
