"""What a session does with windows, seen from above."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from src_model.errors import PromptError
from src_model.masks import Masklet, Rle
from src_model.tracking import PRESETS
from src_model.tracking.object_state import ObjectState
from tests.tracking import tiny
from tests.tracking.windows import scenes

STRAIGHT = [(60 + 8 * t, 80 + 5 * t) for t in range(9)]


def started(places, **options):
    session = scenes.predictor().start(scenes.field(places), **options)
    session.prompt(0, 1, box=scenes.box_of(places[0]))
    return session


@pytest.fixture(scope="module")
def followed():
    """A session whose cell was followed to the end, and its results."""
    session = started(STRAIGHT)
    return session, list(session.propagate())


# The window ----------------------------------------------------------------------------------------------------------


def test_windows_follow_small_objects_unless_they_are_switched_off():
    assert PRESETS["default"].window == "auto"
    assert PRESETS["official"].window == "off"
    session = started(STRAIGHT[:3], window="off")
    results = list(session.propagate())
    assert all(result.windows == {} for result in results)
    assert session.prompt(1, 1, points=[STRAIGHT[1]]).window is None


def test_a_small_cell_is_prompted_and_tracked_in_a_window(followed):
    session, results = followed
    assert [sorted(result.windows) for result in results] == [[1]] * len(STRAIGHT)
    assert all(max(window_shape(result)) < 120 for result in results)
    assert len([key for key in range(len(STRAIGHT)) if key in session.feature_cache]) == 0


def window_shape(result) -> tuple[int, int]:
    y0, x0, y1, x1 = result.windows[1]
    return y1 - y0, x1 - x0


def test_the_window_follows_the_cell_and_masks_are_in_movie_coordinates(followed):
    _, results = followed
    for result, place in zip(results, STRAIGHT, strict=True):
        assert result.masks[1].shape == scenes.FIELD
        assert scenes.overlap(result.masks[1], place) > 0.5
    assert len({result.windows[1] for result in results}) > 1


def test_a_cell_is_seen_better_than_on_the_whole_frame(followed):
    _, results = followed
    off = list(started(STRAIGHT, window="off").propagate())
    for result, coarse, place in zip(results, off, STRAIGHT, strict=True):
        assert scenes.overlap(result.masks[1], place) > scenes.overlap(coarse.masks[1], place) + 0.1


def test_a_large_object_keeps_the_whole_frame_and_the_result_of_no_windows():
    places, box = [(160, 200), (165, 205), (170, 210)], scenes.box_of((160, 200), 150)
    sessions = {}
    for choice in ("auto", "off"):
        sessions[choice] = scenes.predictor().start(scenes.field(places, side=150), window=choice)
        sessions[choice].prompt(0, 1, box=box)
        assert all(result.windows == {} for result in sessions[choice].propagate())
    assert sessions["auto"].masklets == sessions["off"].masklets


def test_a_window_that_does_not_move_gives_what_the_same_crop_gives_as_a_movie():
    places = [(100, 150), (101, 151), (101, 150), (100, 149), (100, 150)]
    session = started(places)
    results = list(session.propagate())
    (box,) = {result.windows[1] for result in results}
    y0, x0, y1, x1 = box
    alone = scenes.predictor().start(
        np.ascontiguousarray(scenes.field(places)[:, y0:y1, x0:x1]), normalization=session.normalization, window="off"
    )
    cell = scenes.box_of(places[0])
    alone.prompt(0, 1, box=(cell[0] - y0, cell[1] - x0, cell[2] - y0, cell[3] - x0))
    for mine, other in zip(results, alone.propagate(), strict=True):
        assert np.array_equal(mine.masks[1][y0:y1, x0:x1], other.masks[1])
        assert mine.scores[1] == pytest.approx(other.scores[1], abs=1e-5)
        assert mine.object_scores == pytest.approx(other.object_scores)
    for frame in range(len(places)):
        entries = [each.objects[1].bank.entry(frame) for each in (session, alone)]
        for name in ("logits", "pointer", "memory"):
            torch.testing.assert_close(*(getattr(entry, name) for entry in entries), atol=1e-4, rtol=1e-4)


def test_a_given_number_of_pixels_is_the_side_of_the_window():
    session = started(STRAIGHT[:4], window=90)
    assert {window_shape(result) for result in session.propagate()} == {(90, 90)}


def test_a_growing_cell_gets_a_larger_window_in_time():
    movie = np.concatenate([scenes.field([(160, 200)], side=14 + 6 * t) for t in range(8)])
    session = scenes.predictor().start(movie)
    session.prompt(0, 1, box=scenes.box_of((160, 200)))
    results = list(session.propagate())
    for result, side in zip(results, range(14, 62, 6), strict=True):
        box = scenes.box_of((160, 200), side)
        found = result.rles[1].box
        assert all(abs(a - b) <= 8 for a, b in zip(found, box, strict=True))


def test_neighbours_share_a_window_and_others_do_not():
    places = [[(60, 80), (60, 91), (250, 300)]] * 2
    session = scenes.predictor().start(scenes.field(places))
    for number, place in enumerate(places[0], 1):
        session.prompt(0, number, mask=scenes.truth(place))
    planned = session._windows.place(1, session.objects.values(), reverse=False)
    assert planned[1] == planned[2] != planned[3]
    before = session.feature_cache.misses
    session._features.prepare(1, planned.values())
    assert session.feature_cache.misses == before + 2


# Lost and found ------------------------------------------------------------------------------------------------------


def test_a_cell_that_jumps_out_of_its_window_is_found_on_the_whole_frame():
    places = [(60, 80)] * 4 + [(250, 300)] * 3
    results = list(started(places).propagate())
    assert all(scenes.overlap(result.masks[1], places[result.frame]) > 0.3 for result in results)
    assert window_shape(results[-1])[0] < 120


def test_a_cell_that_goes_and_comes_back_is_absent_meanwhile():
    places = [(60, 80)] * 3 + [None] * 3 + [(66, 84)] * 3
    results = list(started(places).propagate())
    assert [bool(result.rles[1].is_empty) for result in results] == [place is None for place in places]
    assert [result.object_scores[1] > 0.5 for result in results] == [place is not None for place in places]
    assert scenes.overlap(results[-1].masks[1], places[-1]) > 0.3


# Prompts -------------------------------------------------------------------------------------------------------------


def test_a_click_finds_the_scale_by_itself():
    session = scenes.predictor().start(scenes.field(STRAIGHT))
    answer = session.prompt(0, 1, points=[STRAIGHT[0]])
    assert answer.window is not None
    assert scenes.overlap(answer.mask, STRAIGHT[0]) > 0.4
    assert all(candidate.mask.shape == scenes.FIELD for candidate in answer.candidates)


def test_more_clicks_refine_the_answer_in_its_window_and_a_far_one_enlarges_it():
    session = scenes.predictor().start(scenes.field(STRAIGHT))
    first = session.prompt(0, 1, box=scenes.box_of(STRAIGHT[0]))
    near = session.prompt(0, 1, points=[(58, 78)])
    far = session.prompt(0, 1, points=[(60, 130)], labels=[0])
    assert near.window == first.window
    assert far.window[3] > 130


def test_a_box_after_a_misread_click_brings_the_window_of_the_box():
    session = scenes.predictor().start(scenes.field([None, None]))
    assert session.prompt(0, 1, points=[(60, 80)]).window is None
    assert session.prompt(0, 1, box=scenes.box_of((60, 80))).window is not None


def test_a_click_on_a_frame_where_the_object_was_lost_looks_around_the_click_at_its_known_size():
    session = started([(60, 80)] * 2 + [None, None])
    tiny.finish(session.propagate())
    y0, x0, y1, x1 = session.prompt(3, 1, points=[(250, 300)]).window
    assert y0 < 250 < y1
    assert x0 < 300 < x1
    assert y1 - y0 < 120


def test_a_mask_is_taken_as_it_is_and_another_reading_lies_in_the_same_window():
    session = scenes.predictor().start(scenes.field(STRAIGHT))
    taken = session.prompt(0, 1, mask=scenes.truth(STRAIGHT[0]))
    assert np.array_equal(taken.mask, scenes.truth(STRAIGHT[0]))
    assert taken.window is not None
    clicked = session.prompt(0, 2, points=[STRAIGHT[0]])
    assert session.choose(0, 2, 1).window == clicked.window


def test_an_empty_mask_and_an_object_never_seen_are_tracked_on_the_whole_frame():
    session = scenes.predictor().start(scenes.field([None, None, STRAIGHT[0]]))
    session.prompt(0, 1, mask=np.zeros(scenes.FIELD, bool))
    assert [result.windows for result in session.propagate()] == [{}, {}, {}]


def test_a_click_elsewhere_in_time_looks_for_an_object_of_the_known_size(followed):
    session = started(STRAIGHT)
    before = session.feature_cache.misses
    answer = session.prompt(6, 1, points=[STRAIGHT[6]])
    assert session.feature_cache.misses == before + 1
    assert scenes.overlap(answer.mask, STRAIGHT[6]) > 0.4


# Everything else a session does --------------------------------------------------------------------------------------


def test_going_on_after_a_stop_is_as_if_there_had_been_none(followed):
    session = started(STRAIGHT)
    results = session.propagate()
    for _ in range(4):
        next(results)
    results.close()
    tiny.finish(session.propagate(start=4))
    assert session.masklets == followed[0].masklets


def test_in_reverse_windows_follow_too():
    session = scenes.predictor().start(scenes.field(STRAIGHT))
    session.prompt(8, 1, box=scenes.box_of(STRAIGHT[8]))
    for result in session.propagate(reverse=True):
        assert scenes.overlap(result.masks[1], STRAIGHT[result.frame]) > 0.4
        assert 1 in result.windows


def test_a_correction_is_repaired_around_it_and_locked_frames_stay(followed):
    session = started(STRAIGHT)
    tiny.finish(session.propagate())
    session.lock(7, 1)
    before = tiny.masks_of(session)
    session.prompt(4, 1, mask=scenes.truth(STRAIGHT[4]))
    assert [result.frame for result in session.repair(4, 1)] == [5, 6, 3, 2, 1]
    after = tiny.masks_of(session)
    assert after[7] == before[7]
    assert after[4] == Rle.encode(scenes.truth(STRAIGHT[4]))
    assert all(scenes.overlap(after[frame].decode(), STRAIGHT[frame]) > 0.4 for frame in range(9))


def test_a_saved_session_goes_on_with_windows_and_a_replay_gives_the_same_masks(tmp_path):
    session, movie = started(STRAIGHT), scenes.field(STRAIGHT)
    tiny.finish(session.propagate(stop=6))
    path = session.save(tmp_path / "session.sam2v")
    predictor = scenes.predictor(window="off")
    resumed = predictor.resume(path, movie)
    assert resumed.masklets == session.masklets
    again = predictor.replay(path, movie)
    assert again.masklets == session.masklets
    for result in resumed.propagate(start=6):
        assert scenes.overlap(result.masks[1], STRAIGHT[result.frame]) > 0.4
        assert 1 in result.windows


def test_a_restored_object_is_followed_from_its_masks(followed):
    known = followed[0].objects[1]
    masks = {frame: entry for frame, entry in known.masklet.entries().items() if frame < 5}
    session = scenes.predictor().start(scenes.field(STRAIGHT))
    session.restore(ObjectState(1, masks, known.prompts, directions={frame: False for frame in masks if frame}))
    for result in session.propagate(start=5):
        assert scenes.overlap(result.masks[1], STRAIGHT[result.frame]) > 0.4
        assert 1 in result.windows


def test_live_frames_are_followed_even_when_the_first_ones_are_gone():
    session = scenes.predictor().start()
    places = [(60 + t, 80) for t in range(70)]
    frames = scenes.field(places)
    session.push(frames[0])
    session.prompt(0, 1, box=scenes.box_of(places[0]))
    for frame, place in zip(frames[1:], places[1:], strict=True):
        result = session.push(frame)
        assert scenes.overlap(result.masks[1], place) > 0.4
    gone = session.push(scenes.field([None])[0])
    assert gone.rles[1].is_empty
    assert scenes.overlap(session.push(scenes.field([(250, 312)])[0]).masks[1], (250, 312)) > 0.3


def test_what_is_held_does_not_grow_with_the_movie():
    places = [(60 + 2 * t, 80 + 3 * t) for t in range(60)]
    session, held = started(places, cache_bytes=2**20), []
    for _ in session.propagate():
        bank = session.objects[1].bank
        held.append((len(bank.recent), len(bank.conditioning)))
        assert session.feature_cache.bytes_used <= 2**20
    assert held[30] == held[-1] == (16, 1)


@pytest.mark.parametrize("window", [3, 0, True, "big", -40])
def test_windows_that_cannot_be_are_refused(window):
    with pytest.raises(PromptError, match="cannot be used"):
        scenes.predictor().start(scenes.field(STRAIGHT[:2]), window=window)


def test_the_official_preset_tracks_whole_frames():
    official = scenes.predictor().with_settings(replace(PRESETS["official"]))
    assert official.start(scenes.field(STRAIGHT[:2])).steps.settings.window == "off"
    with pytest.raises(PromptError, match="official"):
        official.start(scenes.field(STRAIGHT[:2]), window="auto")


def test_masklets_hold_nothing_but_masks_of_the_movie(followed):
    masklet = followed[0].masklets[1]
    assert isinstance(masklet, Masklet)
    assert masklet.shape == scenes.FIELD
