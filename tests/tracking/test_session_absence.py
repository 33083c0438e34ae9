"""A frame of which somebody said that the object is not there: it holds for that frame alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from src_model.errors import NoPromptError
from src_model.tracking import PRESETS
from tests.tracking import tiny

NOTHING = np.zeros(tiny.SHAPE, bool)


def test_a_frame_said_to_be_without_the_object_changes_no_other(predictor, movie, tracked):
    alone = predictor.start(movie)
    alone.prompt(0, 1, points=[tiny.CLICK])
    tiny.finish(alone.propagate(stop=5))
    tracked.prompt(5, 1, mask=NOTHING)
    tiny.finish(tracked.propagate(1))
    masks = tiny.masks_of(tracked)
    assert [frame for frame, mask in masks.items() if mask.is_empty] == [5]
    assert {frame: masks[frame] for frame in range(5)} == tiny.masks_of(alone)


def test_frames_behind_it_are_tracked_as_if_it_had_not_been_seen(tracked):
    tracked.prompt(5, 1, mask=NOTHING)
    tracked.lock(5, 1)
    tiny.finish(tracked.propagate(6))
    locked = tiny.masks_of(tracked)
    tracked.clear_prompt(5, 1)
    tiny.finish(tracked.propagate(6))
    assert tiny.masks_of(tracked) == {frame: mask for frame, mask in locked.items() if frame != 5}


def test_there_is_nothing_to_repair_from(tracked):
    before = tiny.masks_of(tracked) | {5: None}
    tracked.prompt(5, 1, mask=NOTHING)
    with pytest.raises(NoPromptError, match=r"not on frame 5.*stay as they are"):
        tracked.repair(5, 1)
    assert tiny.masks_of(tracked) | {5: None} == before


def test_an_object_of_which_nothing_else_is_known_is_tracked_from_its_absence(session, network, movie):
    remembering = tiny.predictor(network, settings=replace(PRESETS["default"], absence_is_local=False)).start(movie)
    for each in (session, remembering):
        each.prompt(0, 1, mask=NOTHING)
        tiny.finish(each.propagate())
    assert tiny.masks_of(session) == tiny.masks_of(remembering)


def test_the_official_preset_remembers_it_as_the_reference_does(official, movie):
    session = official.start(movie)
    session.prompt(0, 1, points=[tiny.CLICK])
    session.prompt(3, 1, mask=NOTHING)
    tiny.finish(session.propagate())
    alone = official.start(movie)
    alone.prompt(0, 1, points=[tiny.CLICK])
    tiny.finish(alone.propagate())
    assert tiny.masks_of(session)[6] != tiny.masks_of(alone)[6]
