"""Sessions whose objects are also recognised by what they look like."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

from src_model.masks.window import Window
from src_model.memory import target_model
from src_model.tracking import PRESETS, network_steps
from tests.tracking import tiny

if TYPE_CHECKING:
    from src_model.tracking import StreamingPredictor


@pytest.fixture(autouse=True)
def any_score(monkeypatch):
    """The tiny network is sure of nothing, and its masks jump; let it learn from every frame and lose nothing."""
    monkeypatch.setattr(network_steps, "SOMETHING_ELSE", 0.0)
    monkeypatch.setattr(target_model, "SURE", -1.0)


@pytest.fixture
def without(predictor) -> StreamingPredictor:
    return predictor.with_settings(replace(PRESETS["default"], target_model=False))


def tracked(predictor, movie, *, frame: int = 0, reverse: bool = False, **prompt: object):
    session = predictor.start(movie)
    session.prompt(frame, 1, **(prompt or {"points": [tiny.CLICK]}))
    tiny.finish(session.propagate(reverse=reverse))
    return session


def samples_of(session) -> dict[int, target_model.TargetSamples | None]:
    bank = session.objects[1].bank
    return {frame: entry.samples for frame, entry in (bank.conditioning | bank.recent).items() if entry is not None}


def looks_alike(share: float, monkeypatch) -> None:
    """Let so much of every mask look like its object."""
    monkeypatch.setattr(target_model.Expectation, "likeness", lambda _, logits: torch.full((len(logits),), share))


def refuse(*_: object, **__: object) -> None:
    raise AssertionError("a target model was fitted")


@pytest.mark.parametrize("reverse", [False, True])
def test_what_was_shown_and_what_was_tracked_are_learned_from(predictor, without, movie, square, reverse):
    frame = len(movie) - 1 if reverse else 0
    session = tracked(predictor, movie, frame=frame, reverse=reverse, mask=square)
    held = samples_of(session)
    assert held[frame] is not None
    assert sum(samples is not None for samples in held.values()) == 7
    other = tracked(without, movie, frame=frame, reverse=reverse, mask=square)
    assert tiny.masks_of(session) != tiny.masks_of(other)


def test_switched_off_nothing_is_learned_and_nothing_added(without, official, movie, monkeypatch):
    for name in ("expect", "take_samples"):
        monkeypatch.setattr(f"src_model.tracking.network_steps.{name}", refuse)
    for predictor in (without, official):
        assert not any(samples_of(tracked(predictor, movie)).values())


def test_a_model_that_expects_nothing_changes_no_mask(predictor, without, movie, monkeypatch):
    monkeypatch.setattr(target_model, "STRENGTH", 0.0)
    assert tiny.masks_of(tracked(predictor, movie)) == tiny.masks_of(tracked(without, movie))


def test_a_tracked_mask_is_believed_as_far_as_it_looks_like_its_object(predictor, movie, square, monkeypatch):
    scores = {}
    for share in (0.8, 0.4):
        looks_alike(share, monkeypatch)
        entries = tracked(predictor, movie, mask=square).masklets[1].entries()
        scores[share] = [entry.score for frame, entry in entries.items() if frame > 0]
    assert scores[0.4] == pytest.approx([score / 2 for score in scores[0.8]])


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize(
    ("rows", "is_there"),
    [
        pytest.param(slice(0, 12), False, id="seen last at the edge"),
        pytest.param(slice(14, 26), True, id="seen last in the field"),
        pytest.param(slice(0, None), True, id="as tall as the field"),
    ],
)
def test_an_object_seen_last_at_the_edge_has_left_where_its_mask_shows_something_else(
    predictor, movie, monkeypatch, rows, is_there, reverse
):
    looks_alike(0.2, monkeypatch)
    monkeypatch.setattr(network_steps, "SOMETHING_ELSE", 0.5)
    mask = np.zeros(tiny.SHAPE, bool)
    mask[rows, 20:32] = True
    session = predictor.start(movie)
    session.prompt(5, 1, mask=mask)
    result = next(result for result in session.propagate(reverse=reverse) if result.frame != 5)
    assert (not result.rles[1].is_empty) == (result.object_scores[1] > 0.5) == is_there


def test_of_frames_that_the_network_was_not_sure_of_nothing_is_kept(predictor, movie, monkeypatch):
    monkeypatch.setattr(target_model, "SURE", 2.0)
    held = samples_of(tracked(predictor, movie))
    assert [frame for frame, samples in held.items() if samples is not None] == [0]


def test_a_correction_is_learned_from_as_the_first_prompt_is(predictor, movie, square):
    session = tracked(predictor, movie)
    session.prompt(5, 1, mask=square)
    tiny.finish(session.repair(5, 1))
    held = samples_of(session)
    first, corrected = held[0], held[5]
    assert first is not None
    assert corrected is not None
    assert corrected.features.shape == first.features.shape


def test_an_object_is_expected_as_it_would_be_alone(predictor, movie, monkeypatch):
    asked = []
    monkeypatch.setattr(
        "src_model.tracking.network_steps.expect",
        lambda features, samples: asked.append(len(samples)) or target_model.expect(features, samples),
    )
    together = predictor.start(movie)
    for object_id, point in enumerate((tiny.CLICK, tiny.OTHER_CLICK), 1):
        together.prompt(0, object_id, points=[point])
    tiny.finish(together.propagate())
    assert set(asked) == {2}


def test_a_session_that_goes_on_learns_from_the_same_frames(predictor, movie, square, tmp_path):
    session = tracked(predictor, movie, frame=3, mask=square)
    again = predictor.resume(session.save(tmp_path / "work.sam2v"), movie)
    tiny.finish(session.propagate(8))
    tiny.finish(again.propagate(8))
    before, after = samples_of(session), samples_of(again)
    assert {frame for frame, samples in before.items() if samples} == {f for f, samples in after.items() if samples}
    shown, made_again = before[3], after[3]
    assert shown is not None
    assert made_again is not None
    assert torch.allclose(shown.weights, made_again.weights)
    assert torch.allclose(shown.features.float(), made_again.features.float(), atol=0.02)


def test_a_live_stream_gives_what_the_whole_movie_gives(predictor, movie):
    settings = {"normalization": predictor.start(movie).normalization}
    whole = predictor.start(movie, **settings)
    whole.prompt(0, 1, points=[tiny.CLICK])
    tiny.finish(whole.propagate())
    live = predictor.start(**settings)
    live.push(movie[0])
    live.prompt(0, 1, points=[tiny.CLICK])
    for image in movie[1:]:
        live.push(image)
    assert tiny.masks_of(live) == tiny.masks_of(whole)


def test_windows_learn_from_windows(predictor, movie):
    windowed = predictor.with_settings(replace(PRESETS["default"], window=24, window_sizes=(64,)))
    session = windowed.start(movie)
    session.prompt(0, 1, points=[tiny.CLICK])
    tiny.finish(session.propagate())
    bank = session.objects[1].bank
    assert all(entry.samples is not None for entry in bank.entries if entry.memory is not None)
    reader, item = session._reader, session.objects[1]
    plan = reader.plan(item, len(movie), reverse=False)
    here = partial(reader.samples, item, plan)
    assert len(here(bank.recent[len(movie) - 1].window)) == len(plan.spatial)
    assert here(Window((0, 0, 10, 10), 64)) == [], "there things are of another size"


def test_what_is_learned_does_not_depend_on_the_type_of_movie(predictor, movie):
    colors = np.repeat(movie[..., None], 3, axis=3)
    session = tracked(predictor, colors)
    assert all(samples is not None for frame, samples in samples_of(session).items() if frame in (0, len(movie) - 1))
