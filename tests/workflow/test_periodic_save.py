"""A document is saved now and then while it is tracked."""

from __future__ import annotations

import pytest

from src_model.errors import AnnotationFileError
from src_model.workflow import PeriodicSave


class Clock:
    """A clock that is set by hand."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


def test_it_is_saved_every_twenty_seconds(clock):
    saves = []
    saving = PeriodicSave(lambda: saves.append(clock.now), pytest.fail, clock)
    for clock.now in range(1, 60):
        saving.after_frame()
    assert saves == [20, 40]


def test_saving_takes_little_of_the_time_even_if_it_is_slow(clock):
    saves = []

    def save():
        saves.append(1)
        clock.now += 30

    saving = PeriodicSave(save, pytest.fail, clock)
    for now in range(61, 3600, 10):
        clock.now = max(clock.now, now)
        saving.after_frame()
    assert 0 < len(saves) * 30 < 0.06 * 3600


def test_tracking_goes_on_if_saving_fails_and_that_is_told_once(clock):
    told = []

    def save():
        raise AnnotationFileError("disk full")

    saving = PeriodicSave(save, told.append, clock)
    for clock.now in (61, 200, 400):
        saving.after_frame()
    saving.now()
    assert told == ["disk full"]
