"""Tracks: what is kept of an object between two requests."""

from __future__ import annotations

import pytest

from cvat_serverless.shapes import Shape
from cvat_serverless.stored_track import Sighting
from src_model.tracking import PRESETS
from tests.cvat_serverless.some_tracks import entry, track

SETTINGS = PRESETS["default"]
SHAPE = Shape("rectangle", (0.0, 0.0, 4.0, 4.0))


def sighting(step: int) -> Sighting:
    return Sighting(f"image {step}", SHAPE.box, SHAPE.fingerprint)


def grown(steps: int, corrected: tuple[int, ...] = ()):
    """A track that was followed for some frames as the tracker does it."""
    kept = track()
    for step in range(1, steps + 1):
        item = kept.restored(1, 1000, SETTINGS, last=step - 1)
        (item.bank.condition if step in corrected else item.bank.remember)(1000, entry(step))
        kept = kept.continued(item, 1000, SHAPE, sighting(step), last=step - 1)
    return kept


def test_a_track_counts_its_frames_from_the_one_it_was_drawn_on():
    kept = grown(3)
    assert kept.step == 3
    assert sorted(kept.memory.conditioning) == [0]
    assert sorted(kept.memory.recent) == [1, 2, 3]
    assert kept.memory.recent[2].pointer[0, 0] == 2


def test_its_frames_lie_before_the_frame_of_the_request_wherever_that_is():
    item = grown(3).restored(1, 50, SETTINGS, last=3)
    assert sorted(item.bank.recent) == [47, 48, 49]
    assert sorted(item.bank.conditioning) == [46]


def test_going_back_forgets_what_came_later():
    item = grown(5).restored(1, 50, SETTINGS, last=2)
    assert sorted(item.bank.recent) == [48, 49]
    assert item.bank.recent[49].pointer[0, 0] == 2


def test_going_on_from_a_track_leaves_it_as_it_was():
    kept = grown(3)
    item = kept.restored(1, 50, SETTINGS, last=3)
    item.bank.remember(50, entry(9))
    after = kept.continued(item, 50, SHAPE, sighting(4), last=3)
    assert (kept.step, after.step) == (3, 4)
    assert 4 not in kept.memory.recent


def test_what_is_kept_does_not_grow_with_the_number_of_frames():
    small, large = grown(40), grown(400)
    assert small.memory.recent.keys() == {step - 360 for step in large.memory.recent}
    assert large.nbytes < small.nbytes + 256 * 256
    assert len(large.sightings) == 256


def test_the_first_prompt_and_the_last_corrections_are_kept():
    assert sorted(grown(30, corrected=tuple(range(2, 28, 2))).memory.conditioning) == [0, 18, 20, 22, 24, 26]


def test_old_frames_keep_their_pointer_alone():
    recent = grown(40).memory.recent
    assert {step for step, held in recent.items() if held.memory is None} == set(range(26, 31))


def test_going_far_back_leaves_a_track_that_can_be_gone_on_from():
    item = grown(40).restored(1, 100, SETTINGS, last=32)
    item.bank.remember(100, entry(33))
    kept = grown(40).continued(item, 100, SHAPE, sighting(33), last=32)
    assert {step for step, held in kept.memory.recent.items() if held.memory is not None} == {31, 32, 33}
    assert sorted(kept.memory.recent) == list(range(26, 34))


def test_it_knows_what_was_said_on_its_last_frames():
    kept = grown(300)
    assert kept.sighting(300) == sighting(300)
    assert kept.sighting(45) == sighting(45)
    assert kept.sighting(44) is None
    assert kept.sighting(301) is None


def test_it_knows_where_it_was_in_an_image_the_latest_step_first():
    kept = grown(3)
    item = kept.restored(1, 50, SETTINGS, last=3)
    item.bank.remember(50, entry(9))
    twice = kept.continued(item, 50, SHAPE, sighting(2), last=3)
    assert [seen.step for seen in twice.positions_in("image 2")] == [4, 2]


@pytest.mark.parametrize("numbers", [100, 1000])
def test_its_bytes_are_those_of_its_tensors(numbers):
    held = 4 * numbers + 4 * 8 + 4 + 512
    assert track(step=1, numbers=numbers).nbytes == 2 * held + 2 * 256 + 4 * 40
