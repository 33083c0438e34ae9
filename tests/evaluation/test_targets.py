from __future__ import annotations

import numpy as np
import pytest

from src_model.datasets import pair
from src_model.errors import EvaluationError
from src_model.evaluation.targets import TargetChoice, choose_targets, span_of
from tests.evaluation.fakes import square


def movie(labels: np.ndarray, parents: dict[int, int] | None = None, name: str = "made"):
    return pair(np.zeros(labels.shape, np.uint8), labels, name=name, parents=parents or {})


def labels_of(*objects: tuple[int, range], length: int = 6) -> np.ndarray:
    """Each object is a square of its own that stays where it is for some frames."""
    labels = np.zeros((length, 24, 60), np.uint8)
    for place, (number, frames) in enumerate(objects):
        labels[frames.start : frames.stop, square(12 * place)] = number
    return labels


def test_an_object_is_a_target_from_the_first_frame_it_is_in():
    [target] = choose_targets(movie(labels_of((7, range(2, 6)))), TargetChoice())
    assert (target.object_id, target.first, target.stop) == (7, 2, 6)
    assert list(target.truth) == [2, 3, 4, 5]


def test_an_object_that_leaves_is_expected_to_be_found_absent():
    [target] = choose_targets(movie(labels_of((1, range(3)))), TargetChoice())
    assert [mask.is_empty for mask in target.truth.values()] == [False, False, False, True, True, True]


def test_frames_labelled_for_other_objects_only_do_not_count(monkeypatch):
    source = movie(labels_of((1, range(3)), (2, range(6))))
    known = {1: (0, 1, 2), 2: range(6)}
    monkeypatch.setattr(type(source), "known_frames", lambda _movie, number: known[number])
    first, second = choose_targets(source, TargetChoice())
    assert (first.stop, second.stop) == (3, 6)


def test_a_mother_ends_where_she_divides():
    labels = labels_of((1, range(3)), (2, range(3, 6)), (3, range(3, 6)))
    targets = choose_targets(movie(labels, {2: 1, 3: 1}), TargetChoice())
    assert [(target.object_id, target.first, target.stop) for target in targets] == [(1, 0, 3), (2, 3, 6), (3, 3, 6)]
    assert span_of(targets) == range(6)


def test_slivers_and_objects_of_a_single_frame_are_left_out():
    labels = labels_of((1, range(6)), (2, range(5, 6)))
    labels[:, 20:22, 50:53] = 3
    assert [target.object_id for target in choose_targets(movie(labels), TargetChoice())] == [1]


def test_on_a_still_one_frame_is_enough():
    [target] = choose_targets(movie(labels_of((1, range(1)), length=1)), TargetChoice())
    assert span_of([target]) == range(1)


def test_only_the_first_frames_count_if_asked():
    [target] = choose_targets(movie(labels_of((1, range(6)))), TargetChoice(frames=4))
    assert target.stop == 4


def test_some_objects_are_drawn_the_same_ones_each_time():
    labels = labels_of(*((number, range(6)) for number in (1, 2, 3, 4, 5)))
    ids = [t.object_id for t in choose_targets(movie(labels), TargetChoice(objects=2))]
    assert ids == [t.object_id for t in choose_targets(movie(labels), TargetChoice(objects=2))]
    assert len(ids) == 2
    drawn = {
        tuple(t.object_id for t in choose_targets(movie(labels), TargetChoice(objects=2, seed=n))) for n in range(9)
    }
    assert len(drawn) > 1


def test_a_movie_without_objects_is_refused_by_name():
    with pytest.raises(EvaluationError, match="'barren' has no object"):
        choose_targets(movie(labels_of(), name="barren"), TargetChoice())
