"""A movie that grows."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from src_model.errors import FrameRangeError, MovieError
from src_model.frames import LiveSource, decide_normalization, open_movie


def test_it_grows_by_what_is_appended(gray):
    live = LiveSource("camera")
    assert len(live) == 0
    assert [live.append(image) for image in gray] == [0, 1, 2, 3, 4]
    assert live.shape == (5, 6, 7)
    assert live.dtype == np.uint16
    assert live.name == "camera"
    for frame, image in enumerate(gray):
        np.testing.assert_array_equal(live.read(frame), image)


def test_it_is_a_movie_before_and_after_its_first_frame(gray):
    live = LiveSource()
    assert open_movie(live) is live
    live.append(gray[0])
    assert open_movie(live) is live
    assert decide_normalization(live).kind == "percentile"


def test_frames_are_copied_in_and_out(gray):
    live = LiveSource()
    image = gray[0].copy()
    live.append(image)
    image[:] = 0
    live.read(0)[:] = 0
    np.testing.assert_array_equal(live.read(0), gray[0])


def test_colors_lose_their_alpha_and_bytes_their_order(color):
    live = LiveSource()
    live.append(np.concatenate([color[0], color[0, ..., :1]], axis=-1).astype(">u2"))
    assert live.shape == (1, 6, 7, 3)
    assert live.dtype == np.uint16
    assert live.dtype.isnative


def test_before_the_first_frame_there_is_no_shape():
    live = LiveSource("camera")
    for attribute in ("shape", "dtype"):
        with pytest.raises(MovieError, match=r"live movie 'camera' has no frame yet.*: append one first"):
            getattr(live, attribute)
    with pytest.raises(FrameRangeError, match=r"frame 0 is outside the movie 'camera': it has no frames yet"):
        live.read(0)


@pytest.mark.parametrize(
    "image", [np.zeros((6, 8), np.uint16), np.zeros((6, 7), np.uint8), np.zeros((6, 7, 3), np.uint16)], ids=str
)
def test_a_frame_unlike_the_first_is_an_error_and_not_appended(gray, image):
    live = LiveSource("camera")
    live.append(gray[0])
    with pytest.raises(
        MovieError, match=r"frame 1 of the live movie 'camera' has the shape .*expected \(6, 7\) and uint16"
    ):
        live.append(image)
    assert len(live) == 1


@pytest.mark.parametrize("shape", [(7,), (2, 6, 7), (6, 7, 2), (0, 7), (1, 6, 7, 3)])
def test_what_is_no_image_is_an_error(shape):
    with pytest.raises(
        MovieError, match=r"cannot be appended to the live movie 'live': expected \(Y, X\) or \(Y, X, 3\)"
    ):
        LiveSource().append(np.zeros(shape))


def test_only_the_latest_frames_are_kept_if_so_wished(gray):
    live = LiveSource("camera", keep=2)
    for image in gray:
        live.append(image)
    assert len(live) == 5
    np.testing.assert_array_equal(live.read(3), gray[3])
    np.testing.assert_array_equal(live.read(4), gray[4])
    with pytest.raises(MovieError, match=r"frame 2 of the live movie 'camera' is gone: .*kept, 3 to 4"):
        live.read(2)
    with pytest.raises(MovieError, match=r"keep=0 of the live movie 'live' must be at least 1"):
        LiveSource(keep=0)


def test_normalization_looks_at_the_frames_that_are_kept(gray):
    live = LiveSource(keep=1)
    for image in gray:
        live.append(image)
    assert decide_normalization(live).low[0] >= 4000


def test_one_thread_may_append_while_another_reads():
    live = LiveSource(keep=8)
    live.append(np.zeros((4, 4), np.int64))

    def feed():
        for number in range(1, 2000):
            live.append(np.full((4, 4), number))

    feeder = threading.Thread(target=feed)
    feeder.start()
    seen = []
    while feeder.is_alive():
        newest = len(live) - 1
        try:
            seen.append((newest, int(live.read(newest)[0, 0])))
        except MovieError:  # overtaken by eight frames
            continue
    feeder.join()
    assert all(number == value for number, value in seen)
