"""Tracking through a movie."""

from __future__ import annotations

import numpy as np
import pytest

from src_model.masks import Rle, mask_iou
from src_model.tracking import TrackingSettings
from tests.tracking import tiny

LAST = tiny.LENGTH - 1


def frames(results) -> list[int]:
    return [result.frame for result in results]


def test_tracking_runs_from_the_first_prompt_to_the_end(session):
    session.prompt(3, 1, points=[tiny.CLICK])
    assert frames(session.propagate()) == list(range(3, tiny.LENGTH))


def test_in_reverse_it_runs_from_the_last_prompt_to_the_first_frame(session):
    session.prompt(3, 1, points=[tiny.CLICK])
    session.prompt(6, 1, points=[tiny.CLICK])
    assert frames(session.propagate(reverse=True)) == [6, 5, 4, 3, 2, 1, 0]


def test_start_and_stop_count_as_in_range(clicked):
    assert frames(clicked.propagate(2, 5)) == [2, 3, 4]
    assert frames(clicked.propagate(stop=2)) == [0, 1]
    assert frames(clicked.propagate(8)) == [8, 9]
    assert frames(clicked.propagate(4, 4)) == []


def test_start_and_stop_count_as_in_range_in_reverse(session):
    session.prompt(LAST, 1, points=[tiny.CLICK])
    assert frames(session.propagate(6, 3, reverse=True)) == [6, 5, 4]
    assert frames(session.propagate(2, reverse=True)) == [2, 1, 0]
    assert frames(session.propagate(stop=6, reverse=True)) == [9, 8, 7]


def test_a_result_holds_masks_and_scores_by_object(clicked):
    clicked.prompt(0, 5, points=[tiny.OTHER_CLICK])
    for result in clicked.propagate():
        assert list(result.masks) == [1, 5]
        assert len(result.masks) == 2
        for object_id in (1, 5):
            assert result.masks[object_id].shape == tiny.SHAPE
            assert result.masks[object_id].dtype == bool
            assert 0 <= result.scores[object_id] <= 1
            assert result.object_scores[object_id] > 0.5
            assert isinstance(result.rles[object_id], Rle)


def test_a_result_is_what_the_masklet_keeps(clicked):
    results = list(clicked.propagate())
    masklet = clicked.masklets[1]
    assert masklet.spans() == [(0, tiny.LENGTH)]
    for result in results:
        kept = masklet.get(result.frame)
        assert kept.mask == result.rles[1]
        assert (kept.score, kept.object_score) == (result.scores[1], result.object_scores[1])


def test_a_tracked_frame_has_its_logits_and_a_prompted_one_may_not(clicked):
    results = {result.frame: result for result in clicked.propagate(stop=2)}
    assert results[1].logits[1].shape == (16, 16)
    assert 1 not in results[0].logits


def test_the_masks_follow_the_movie(predictor, movie):
    still = np.repeat(movie[:1], tiny.LENGTH, axis=0)
    tracks = []
    for frames_of in (movie, still):
        session = predictor.start(frames_of)
        session.prompt(0, 1, points=[tiny.CLICK])
        tiny.finish(session.propagate())
        tracks.append(tiny.masks_of(session))
    assert tracks[0] != tracks[1]


def test_a_prompted_frame_keeps_the_mask_that_its_prompt_gave(clicked, square):
    clicked.prompt(4, 1, mask=square)
    results = {result.frame: result for result in clicked.propagate()}
    assert np.array_equal(results[4].masks[1], square)
    assert results[4].scores[1] == 1


def test_only_the_objects_asked_for_are_tracked(tracked):
    before = tracked.masklets[1].copy()
    tracked.prompt(2, 2, points=[tiny.OTHER_CLICK])
    tracked.prompt(2, 3, points=[tiny.OTHER_CLICK])
    results = list(tracked.propagate(objects=[2]))
    assert [list(result.masks) for result in results] == [[2]] * (tiny.LENGTH - 2)
    assert tracked.masklets[1] == before
    assert tracked.masklets[3].frames == (2,)


def test_a_closed_propagation_keeps_what_is_done(clicked):
    results = clicked.propagate()
    for _ in range(4):
        next(results)
    results.close()
    assert clicked.masklets[1].frames == (0, 1, 2, 3)


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("done", [1, 4, 7])
def test_closed_and_resumed_is_the_same_as_never_stopped(predictor, movie, done, reverse):
    first = LAST if reverse else 0
    whole, parts = predictor.start(movie), predictor.start(movie)
    for each in (whole, parts):
        each.prompt(first, 1, points=[tiny.CLICK])
        each.prompt(first, 2, points=[tiny.OTHER_CLICK])
    tiny.finish(whole.propagate(reverse=reverse))
    results = parts.propagate(reverse=reverse)
    for _ in range(done):
        next(results)
    results.close()
    tiny.finish(parts.propagate(first - done if reverse else first + done, reverse=reverse))
    assert parts.masklets == whole.masklets


def test_nothing_is_computed_before_the_first_frame_is_asked_for(clicked):
    misses = clicked.feature_cache.misses
    clicked.propagate()
    assert clicked.feature_cache.misses == misses
    assert clicked.masklets[1].frames == (0,)


