"""A correction counts, and repair is local."""

from __future__ import annotations

import pytest

from tests.tracking import tiny


def changed(session, before) -> list[int]:
    """Frames on which object 1 is no longer byte for byte what it was."""
    now = session.masklets[1].entries()
    return sorted(frame for frame in now.keys() | before.keys() if now.get(frame) != before.get(frame))


def test_a_correction_sees_the_memory_of_the_object(tracked):
    corrected = tracked.prompt(5, 1, points=[(30, 40)], labels=[0])
    fresh = tracked.prompt(5, 2, points=[(30, 40)], labels=[0])
    assert corrected.rle != fresh.rle


def test_a_correction_starts_from_the_mask_that_was_there(predictor, movie, square):
    answers = []
    for first in ({"points": [tiny.CLICK]}, {"mask": square}):
        session = predictor.start(movie)
        session.prompt(0, 1, **first)
        answers.append(session.prompt(0, 1, points=[(30, 40)], labels=[0]).logits)
    assert not answers[0].allclose(answers[1], atol=1e-3)


def test_a_correction_of_a_prompted_frame_sees_memory_once_it_was_tracked_through(predictor, movie):
    answers = []
    for other_frame in (False, True):
        session = predictor.start(movie)
        if other_frame:
            session.prompt(0, 1, points=[tiny.CLICK])
        session.prompt(5, 1, points=[tiny.CLICK])
        if other_frame:
            tiny.finish(session.propagate())
        answers.append(session.prompt(5, 1, points=[(30, 40)], labels=[0]).logits)
    assert not answers[0].allclose(answers[1], atol=1e-3)


def test_a_correction_changes_its_own_frame_at_once_and_no_other(tracked):
    before = tracked.masklets[1].entries()
    tracked.prompt(5, 1, points=[(30, 40)], labels=[0])
    assert changed(tracked, before) == [5]


def test_a_correction_becomes_a_conditioning_frame_and_survives_tracking_again(tracked):
    corrected = tracked.prompt(5, 1, points=[(30, 40)], labels=[0])
    before = tracked.masklets[1].entries()
    results = {result.frame: result for result in tracked.propagate()}
    assert sorted(tracked.objects[1].bank.conditioning) == [0, 5]
    assert results[5].rles[1] == corrected.rle
    assert 6 in changed(tracked, before)


def test_the_official_preset_loses_corrections_when_it_tracks_again(official, movie):
    session = official.start(movie)
    session.prompt(0, 1, points=[tiny.CLICK])
    tiny.finish(session.propagate())
    first_pass = tiny.masks_of(session)
    corrected = session.prompt(5, 1, points=[(30, 40)], labels=[0])
    assert corrected.rle != first_pass[5]
    tiny.finish(session.propagate())
    assert list(session.objects[1].bank.conditioning) == [0]
    assert tiny.masks_of(session) == first_pass


def test_a_frame_can_be_corrected_again_and_again(tracked):
    one = tracked.prompt(5, 1, points=[(30, 40)], labels=[0])
    two = tracked.prompt(5, 1, points=[(10, 10)], labels=[1])
    tiny.finish(tracked.propagate())
    three = tracked.prompt(5, 1, points=[(35, 5)], labels=[1])
    assert len({one.rle, two.rle, three.rle}) == 3
    tiny.finish(tracked.propagate())
    assert tracked.masklets[1].mask_at(5) == three.rle
    assert len(tracked.objects[1].prompts[5].points) == 3


def test_repair_runs_to_both_sides_up_to_the_next_prompted_frame_and_leaves_the_rest(predictor):
    session = predictor.start(tiny.make_movie(20))
    for frame in (0, 16):
        session.prompt(frame, 1, points=[tiny.CLICK])
    tiny.finish(session.propagate())
    session.prompt(8, 1, points=[(30, 40)], labels=[0])
    before = session.masklets[1].entries()
    repaired = [result.frame for result in session.repair(8, 1)]
    assert repaired == [*range(9, 16), *range(7, 0, -1)]
    assert changed(session, before)
    assert set(changed(session, before)) <= set(repaired)


@pytest.mark.parametrize(("direction", "frames"), [("forward", [6, 7, 8, 9]), ("backward", [4, 3, 2, 1])])
def test_repair_may_run_to_one_side_only(tracked, direction, frames):
    tracked.prompt(5, 1, points=[(30, 40)], labels=[0])
    before = tracked.masklets[1].entries()
    assert [result.frame for result in tracked.repair(5, 1, direction=direction)] == frames
    assert changed(tracked, before)
    assert set(changed(tracked, before)) <= set(frames)


def test_repair_stops_before_a_locked_frame(tracked):
    tracked.lock(7, 1)
    tracked.lock(3, 1)
    tracked.prompt(5, 1, points=[(30, 40)], labels=[0])
    before = tracked.masklets[1].entries()
    assert [result.frame for result in tracked.repair(5, 1)] == [6, 4]
    assert set(changed(tracked, before)) <= {4, 6}


def test_repair_does_not_go_where_nothing_was_tracked(clicked):
    tiny.finish(clicked.propagate(stop=7))
    clicked.prompt(5, 1, points=[(30, 40)], labels=[0])
    assert [result.frame for result in clicked.repair(5, 1, direction="forward")] == [6]


def test_repair_of_one_object_leaves_the_others_alone(tracked):
    tracked.prompt(0, 2, points=[tiny.OTHER_CLICK])
    tiny.finish(tracked.propagate())
    other = tracked.masklets[2].copy()
    tracked.prompt(5, 1, points=[(30, 40)], labels=[0])
    assert all(list(result.masks) == [1] for result in tracked.repair(5, 1))
    assert tracked.masklets[2] == other


def test_repair_can_be_closed_and_keeps_what_is_done(tracked):
    tracked.prompt(5, 1, points=[(30, 40)], labels=[0])
    before = tracked.masklets[1].entries()
    results = tracked.repair(5, 1)
    next(results)
    results.close()
    assert set(changed(tracked, before)) <= {6}


def test_repair_far_from_where_tracking_ended_makes_the_memories_again(predictor):
    session = predictor.start(tiny.make_movie(50))
    session.prompt(0, 1, points=[tiny.CLICK])
    tiny.finish(session.propagate())
    held = session.objects[1].bank.recent
    assert min(held) > 20
    tiny.finish(session.propagate(10, 12))
    assert set(held) >= {4, 5, 6, 7, 8, 9, 10, 11}
    assert max(held) <= 11


def test_a_locked_frame_is_never_tracked_again(tracked):
    tracked.lock(4, 1)
    locked = tracked.masklets[1].get(4)
    tracked.prompt(2, 1, points=[(30, 40)], labels=[0])
    results = {result.frame: result for result in tracked.propagate()}
    assert tracked.masklets[1].get(4) == locked
    assert results[4].rles[1] == locked.mask
    tracked.lock(4, 1, locked=False)
    tiny.finish(tracked.propagate())
    assert tracked.masklets[1].get(4) != locked


def test_clearing_the_prompts_of_a_locked_frame_unlocks_it(clicked):
    clicked.lock(0, 1)
    clicked.clear_prompt(0, 1)
    assert clicked.objects[1].locked == set()
