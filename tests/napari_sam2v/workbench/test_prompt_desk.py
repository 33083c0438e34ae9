"""Prompts whose answer is under way when something else is chosen."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from src_model.frames import open_movie
from tests.tracking import tiny


class Held:
    """A predictor that does not begin on a movie before it is let go."""

    def __init__(self, predictor):
        self._predictor = predictor
        self.is_asked, self.may_go = threading.Event(), threading.Event()

    def start(self, *args, **options):
        self.is_asked.set()
        assert self.may_go.wait(60)
        return self._predictor.start(*args, **options)


def held_click(seat, predictor):
    """Click, and hold the model before it answers."""
    held = Held(predictor)
    seat.workbench.use_model(lambda: held)
    seat.click(tiny.CLICK, wait=False)
    seat.host.turn(held.is_asked.is_set)
    return held


@pytest.mark.parametrize("what", ["model", "channel"])
def test_what_is_chosen_while_a_click_is_answered_answers_it(seat, predictor, what):
    held = held_click(seat, predictor)
    other = np.ascontiguousarray(tiny.make_movie()[:, ::-1])
    if what == "model":
        seat.workbench.use_model(lambda: predictor)
    else:
        seat.workbench.use_movie(open_movie(other))
    held.may_go.set()
    seat.wait()
    shown = seat.workbench.tracker.session
    assert list(shown.objects) == [1], "the new one was asked"
    assert seat.document.mask_at(1, 0) == shown.masklets[1].mask_at(0)
    assert seat.workbench.prompts.readings is not None
    seat.workbench.undo()
    assert not seat.document.objects, "the click and its answer are one step"


def test_a_click_that_was_undone_is_not_asked_of_another_model(seat, predictor):
    held = held_click(seat, predictor)
    seat.workbench.undo()
    asked = []
    seat.workbench.use_model(lambda: asked.append(True) or predictor)
    held.may_go.set()
    seat.wait()
    assert asked == []
    assert not seat.document.objects


def test_a_click_that_waits_when_its_movie_is_closed_is_forgotten(seat, predictor, caplog):
    held = held_click(seat, predictor)
    seat.click((20, 21), frame=3, wait=False)
    seat.workbench.put_away()
    held.may_go.set()
    seat.wait()
    assert seat.problems == []
    assert caplog.records == []
