"""The tracker and what it is compared with."""

from __future__ import annotations

import numpy as np
import pytest

from src_model.evaluation.annotator import tight_box
from src_model.evaluation.methods import CopyFirstMask, PreviousBox, PreviousMask, SessionTracker
from src_model.frames import decide_normalization, open_movie
from src_model.masks import MaskletFrame, Rle
from src_model.prompts import Prompt
from src_model.tracking import ImagePredictor
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


CLICK = Prompt(points=(tiny.CLICK,), labels=(1,))


@pytest.fixture(scope="module")
def network():
    return tiny.build()


@pytest.fixture
def session(network):
    return tiny.predictor(network).start(tiny.make_movie(4))


def test_prompts_are_answered_as_the_session_does(session, network):
    answer = SessionTracker(session).prompt(1, 5, CLICK)
    expected = tiny.predictor(network).start(tiny.make_movie(4)).prompt(1, 5, points=[tiny.CLICK])
    assert answer == MaskletFrame(expected.rle, expected.score, expected.object_score)


def test_boxes_and_masks_reach_the_session(session):
    tracker = SessionTracker(session)
    mask = np.zeros(tiny.SHAPE, bool)
    mask[5:20, 5:20] = True
    assert tracker.prompt(0, 1, Prompt(mask=Rle.encode(mask))).mask == Rle.encode(mask)
    tracker.prompt(0, 2, Prompt(box=(5.0, 30.0, 18.0, 48.0)))
    assert session.objects[2].prompts[0].box == (5, 30, 18, 48)


def test_objects_are_followed_from_their_own_first_frame_on(session):
    tracker = SessionTracker(session)
    tracker.prompt(0, 1, CLICK)
    tracker.prompt(2, 2, CLICK)
    followed = {frame: set(entries) for frame, entries in tracker.propagate(range(4), [1, 2])}
    assert followed == {0: {1}, 1: {1}, 2: {1, 2}, 3: {1, 2}}


def test_a_correction_on_the_way_changes_what_follows(session, network):
    plain = SessionTracker(tiny.predictor(network).start(tiny.make_movie(4)))
    plain.prompt(0, 1, CLICK)
    before = {frame: entries[1] for frame, entries in plain.propagate(range(4), [1])}
    tracker = SessionTracker(session)
    tracker.prompt(0, 1, CLICK)
    after = {}
    for frame, entries in tracker.propagate(range(4), [1]):
        after[frame] = entries[1]
        if frame == 1:
            tracker.prompt(1, 1, Prompt(points=((30.0, 40.0),), labels=(1,)))
    assert before[1] == after[1]
    assert before[2] != after[2]
