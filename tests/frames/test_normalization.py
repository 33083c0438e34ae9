"""What the model sees: one map of values for a whole movie."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from src_model.errors import AnnotationFileError, MovieError
from src_model.frames import Normalization, decide_normalization, normalization, open_movie
from tests.tracking.damage import DamagedMovie


class Recorder:
    """A movie that notes which frames are read."""

    def __init__(self, values):
        self._movie = open_movie(values)
        self.shape, self.dtype, self.name = self._movie.shape, self._movie.dtype, "recorder"
        self.frames = []

    def __len__(self):
        return self.shape[0]

    def read(self, frame):
        self.frames.append(frame)
        return self._movie.read(frame)


def decided(values, **options):
    return decide_normalization(open_movie(values), **options)


def test_8_bit_colors_are_left_alone(color):
    result = decided(color)
    assert result == Normalization("none", (0.0,), (255.0,))
    np.testing.assert_allclose(result.apply(color[0]), color[0] / 255, rtol=1e-6)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "int32", "float16", "float32", "float64", "bool"])
def test_gray_of_any_type_is_stretched_by_percentiles_over_the_whole_movie(gray, dtype):
    values = (gray % 251).astype(dtype)
    result = decided(values, percentiles=(1, 99))
    assert result.kind == "percentile"
    expected = np.percentile(values.astype(np.float64), (1, 99))
    np.testing.assert_allclose([*result.low, *result.high], expected)


def test_frames_brighter_than_others_stay_brighter(gray):
    result = decided(gray)
    means = [result.apply(image).mean() for image in gray]
    assert means == sorted(means)
    assert means[-1] - means[0] > 0.8


def test_deep_colors_share_one_range_and_mapped_channels_have_their_own():
    values = np.stack([np.arange(100.0).reshape(1, 10, 10), 1000 * np.arange(100.0).reshape(1, 10, 10)], axis=1)
    mapped = decide_normalization(open_movie(values, axes="TCYX", channel=(0, 1)), percentiles=(0, 100))
    assert (mapped.low, mapped.high) == ((0, 0, 0), (99, 99_000, 0))
    colors = np.moveaxis(values[:, [0, 1, 1]], 1, -1).astype(np.uint32)
    assert decided(colors, percentiles=(0, 100)).high == (99_000,)


def test_8_bit_channels_mapped_to_colors_are_stretched_too():
    values = np.random.default_rng(0).integers(10, 20, (2, 2, 8, 8), dtype=np.uint8)
    movie = open_movie(values, axes="TCYX", channel=(0, 1))
    seen = decide_normalization(movie, percentiles=(0, 100)).apply(movie.read(0))
    assert seen[..., 0].max() == 1
    assert not seen[..., 2].any()


def test_sampled_frames_are_spread_evenly_and_read_once():
    movie = Recorder(np.arange(100)[:, None, None] * np.ones((4, 4)))
    decide_normalization(movie, sample_frames=4)
    assert movie.frames == [0, 33, 66, 99]
    movie = Recorder(np.arange(3)[:, None, None] * np.ones((4, 4)))
    decide_normalization(movie)
    assert movie.frames == [0, 1, 2]


def test_large_frames_are_thinned_out(monkeypatch):
    monkeypatch.setattr(normalization, "PIXELS_PER_SAMPLE", 100)
    values = np.random.default_rng(0).normal(50, 10, (3, 200, 200))
    thin = decided(values, percentiles=(10, 90))
    np.testing.assert_allclose([*thin.low, *thin.high], np.percentile(values, (10, 90)), atol=5)


def test_nan_and_infinities_do_not_count():
    values = np.arange(200.0).reshape(2, 10, 10)
    values[0, 0] = np.nan
    values[1, 0, 0], values[1, 0, 1] = np.inf, -np.inf
    result = decided(values, percentiles=(0, 100))
    assert (result.low, result.high) == ((10,), (199,))


def test_a_movie_of_nan_alone_is_an_error():
    with pytest.raises(MovieError, match=r"movie 'array' has only NaN or infinite values .*pass limits=\(low, high\)"):
        decided(np.full((3, 4, 4), np.nan))


@pytest.mark.parametrize("value", [0, 7, -3.5, 1e30])
def test_a_constant_movie_is_seen_as_zeros(value):
    values = np.full((3, 4, 4), value)
    result = decided(values)
    assert result.low == result.high == (value,)
    assert not result.apply(values[0]).any()


def test_a_few_bright_pixels_on_black_are_seen():
    values = np.zeros((4, 100, 100), np.uint16)
    values[:, 50, 50] = 300
    result = decided(values)
    assert (result.low, result.high) == ((0,), (300,))
    assert result.apply(values[0])[50, 50].tolist() == [1, 1, 1]


def test_given_limits_are_taken_as_they_are(gray, color):
    assert decided(gray, limits=(100, 4000)) == Normalization("limits", (100,), (4000,))
    each = ((0, 10), (0, 20), (5, 30))
    assert decided(color, limits=each) == Normalization("limits", (0, 0, 5), (10, 20, 30))


@pytest.mark.parametrize("limits", [(5, 5), (5, 1), (0, np.nan), (0, np.inf), (1,), ((0, 1), (0, 1)), "dark", (0, "x")])
def test_limits_that_are_no_range_are_an_error(gray, limits):
    with pytest.raises(MovieError, match=r"limits .* are no range: expected \(low, high\), low < high"):
        decided(gray, limits=limits)


@pytest.mark.parametrize("percentiles", [(99, 1), (5, 5), (-1, 50), (0, 101), (np.nan, 50)])
def test_percentiles_that_are_no_range_are_an_error(gray, percentiles):
    with pytest.raises(MovieError, match=r"percentiles .* make no range: expected two in 0..100"):
        decided(gray, percentiles=percentiles)


def test_no_samples_are_an_error(gray):
    with pytest.raises(MovieError, match=r"sample_frames=0 leaves nothing to look at"):
        decided(gray, sample_frames=0)


def test_an_empty_movie_is_an_error():
    class Empty:
        shape, dtype, name = (0, 4, 4), np.dtype(np.uint8), "nothing"

        def __len__(self):
            return 0

    with pytest.raises(MovieError, match=r"movie 'nothing' is empty"):
        decide_normalization(Empty())


def test_gray_becomes_three_equal_channels_clipped_to_the_range():
    seen = Normalization("limits", (10.0,), (20.0,)).apply(np.array([[5, 10, 15, 20, 25]], np.uint8))
    assert seen.shape == (1, 5, 3)
    assert seen.dtype == np.float32
    np.testing.assert_array_equal(seen, np.repeat([[[0], [0], [0.5], [1], [1]]], 3, axis=2))


def test_gray_need_not_be_repeated():
    image = np.array([[0, 100, 250]], np.uint16)
    seen = Normalization("limits", (50.0,), (150.0,))
    np.testing.assert_array_equal(seen.stretch(image), [[0.0, 0.5, 1.0]])
    np.testing.assert_array_equal(seen.stretch(image), seen.apply(image)[..., 0])


def test_nan_is_seen_as_the_low_value_and_infinities_as_the_ends():
    seen = Normalization("limits", (10.0,), (20.0,)).apply(np.array([[np.nan, np.inf, -np.inf]]))
    assert seen[0, :, 0].tolist() == [0, 1, 0]


def test_large_numbers_keep_their_differences():
    seen = Normalization("limits", (2.0**40,), (2.0**40 + 4,)).apply(np.array([[2**40 + 1, 2**40 + 2]]))
    assert seen[0, :, 0].tolist() == [0.25, 0.5]


def test_the_image_is_not_changed(color):
    image = color[0].astype(np.float32)
    before = image.copy()
    Normalization("limits", (0.0,), (5.0,)).apply(image)
    np.testing.assert_array_equal(image, before)


FLOATS = st.floats(allow_nan=False, allow_infinity=False)


@given(
    hnp.arrays(st.sampled_from([np.uint8, np.int16, np.int64, np.float16, np.float32, np.float64, np.bool_]), (3, 4)),
    st.tuples(FLOATS, FLOATS).map(sorted),
)
def test_whatever_the_image_and_the_range_the_result_is_between_0_and_1(image, limits):
    seen = Normalization("limits", (limits[0],), (limits[1],)).apply(image)
    assert seen.shape == (3, 4, 3)
    assert seen.dtype == np.float32
    assert ((seen >= 0) & (seen <= 1)).all()


@given(hnp.arrays(st.sampled_from([np.uint8, np.int64, np.float16, np.float32, np.float64]), (2, 3, 5)))
def test_whatever_the_movie_a_range_is_found_or_the_error_says_why(values):
    if np.isfinite(values).any():
        result = decided(values)
        assert result.low <= result.high
    else:
        with pytest.raises(MovieError, match=r"NaN"):
            decided(values)


@pytest.mark.parametrize("shape", [(4,), (4, 4, 2), (4, 4, 4), (1, 4, 4, 3)])
def test_what_is_no_image_cannot_be_normalized(shape):
    with pytest.raises(MovieError, match=r"cannot be normalized: expected \(Y, X\) or \(Y, X, 3\)"):
        Normalization("limits", (0.0,), (1.0,)).apply(np.zeros(shape))


def test_three_ranges_need_three_channels():
    with pytest.raises(MovieError, match=r"gray image \(4, 4\) cannot be normalized by three ranges"):
        Normalization("limits", (0.0,) * 3, (1.0,) * 3).apply(np.zeros((4, 4)))


def test_it_survives_a_file(gray):
    result = decided(gray.astype(np.float32) / 3)
    assert Normalization.from_dict(json.loads(json.dumps(result.to_dict()))) == result


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (None, "normalization is None: expected a mapping"),
        ({"kind": "none", "low": [0]}, "expected a mapping with kind, low and high"),
        ({"kind": "none", "low": [0], "high": [1], "more": 1}, "expected a mapping with kind, low and high"),
        ({"kind": "magic", "low": [0], "high": [1]}, "kind 'magic' is unknown"),
        ({"kind": [], "low": [0], "high": [1]}, "is unknown"),
        ({"kind": "none", "low": 0, "high": [1]}, "values 0: expected a list of numbers"),
        ({"kind": "none", "low": ["0"], "high": [1]}, "expected a list of numbers"),
        ({"kind": "none", "low": [True], "high": [1]}, "expected a list of numbers"),
        ({"kind": "none", "low": [10**400], "high": [1]}, "too large"),
        ({"kind": "none", "low": [float("nan")], "high": [1]}, "expected finite numbers"),
        ({"kind": "none", "low": [2], "high": [1]}, "from 2.0 to 1.0 is no range"),
        ({"kind": "none", "low": [0, 0], "high": [1, 1]}, "expected 1 or 3 of each"),
        ({"kind": "none", "low": [0], "high": [1, 1, 1]}, "expected 1 or 3 of each"),
    ],
)
def test_anything_else_in_a_file_is_an_error(data, message):
    with pytest.raises(AnnotationFileError, match=message):
        Normalization.from_dict(data)


@pytest.mark.parametrize("damaged", [{0}, {15}, {0, 5, 10, 15}, set(range(15)), set(range(1, 16))])
def test_in_place_of_damaged_frames_others_are_sampled(damaged):
    movie = np.random.default_rng(0).integers(0, 1000, (16, 8, 9)).astype(np.uint16)
    found = decide_normalization(DamagedMovie(movie, damaged), sample_frames=4)
    assert found.kind == "percentile"
    good = movie[[frame for frame in range(16) if frame not in damaged]]
    assert good.min() <= found.low[0] < found.high[0] <= good.max()


def test_a_movie_without_a_readable_frame_is_an_error_that_says_why():
    movie = DamagedMovie(np.zeros((4, 8, 9), np.uint16), range(4))
    with pytest.raises(MovieError, match="no frame of movie 'holes' can be read: frame 0 of 'holes' is damaged"):
        decide_normalization(movie)
