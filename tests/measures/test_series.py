"""Area, speed, intensity and score through time: of masks whose measures are known, in the movie's units, read once."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from src_model.document import AddObject, AnnotatedObject, Annotation, DeleteObject, MovieIdentity
from src_model.errors import MovieError
from src_model.frames import LiveSource, open_movie
from src_model.masks import MaskletFrame, Rle
from src_model.measures import MeasureUnits, SeriesMeter, mean_intensity, steps
from tests.tracking.damage import DamagedMovie

SHAPE, LENGTH = (24, 32), 8
NOWHERE = Rle.empty(SHAPE)


def square(y, x, side=4):
    return Rle.from_box((y, x, y + side, x + side), SHAPE)


def document(*tracks, scale=(1.0, 1.0, 1.0), units=("", "", "")):
    annotation = Annotation(MovieIdentity("squares", (LENGTH, *SHAPE), "uint8", scale=scale, units=units))
    for number, masks in enumerate(tracks, 1):
        annotation.do(AddObject(AnnotatedObject(number)))
        track(annotation, number, masks)
    return annotation


def track(annotation, number, masks, score=0.8):
    with annotation.propagation() as run:
        for frame, mask in masks.items():
            run.add(frame, {number: MaskletFrame(mask, score, 0.0 if mask.is_empty else 0.5)})


def moving(frames=range(LENGTH)):
    """Three pixels down and four to the right a frame make five."""
    return {frame: square(3 * frame, 4 * frame) if frame < 5 else square(12, 16) for frame in frames}


def brighter():
    """Frame t of this movie is t times ten everywhere."""
    return np.arange(LENGTH, dtype=np.uint8)[:, None, None] * np.full(SHAPE, 10, np.uint8)


class Counted:
    """A movie that knows which frames were read."""

    def __init__(self, values):
        self.frames, self.movie = [], open_movie(values)
        self.shape, self.dtype, self.name = self.movie.shape, self.movie.dtype, "counted"

    def __len__(self):
        return len(self.movie)

    def read(self, frame):
        self.frames.append(frame)
        return self.movie.read(frame)


def measured(annotation, objects=(1,), source=None, meter=None, **options):
    return (meter or SeriesMeter()).update(annotation.snapshot(), objects, source, **options)


def test_an_object_has_area_speed_intensity_and_score_on_each_of_its_frames():
    (series,) = measured(document(moving(range(1, 5))), source=open_movie(brighter())).series
    assert (series.object_id, series.frames.tolist()) == (1, [1, 2, 3, 4])
    assert series.area.tolist() == [16] * 4
    assert np.allclose(series.speed, [np.nan, 5, 5, 5], equal_nan=True)
    assert series.intensity.tolist() == [10, 20, 30, 40]
    assert np.allclose(series.score, 0.4)


def test_where_it_is_not_in_view_nothing_is_known_and_the_way_over_a_gap_is_no_speed():
    away = {**moving(range(2)), 2: NOWHERE, **moving(range(4, 7))}
    (series,) = measured(document(away), source=open_movie(brighter())).series
    assert series.frames.tolist() == [0, 1, 2, 3, 4, 5, 6]
    for values in (series.area, series.intensity, series.score):
        assert np.isnan(values).tolist() == [False, False, True, True, False, False, False]
    assert np.flatnonzero(np.isfinite(series.speed)).tolist() == [1, 5, 6]
    assert (series.row(1), series.row(2), series.row(7)) == (1, None, None)


def test_sizes_and_speeds_are_in_the_units_of_the_movie():
    annotation = document(moving(), scale=(30.0, 0.5, 0.5), units=("second", "micrometer", "micrometer"))
    found = measured(annotation)
    assert (found.units.area, found.units.speed) == ("µm²", "µm/s")
    assert found.series[0].area[0] == pytest.approx(16 * 0.25)
    assert found.series[0].speed[1] == pytest.approx(5 * 0.5 / 30)


@pytest.mark.parametrize(
    ("units", "named"),
    [
        (("", "um", "um"), ("µm²", "µm/frame")),
        (("min", "pixel", "pixel"), ("px", "px/min")),
        (("frame", "um", "nm"), ("px", "px/frame")),
    ],
)
def test_a_unit_that_is_not_known_is_not_made_up(units, named):
    found = MeasureUnits.of(MovieIdentity("x", (LENGTH, *SHAPE), "uint8", scale=(2.0, 0.5, 0.5), units=units))
    assert (found.area, found.speed) == named


def test_objects_come_in_the_order_that_is_asked_for_without_those_that_are_nowhere():
    annotation = document(moving(), {0: NOWHERE}, moving())
    assert [each.object_id for each in measured(annotation, (3, 9, 2, 1, 3)).series] == [3, 1]


def test_each_frame_is_read_once_for_all_objects_and_again_only_where_masks_change():
    annotation, source, meter = document(moving(), moving(range(4))), Counted(brighter()), SeriesMeter()
    measured(annotation, (1, 2), source, meter)
    assert source.frames == list(range(LENGTH))
    source.frames.clear()
    track(annotation, 1, {3: square(0, 0, 6)})
    (first, _) = measured(annotation, (1, 2), source, meter).series
    assert source.frames == [3]
    assert (first.area[3], first.intensity[3]) == (36, 30)
    annotation.undo()
    assert measured(annotation, (1, 2), source, meter).series[0].area[3] == 16


def test_it_stops_when_it_is_enough_and_goes_on_the_next_time():
    annotation, source, meter = document(moving()), Counted(brighter()), SeriesMeter()
    found = measured(annotation, source=source, meter=meter, is_enough=lambda: len(source.frames) >= 3)
    assert (found.done, found.total, found.is_complete) == (3, LENGTH, False)
    assert np.isfinite(found.series[0].intensity).sum() == 3
    found = measured(annotation, source=source, meter=meter)
    assert found.is_complete
    assert source.frames == list(range(LENGTH))


def test_another_channel_is_measured_anew_and_without_a_movie_all_but_intensities_is_known():
    annotation, meter = document(moving()), SeriesMeter()
    measured(annotation, source=open_movie(brighter()), meter=meter)
    assert measured(annotation, source=open_movie(brighter() + 1), meter=meter).series[0].intensity[2] == 21
    found = measured(annotation, meter=meter)
    assert found.is_complete
    assert np.isnan(found.series[0].intensity).all()
    assert found.series[0].area[0] == 16


def test_a_frame_that_is_damaged_or_gone_has_no_intensity():
    (series,) = measured(document(moving()), source=DamagedMovie(brighter(), {2})).series
    assert np.flatnonzero(np.isnan(series.intensity)).tolist() == [2]
    live = LiveSource(keep=5)
    for frame in brighter():
        live.append(frame)
    found = measured(document(moving()), source=live)
    assert found.is_complete
    assert np.flatnonzero(np.isfinite(found.series[0].intensity)).tolist() == [3, 4, 5, 6, 7]


def test_a_movie_that_cannot_be_read_any_more_is_told():
    class Gone(Counted):
        def read(self, frame):
            raise MovieError("the file is gone")

    with pytest.raises(MovieError, match="gone"):
        measured(document(moving()), source=Gone(brighter()))


def test_an_object_that_was_deleted_is_left_out():
    annotation, meter = document(moving(), moving()), SeriesMeter()
    measured(annotation, (1, 2), meter=meter)
    annotation.do(DeleteObject(1))
    assert [each.object_id for each in measured(annotation, (1, 2), meter=meter).series] == [2]


def test_colors_are_averaged():
    colors = np.stack([brighter(), brighter() * 0, brighter() * 2], axis=-1)
    (series,) = measured(document(moving()), source=open_movie(colors)).series
    assert series.intensity[3] == pytest.approx(30)


@given(st.integers(0, 20), st.integers(0, 28), st.integers(1, 4), st.integers(0, 2**32 - 1))
def test_the_mean_inside_a_mask_is_that_of_its_pixels(y, x, side, seed):
    image = np.random.default_rng(seed).integers(0, 2**16, SHAPE, np.uint16)
    mask = square(y, x, side)
    assert mean_intensity(image, mask) == pytest.approx(image[mask.decode()].mean())


def test_an_empty_mask_has_no_mean():
    assert np.isnan(mean_intensity(np.zeros((*SHAPE, 3)), NOWHERE)).tolist() == [True] * 3


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(-50, 50), st.integers(-50, 50)), max_size=20))
def test_steps_add_up_to_no_less_than_the_way_there(rows):
    ways = {frame: (y, x) for frame, y, x in rows}
    frames = np.array(sorted(ways), np.int64)
    places = np.array([ways[frame] for frame in frames.tolist()], float).reshape(-1, 2)
    found = steps(frames, places)
    assert np.isfinite(found).sum() == sum(frame - 1 in ways for frame in ways)
    if len(frames) and (np.diff(frames) == 1).all():
        assert np.nansum(found) >= np.linalg.norm(places[-1] - places[0]) - 1e-9
