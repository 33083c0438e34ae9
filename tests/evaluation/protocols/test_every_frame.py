from __future__ import annotations

from src_model.evaluation.protocols import EveryFrame
from tests.evaluation.fakes import Forgetful, target, truth_of


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
