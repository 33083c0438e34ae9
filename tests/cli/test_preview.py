"""Pictures and videos of a tracked movie."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import typer
from PIL import Image

from src_model.cli.preview import (
    check_preview_path,
    clicks_on,
    draw_frame,
    preview_length,
    spread_frames,
    video_size,
    write_preview,
)
from src_model.errors import MissingExtraError
from src_model.frames import open_movie
from tests.tracking import tiny
from tests.tracking.damage import DamagedMovie


@pytest.fixture(scope="module")
def movie():
    return open_movie(tiny.make_movie())


@pytest.fixture(scope="module")
def document(predictor, movie):
    session = predictor.start(movie)
    session.prompt(0, 1, points=[tiny.CLICK, (30, 40)], labels=[1, 0])
    session.prompt(0, 2, box=(5, 35, 15, 45))
    tiny.finish(session.propagate())
    return session.to_document()


@pytest.mark.parametrize(("count", "expected"), [(3, [2, 6, 11]), (20, list(range(2, 12))), (2, [2, 11])])
def test_frames_are_spread_from_the_first_to_the_last(count, expected):
    assert spread_frames(range(2, 12), count) == expected


def test_a_frame_is_drawn_with_its_masks_and_clicks(document, movie):
    with_clicks, without = draw_frame(document, movie, 0, (80, 104)), draw_frame(document, movie, 1, (80, 104))
    assert with_clicks.shape == without.shape == (80, 104, 3)
    y, x = 2 * tiny.CLICK[0] + 1, 2 * tiny.CLICK[1] + 1
    assert tuple(with_clicks[y, x]) == (255, 255, 255)
    assert without.std(axis=2).max() > 10  # colored: a mask lies over the gray movie


def test_clicks_of_all_objects_are_found_on_their_frame_alone(document):
    assert [(click.y, click.x, click.positive) for click in clicks_on(document, 0)] == [(20, 15, True), (30, 40, False)]
    assert clicks_on(document, 1) == []


@pytest.mark.parametrize("name", ["preview.png", "preview.jpg"])
def test_a_sheet_shows_frames_spread_over_the_span(document, movie, tmp_path, name):
    seen = []
    write_preview(tmp_path / name, document, movie, range(10), lambda: seen.append(1))
    with Image.open(tmp_path / name) as image:
        assert 1580 <= image.width <= 1600
        assert image.height == pytest.approx(2 * image.width / 3 * 40 / 52, rel=0.02)
    assert len(seen) == preview_length(tmp_path / name, range(10)) == 6


def test_a_sheet_of_one_frame_is_that_frame(document, movie, tmp_path):
    write_preview(tmp_path / "one.png", document, movie, range(4, 5))
    with Image.open(tmp_path / "one.png") as image:
        assert image.width == 1600


def test_a_video_has_all_frames_of_the_span(document, movie, tmp_path):
    av = pytest.importorskip("av")
    path = write_preview(tmp_path / "preview.mp4", document, movie, range(2, 9))
    with av.open(str(path)) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    assert len(frames) == preview_length(path, range(2, 9)) == 7
    height, width = video_size((40, 52))
    assert frames[0].shape == (height, width, 3)
    drawn = draw_frame(document, movie, 2, (height, width)).astype(float)
    assert np.abs(frames[0] - drawn).mean() < 12


@pytest.mark.parametrize("shape", [(40, 52), (160, 257), (2047, 2049), (33, 4000), (720, 1280), (4000, 3)])
def test_videos_have_even_sides_of_the_movies_proportions(shape):
    height, width = video_size(shape)
    assert height % 2 == width % 2 == 0
    assert 480 <= max(height, width) <= 1280
    if min(height, width) > 20:
        assert height / width == pytest.approx(shape[0] / shape[1], rel=0.05)


def test_small_movies_are_enlarged_by_a_whole_number():
    assert video_size((160, 257)) == (320, 514)


def test_other_suffixes_are_refused(tmp_path):
    with pytest.raises(typer.BadParameter, match="must end in"):
        check_preview_path(tmp_path / "preview.gif")


def test_a_video_without_the_package_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(MissingExtraError, match=r"napari-sam2v\[video\]"):
        check_preview_path(tmp_path / "preview.mp4")
    check_preview_path(tmp_path / "preview.png")


def test_a_damaged_frame_is_black(predictor):
    movie = DamagedMovie(tiny.make_movie(), {3})
    document = predictor.start(movie).to_document()
    assert not draw_frame(document, movie, 3, (40, 52)).any()
    assert draw_frame(document, movie, 2, (40, 52)).any()
