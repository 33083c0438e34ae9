"""Frames of a task as a movie."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from cvat_serverless.images import ImageLimits
from cvat_serverless.sdk.client import Login, connect
from cvat_serverless.sdk.frames import FrameFileCache, TaskMovie
from cvat_serverless.sdk.task import open_task
from src_model.errors import DamagedFrameError, FrameRangeError, MovieError
from tests.cvat_serverless.sdk.cvat_server import TOKEN


@pytest.fixture
def opened(cvat, monkeypatch, tmp_path):
    monkeypatch.setenv("CVAT_ACCESS_TOKEN", TOKEN)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    client = connect(Login(cvat.url))
    yield open_task(client, 5)
    client.close()


def test_they_are_those_that_cvat_shows_by_its_numbers(opened, task, tmp_path):
    movie = TaskMovie(opened, (2, 5, 7), FrameFileCache(tmp_path / "f"))
    assert movie.shape == (3, 40, 52, 3)
    assert all(np.array_equal(movie.read(i), task.frames[number]) for i, number in enumerate((2, 5, 7)))
    with pytest.raises(FrameRangeError):
        movie.read(3)


def test_each_is_fetched_once_forwards_and_backwards_and_in_the_next_process(opened, cvat, tmp_path):
    for _ in range(2):
        movie = TaskMovie(opened, range(10), FrameFileCache(tmp_path / "f"))
        for frame in (*range(10), *reversed(range(10))):
            movie.read(frame)
    assert sorted(cvat.frames_asked()) == list(range(10))


def test_files_take_no_more_room_than_they_may(opened, tmp_path):
    files = FrameFileCache(tmp_path / "f", budget=10_000)
    for frame in range(8):
        files.put(frame, bytes(3000))
    assert sorted(path.stem for path in (tmp_path / "f").iterdir()) == ["00000005", "00000006", "00000007"]
    files.clear()
    assert not (tmp_path / "f").exists()


def test_what_is_read_is_the_callers_own(opened, tmp_path):
    movie = TaskMovie(opened, range(10), FrameFileCache(tmp_path / "f"))
    movie.read(0)[:] = 0
    assert movie.read(0).any()


def png(frame):
    file = io.BytesIO()
    Image.fromarray(frame).save(file, "PNG")
    return file.getvalue()


@pytest.mark.parametrize("cut", [lambda file: b"no image", lambda file: file[:-400]], ids=["text", "half an image"])
def test_a_frame_that_is_no_image_is_damaged_and_named(opened, task, tmp_path, monkeypatch, cut):
    monkeypatch.setattr(type(opened), "frame_file", lambda self, frame: cut(png(task.frames[frame])))
    movie = TaskMovie(opened, range(2, 10), FrameFileCache(tmp_path / "f"))
    with pytest.raises(DamagedFrameError, match="frame 4 of task 5") as caught:
        movie.read(2)
    assert caught.value.frame == 2, "as the movie counts"


def test_a_frame_of_another_size_is_damaged(opened, task, tmp_path, monkeypatch):
    monkeypatch.setattr(type(opened), "frame_file", lambda self, frame: png(task.frames[frame][:20]))
    movie = TaskMovie(opened, range(10), FrameFileCache(tmp_path / "f"))
    with pytest.raises(DamagedFrameError, match="came as 52 x 20 pixels, but CVAT calls it 52 x 40"):
        movie.read(4)


def test_frames_beyond_the_limit_of_decoding_are_no_damage(opened, tmp_path):
    movie = TaskMovie(opened, range(10), FrameFileCache(tmp_path / "f"), ImageLimits(pixels=100))
    with pytest.raises(MovieError, match=r"frame 4 of task 5.*Scale it down") as caught:
        movie.read(4)
    assert not isinstance(caught.value, DamagedFrameError)
