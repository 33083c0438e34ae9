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


def held_click(user, predictor):
    """Click, and hold the model before it answers."""
    held = Held(predictor)
    user.controller.use_model(lambda: held)
    user.click(tiny.CLICK, wait=False)
    user.host.turn(held.is_asked.is_set)
    return held


@pytest.mark.parametrize("what", ["model", "channel"])
def test_what_is_chosen_while_a_click_is_answered_answers_it(user, predictor, what):
    held = held_click(user, predictor)
    other = np.ascontiguousarray(tiny.make_movie()[:, ::-1])
    if what == "model":
        user.controller.use_model(lambda: predictor)
    else:
        user.controller.use_movie(open_movie(other))
    held.may_go.set()
    user.wait()
    shown = user.controller.tracker.session
    assert list(shown.objects) == [1], "the new one was asked"
    assert user.document.mask_at(1, 0) == shown.masklets[1].mask_at(0)
    assert user.controller.prompts.candidates is not None
    user.controller.undo()
    assert not user.document.objects, "the click and its answer are one step"


def test_a_click_that_was_undone_is_not_asked_of_another_model(user, predictor):
    held = held_click(user, predictor)
    user.controller.undo()
    asked = []
    user.controller.use_model(lambda: asked.append(True) or predictor)
    held.may_go.set()
    user.wait()
    assert asked == []
    assert not user.document.objects


def test_a_click_that_waits_when_its_movie_is_closed_is_forgotten(user, predictor, caplog):
    held = held_click(user, predictor)
    user.click((20, 21), frame=3, wait=False)
    user.controller.close_document()
    held.may_go.set()
    user.wait()
    assert user.problems == []
    assert caplog.records == []
