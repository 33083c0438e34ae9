"""Protocols that say all beforehand."""

from __future__ import annotations

import pytest

from src_model.errors import EvaluationError
from src_model.evaluation.protocols import PROTOCOL_NAMES, EveryFrame, make_protocols
from tests.evaluation.fakes import Forgetful, target, truth_of


def prompts_of(name: str, *, clicks: int = 1):
    [protocol] = make_protocols([name])
    tracker = Forgetful(memory=20, clicks=clicks)
    attempts = protocol.run(tracker, [target(first=2)])
    return tracker.prompts, attempts[1]


def test_the_first_mask_is_given_and_no_click_counted():
    [(frame, object_id, prompt)], [attempt] = prompts_of("mask")
    assert (frame, object_id, prompt.mask) == (2, 1, truth_of(2))
    assert attempt.clicks is None


def test_a_box_is_the_tight_one_and_counts_as_two_clicks():
    [(_, _, prompt)], [attempt] = prompts_of("box")
    assert prompt.box == (5, 6, 13, 14)
    assert attempt.clicks == 2


@pytest.mark.parametrize(("name", "given"), [("click", 1), ("3clicks", 3), ("5clicks", 5)])
def test_clicks_are_given_until_they_are_used_up(name, given):
    prompts, [attempt] = prompts_of(name, clicks=9)
    assert len(prompts) == attempt.clicks == given
    assert {frame for frame, _, _ in prompts} == {2}


def test_no_click_is_wasted_on_a_right_mask():
    _, [attempt] = prompts_of("5clicks", clicks=2)
    assert attempt.clicks == 2


def test_every_labelled_frame_from_the_first_on_is_kept():
    _, [attempt] = prompts_of("click")
    assert {frame: entry.mask for frame, entry in attempt.masks.items()} == {t: truth_of(t) for t in range(2, 10)}
    assert (attempt.prompted, attempt.examinations) == ((2,), 0)


def test_objects_of_different_beginnings_are_followed_in_one_pass():
    tracker = Forgetful(memory=20)
    [protocol] = make_protocols(["click"])
    attempts = protocol.run(tracker, [target(object_id=4, first=3), target(object_id=9, first=1, length=7)])
    assert tracker.passes == [(range(1, 10), (4, 9))]
    assert list(attempts[4][0].masks) == list(range(3, 10))
    assert list(attempts[9][0].masks) == list(range(1, 7))


def test_only_a_given_mask_earns_nothing():
    assert [p.name for p in make_protocols(PROTOCOL_NAMES) if p.gives_first_mask] == ["mask"]


def test_protocols_come_in_the_order_asked_for_and_once():
    assert [p.name for p in make_protocols(["online", "mask", "online"])] == ["online", "mask"]


def test_an_unknown_protocol_is_refused_with_those_there_are():
    with pytest.raises(EvaluationError, match=r"'2clicks' is unknown; choose from mask, box, click"):
        make_protocols(["mask", "2clicks"])
    with pytest.raises(EvaluationError, match="no protocol"):
        make_protocols([])


def test_a_box_is_drawn_wherever_the_object_is():
    tracker = Forgetful(memory=0)
    [attempt] = EveryFrame().run(tracker, [target(length=5, absent=[2])])[1]
    assert [frame for frame, _, _ in tracker.prompts] == [0, 1, 3, 4]
    assert (attempt.prompted, attempt.clicks) == ((0, 1, 3, 4), 8)
    assert attempt.masks[3].mask == truth_of(3)


def test_where_it_is_absent_nothing_is_drawn_and_nothing_found():
    [attempt] = EveryFrame().run(Forgetful(memory=0), [target(length=5, absent=[2])])[1]
    assert attempt.masks[2].mask.is_empty
    assert attempt.masks[2].object_score == 0
