from __future__ import annotations

import numpy as np
import pytest

from src_model.evaluation.tracker import SessionTracker
from src_model.masks import MaskletFrame, Rle
from src_model.tracking import Prompt
from tests.tracking import tiny

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