def test_objects_may_start_on_different_frames(session):
    for object_id, frame in ((1, 0), (2, 4), (3, 7)):
        session.prompt(frame, object_id, points=[tiny.CLICK])
    shown = {result.frame: list(result.masks) for result in session.propagate()}
    assert shown[3] == [1]
    assert shown[4] == [1, 2]
    assert shown[9] == [1, 2, 3]
    assert session.masklets[2].spans() == [(4, tiny.LENGTH)]


def test_an_object_added_during_tracking_is_tracked_from_its_first_prompt_on_and_changes_no_other(predictor, movie):
    alone = predictor.start(movie)
    alone.prompt(0, 1, points=[tiny.CLICK])
    tiny.finish(alone.propagate())
    session = predictor.start(movie)
    session.prompt(0, 1, points=[tiny.CLICK])
    tiny.finish(session.propagate(stop=5))
    session.prompt(4, 2, points=[tiny.OTHER_CLICK])
    tiny.finish(session.propagate(5))
    assert session.masklets[2].frames == (4, 5, 6, 7, 8, 9)
    assert session.masklets[1] == alone.masklets[1]


def test_an_object_gets_the_same_masks_alone_and_among_others(predictor, movie):
    # The first click alone is read by the others' size: see test_click_reading.py.
    predictor = predictor.with_settings(TrackingSettings(size_likeness=False))
    prompts = {1: tiny.CLICK, 2: tiny.OTHER_CLICK, 3: (30, 30), 4: (5, 5)}
    together = predictor.start(movie)
    for object_id, point in prompts.items():
        together.prompt(0, object_id, points=[point])
    tiny.finish(together.propagate())
    for object_id, point in prompts.items():
        alone = predictor.start(movie)
        alone.prompt(0, object_id, points=[point])
        tiny.finish(alone.propagate())
        for frame, mask in tiny.masks_of(alone, object_id).items():
            # A batch rounds differently, so that single pixels on the edge may differ.
            assert mask_iou(mask, together.masklets[object_id].mask_at(frame)) > 0.9


def test_more_objects_than_fit_a_batch_are_all_tracked(session):
    for object_id in range(1, 12):
        session.prompt(0, object_id, points=[(3 * object_id, 4 * object_id)])
    results = list(session.propagate(stop=3))
    assert [len(result.masks) for result in results] == [11, 11, 11]


def test_a_prompt_given_while_tracking_is_paused_counts_from_the_next_frame_on(clicked, predictor, movie):
    results = clicked.propagate()
    for _ in range(4):
        next(results)
    clicked.prompt(3, 1, points=[(30, 40)], labels=[0])
    tiny.finish(results)
    plain = predictor.start(movie)
    plain.prompt(0, 1, points=[tiny.CLICK])
    tiny.finish(plain.propagate())
    mine, other = tiny.masks_of(clicked), tiny.masks_of(plain)
    assert [mine[frame] == other[frame] for frame in range(3)] == [True] * 3
    assert mine[5] != other[5]


def test_an_object_removed_while_tracking_is_paused_is_tracked_no_further(clicked):
    clicked.prompt(0, 2, points=[tiny.OTHER_CLICK])
    results = clicked.propagate()
    next(results)
    clicked.remove_object(1)
    assert [list(result.masks) for result in results] == [[2]] * LAST


def test_an_absent_object_has_an_empty_mask_and_a_low_object_score_and_is_found_again(clicked, network):
    results = clicked.propagate()
    for _ in range(3):
        next(results)
    with tiny.sees(network, anything=False):
        absent = [next(results) for _ in range(3)]
    back = next(results)
    for result in absent:
        assert not result.masks[1].any()
        assert result.object_scores[1] < 0.01
        assert bool((result.logits[1] < -1000).all())
    assert back.masks[1].any()
    assert back.object_scores[1] > 0.5


def test_having_been_absent_is_remembered(predictor, movie, network):
    tracks = []
    for present in (True, False):
        session = predictor.start(movie)
        session.prompt(0, 1, points=[tiny.CLICK])
        results = session.propagate()
        next(results)
        with tiny.sees(network, anything=present):
            next(results)
        tracks.append(next(results).logits[1])
    assert not np.allclose(*tracks, atol=1e-3)


def test_forwards_and_backwards_from_one_prompt_cover_the_movie(session):
    prompted = session.prompt(5, 1, points=[tiny.CLICK])
    tiny.finish(session.propagate())
    after = tiny.masks_of(session)
    tiny.finish(session.propagate(reverse=True))
    masks = tiny.masks_of(session)
    assert sorted(masks) == list(range(tiny.LENGTH))
    assert {frame: masks[frame] for frame in after} == after
    assert masks[5] == prompted.rle


def test_tracking_again_gives_the_same_masks(tracked):
    before = tiny.masks_of(tracked)
    tiny.finish(tracked.propagate())
    assert tiny.masks_of(tracked) == before


def test_the_official_preset_tracks_the_whole_range_it_is_given(official, movie):
    session = official.start(movie)
    session.prompt(3, 1, points=[tiny.CLICK])
    session.prompt(6, 1, points=[tiny.CLICK])
    assert frames(session.propagate(5, reverse=True)) == [5, 4, 3, 2, 1, 0]
    assert frames(session.propagate(0)) == list(range(tiny.LENGTH))


def test_a_movie_of_one_frame_is_tracked_too(predictor, movie):
    session = predictor.start(movie[:1])
    session.prompt(0, 1, points=[tiny.CLICK])
    assert frames(session.propagate()) == [0]
    assert frames(session.propagate(reverse=True)) == [0]
