"""Which movie: recognised by shape, type and a few pixels, also when it has grown."""

from __future__ import annotations

import numpy as np
import pytest

from src_model.document import MovieIdentity
from src_model.frames import open_movie
from tests.tracking.damage import DamagedMovie


@pytest.fixture
def frames():
    return np.random.default_rng(0).integers(0, 60_000, (6, 40, 300), np.uint16)


def test_a_movie_is_described_with_its_place_in_the_world(frames):
    source = open_movie(frames)
    identity = MovieIdentity.of(source, path="/a.tif", scale=(2, 0.5, 0.5), units=("s", "um", "um"))
    assert identity.shape == (6, 40, 300)
    assert identity.dtype == "uint16"
    assert identity.scale == (2.0, 0.5, 0.5)
    assert (identity.length, identity.frame_shape) == (6, (40, 300))
    assert identity.differences(source) == ()


def test_a_movie_that_grew_is_the_same_and_one_cut_short_is_not(frames):
    identity = MovieIdentity.of(open_movie(frames[:4]))
    assert identity.differences(open_movie(frames)) == ()
    assert "3 frames, expected 4 or more" in identity.differences(open_movie(frames[:3]))[0]


def test_another_movie_is_told_by_shape_type_or_images(frames):
    identity = MovieIdentity.of(open_movie(frames))
    assert "shape" in identity.differences(open_movie(frames[:, :20]))[0]
    assert "float32" in identity.differences(open_movie(frames.astype(np.float32)))[0]
    assert identity.differences(open_movie(frames[::-1].copy())) == ("its images are others",)


def test_the_fingerprint_reads_three_frames_whatever_the_length(frames):
    source = open_movie(np.repeat(frames, 20, axis=0))
    read = []

    class Counting:
        shape, dtype, name = source.shape, source.dtype, source.name

        def __len__(self):
            return len(source)

        def read(self, frame):
            read.append(frame)
            return source.read(frame)

    MovieIdentity.of(Counting())
    assert read == [0, 59, 119]


@pytest.mark.parametrize("damaged", [0, 5])
def test_a_movie_is_known_by_shape_and_type_where_a_frame_of_the_fingerprint_is_damaged(frames, damaged):
    whole, holes = DamagedMovie(frames, set()), DamagedMovie(frames, {damaged})
    assert MovieIdentity.of(holes).fingerprint == ""
    assert MovieIdentity.of(whole).differences(holes) == ()
    assert MovieIdentity.of(holes).differences(whole) == ()
    assert MovieIdentity.of(holes).differences(DamagedMovie(frames[:, 1:], set())) != ()
