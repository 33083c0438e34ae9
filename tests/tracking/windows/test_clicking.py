from __future__ import annotations

from dataclasses import replace

import pytest

from src_model.masks import TypicalSize
from src_model.memory.reading import MemoryReader
from src_model.prompts import make_prompt
from src_model.tracking.windows.clicking import ClickSearch, _Candidate
from src_model.tracking.windows.rules import window_rules
from tests.tracking.windows import scenes


def search_in(session) -> ClickSearch:
    rules = window_rules("auto", scenes.FIELD, 64, 16, scenes.SIZES)
    return ClickSearch(rules, MemoryReader(session.steps, session._features, 16), session._features)


def click(*points, labels=None):
    return make_prompt(scenes.FIELD, points=list(points), labels=labels)


@pytest.fixture
def search():
    return search_in(scenes.predictor().start(scenes.field([(60, 80)])))


def test_the_frame_is_halved_until_the_window_is_small(search):
    sides = [window.shape for window in search.windows(click((160, 200)))]
    assert sides == [(200, 200), (100, 100)]


def test_windows_that_do_not_hold_every_click_are_left_out(search):
    windows = search.windows(click((160, 200), (160, 290), labels=[1, 0]))
    assert [window.shape for window in windows] == [(200, 200)]


def test_windows_lie_around_the_clicks_inside_the_object(search):
    window = search.windows(click((160, 200), (160, 240), labels=[1, 0]))[-1]
    assert (sum(window.box[::2]) / 2, sum(window.box[1::2]) / 2) == (160, 200)


def test_a_small_object_is_found_where_it_is_seen_well(search):
    extent = search.extent(0, click((60, 80)))
    y0, x0, y1, x1 = extent.box
    assert (y0 + y1) / 2 == pytest.approx(60, abs=8)
    assert (x0 + x1) / 2 == pytest.approx(80, abs=8)
    assert scenes.CELL <= extent.side <= 3 * scenes.CELL


def test_a_large_object_is_measured_on_the_whole_frame():
    session = scenes.predictor().start(scenes.field([(160, 200)], side=180))
    extent = search_in(session).extent(0, click((160, 200)))
    assert extent.side == pytest.approx(180, rel=0.2)


def test_where_nothing_is_seen_no_extent_is_found():
    search = search_in(scenes.predictor().start(scenes.field([None, (60, 80)])))
    assert search.extent(0, click((60, 80))) is None


@pytest.mark.parametrize(
    ("input_size", "side", "score", "batches"),
    [(64, 180, 0.95, 0), (64, 180, 0.6, 1), (448, 180, 0.6, 0), (448, 20, 0.95, 1)],
    ids=["a clear object", "a doubtful one", "one in a frame with all its details", "a small one in such a frame"],
)
def test_windows_are_searched_only_where_they_may_know_better(monkeypatch, input_size, side, score, batches):
    search = search_in(scenes.predictor().start(scenes.field([(160, 200)], side=side)))
    search = replace(search, rules=replace(search.rules, image_size=input_size, sizes=(64, 448)))
    prepared = []
    monkeypatch.setattr(search.features, "prepare", lambda frame, windows: prepared.append(windows))
    monkeypatch.setattr(ClickSearch, "_predict", lambda *_: _Candidate(score, scenes.box_of((160, 200), side), 0.5))
    assert search.extent(0, click((160, 200))).side == side
    assert len(prepared) == batches


@pytest.mark.parametrize(("typical", "side"), [(None, 180), (TypicalSize(400), 20)])
def test_a_known_size_lets_a_finer_look_decide_sooner(monkeypatch, search, typical, side):
    coarse, fine = (_Candidate(score, scenes.box_of((60, 80), side), 0.5) for score, side in ((0.7, 180), (0.77, 20)))
    monkeypatch.setattr(ClickSearch, "_predict", lambda *asked: coarse if asked[-1] is None else fine)
    assert replace(search, typical=typical).extent(0, click((60, 80))).side == side


def test_a_look_counts_by_the_size_of_what_it_shows(search):
    alike, unlike = (replace(search, typical=TypicalSize(area)) for area in (scenes.CELL**2, 300**2))
    window = search.windows(click((60, 80)))[-1]
    scores = [each._predict(0, click((60, 80)), window).score for each in (search, alike, unlike)]
    assert scores[0] >= scores[1] > scores[2]
