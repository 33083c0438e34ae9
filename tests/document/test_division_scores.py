"""Scores of divisions in the settings of a project."""

from __future__ import annotations

from src_model.document import Settings
from src_model.document.division_scores import ScoredDivision, division_scores, with_division_scores


def some(count):
    return [ScoredDivision(1000 + n, (2000 + n, 3000 + n), n, (n % 100) / 100) for n in range(count)]


def test_they_are_kept_beside_other_settings_and_replaced():
    settings = with_division_scores(Settings({"preset": "default"}), some(3))
    assert division_scores(settings) == tuple(some(3))
    assert settings["preset"] == "default"
    assert division_scores(with_division_scores(settings, some(1))) == tuple(some(1))
    assert with_division_scores(settings, ()) == Settings({"preset": "default"})


def test_of_equal_divisions_the_last_counts():
    first, last = ScoredDivision(1, (2, 3), 4, 0.5), ScoredDivision(1, (2, 3), 4, 1.0)
    assert division_scores(with_division_scores(Settings(), (first, last))) == (last,)


def test_many_fit_and_of_too_many_the_surest_are_left_out():
    assert len(division_scores(with_division_scores(Settings(), some(2000)))) == 2000
    kept = division_scores(with_division_scores(Settings(), some(5000)))
    assert 2000 < len(kept) < 5000
    assert max(each.score for each in kept) < 0.8


def test_what_cannot_be_read_is_left_out():
    settings = Settings({"division_scores_0": "7@3:8,9=0.5000 nonsense 7@-3:8,9=0.5 7@3:8=0.5", "division_scores_1": 4})
    assert division_scores(settings) == (ScoredDivision(7, (8, 9), 3, 0.5),)
