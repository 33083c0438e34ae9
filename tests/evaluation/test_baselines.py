from __future__ import annotations

import numpy as np
import pytest

from src_model.evaluation.baselines import CopyFirstMask, PreviousBox, PreviousMask
from src_model.evaluation.boxes import tight_box
from src_model.frames import decide_normalization, open_movie
from src_model.masks import Rle
from src_model.tracking import ImagePredictor, Prompt
from tests.tracking import tiny


@pytest.fixture(scope="module")
def predictor():
    return tiny.predictor(tiny.build())


@pytest.fixture(scope="module")
def movie():
    return open_movie(tiny.make_movie(5))


@pytest.fixture
def mask() -> Rle:
    pixels = np.zeros(tiny.SHAPE, bool)
    pixels[14:27, 9:22] = True
    return Rle.encode(pixels)


def follow(tracker, frames: range = range(4), objects: tuple[int, ...] = (1,)):
    return {frame: dict(entries) for frame, entries in tracker.propagate(frames, objects)}


def test_a_copied_mask_stays_where_it_is(predictor, movie, mask):
    tracker = CopyFirstMask(predictor, movie)
    assert tracker.prompt(1, 1, Prompt(mask=mask)).mask == mask
    found = follow(tracker)
    assert {frame: set(entries) for frame, entries in found.items()} == {0: set(), 1: {1}, 2: {1}, 3: {1}}
    assert {entry.mask for entries in found.values() for entry in entries.values()} == {mask}


def test_prompting_with_the_last_box_is_the_image_model_on_each_frame(predictor, movie, mask):
    tracker = PreviousBox(predictor, movie)
    tracker.prompt(0, 1, Prompt(mask=mask))
    found = follow(tracker)
    images = ImagePredictor(predictor)
    box = tight_box(mask)
    for frame in (1, 2, 3):
        images.set_image(movie.read(frame), decide_normalization(movie))
        expected = images.predict(box=box, multimask=False).rles[0]
        assert found[frame][1].mask == expected
        box = tight_box(expected) if not expected.is_empty else box


def test_the_last_mask_itself_makes_a_difference(predictor, movie, mask):
    results = []
    for kind in (PreviousBox, PreviousMask):
        tracker = kind(predictor, movie)
        tracker.prompt(0, 1, Prompt(mask=mask))
        results.append(follow(tracker)[1][1].mask)
    assert results[0] != results[1]


def test_clicks_on_a_frame_add_up_and_a_click_is_a_choice_of_three(predictor, movie):
    tracker = CopyFirstMask(predictor, movie)
    first = tracker.prompt(0, 1, Prompt(points=(tiny.CLICK,), labels=(1,)))
    images = ImagePredictor(predictor)
    images.set_image(movie.read(0), decide_normalization(movie))
    three = images.predict(points=[tiny.CLICK])
    assert first.mask == three.rles[three.best]
    second = tracker.prompt(0, 1, Prompt(points=((30.0, 40.0),), labels=(0,)))
    assert second.mask != first.mask


def test_a_correction_on_the_way_is_what_later_frames_copy(predictor, movie, mask):
    tracker = CopyFirstMask(predictor, movie)
    tracker.prompt(0, 1, Prompt(mask=mask))
    other = Rle.encode(~mask.decode())
    seen = {}
    for frame, entries in tracker.propagate(range(4), [1]):
        seen[frame] = entries[1].mask
        if frame == 1:
            tracker.prompt(1, 1, Prompt(mask=other))
    assert [seen[frame] == mask for frame in range(4)] == [True, True, False, False]
    assert [follow(tracker)[frame][1].mask == other for frame in range(4)] == [False, True, True, True]


def test_after_an_empty_mask_the_last_one_that_was_not_empty_is_followed(predictor, movie, mask):
    tracker = CopyFirstMask(predictor, movie)
    tracker.prompt(0, 1, Prompt(mask=mask))
    tracker.prompt(2, 1, Prompt(mask=Rle.empty(mask.shape)))
    assert [follow(tracker)[frame][1].mask.is_empty for frame in range(4)] == [False, False, True, False]


def test_the_box_of_an_empty_mask_is_the_whole_image():
    assert tight_box(Rle.empty((4, 6))) == (0, 0, 4, 6)
