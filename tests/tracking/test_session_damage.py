"""Movies with damaged frames: the others are tracked as if these were not there."""

from __future__ import annotations

import pytest

from src_model.errors import DamagedFrameError
from tests.tracking import tiny
from tests.tracking.damage import DamagedMovie


@pytest.fixture(params=[True, False], ids=["reading ahead", "reading one by one"])
def holes(request, movie):
    """Frames 3, 4 and 8 cannot be read."""
    return DamagedMovie(movie, {3, 4, 8}, concurrent=request.param)


@pytest.fixture
def session(predictor, holes):
    session = predictor.start(holes)
    session.prompt(0, 1, points=[tiny.CLICK])
    return session


def test_tracking_goes_over_damaged_frames_and_names_them(session):
    results = list(session.propagate())
    assert [result.frame for result in results] == list(range(tiny.LENGTH))
    damaged = {result.frame: result.damaged for result in results if result.damaged}
    assert damaged == {frame: f"frame {frame} of 'holes' is damaged" for frame in (3, 4, 8)}
    assert list(session.masklets[1].frames) == [0, 1, 2, 5, 6, 7, 9]


def test_damaged_frames_leave_nothing_in_memory(session, predictor, movie):
    tiny.finish(session.propagate(stop=5))
    whole = predictor.start(movie, normalization=session.normalization)
    whole.prompt(0, 1, points=[tiny.CLICK])
    tiny.finish(whole.propagate(stop=3))
    tiny.finish(whole.propagate(5, 8))
    tiny.finish(session.propagate(5, 8))
    assert tiny.masks_of(session) == tiny.masks_of(whole)


def test_masks_that_a_damaged_frame_had_before_stay(predictor, movie):
    source = DamagedMovie(movie, set())
    session = predictor.start(source, cache_bytes=0)
    session.prompt(0, 1, points=[tiny.CLICK])
    tiny.finish(session.propagate())
    before = tiny.masks_of(session)
    source.damaged = {5}
    results = {result.frame: result for result in session.propagate(4)}
    assert results[5].damaged
    assert results[5].rles == {}
    assert tiny.masks_of(session)[5] == before[5]


def test_a_locked_frame_is_given_as_it_is_where_another_object_cannot_be_looked_for(session, holes):
    holes.damaged = set()
    session.prompt(0, 2, points=[tiny.OTHER_CLICK])
    tiny.finish(session.propagate())
    session.lock(4, 1)
    holes.damaged = {4}
    session.feature_cache.clear()
    (result,) = session.propagate(4, 5)
    assert result.damaged
    assert list(result.rles) == [1]


def test_a_frame_that_can_be_read_again_is_tracked(session, holes):
    tiny.finish(session.propagate())
    holes.damaged = set()
    results = list(session.propagate(3, 5))
    assert [result.damaged for result in results] == [None, None]
    assert {3, 4} <= set(session.masklets[1].frames)


def test_a_prompt_on_a_damaged_frame_is_an_error_that_names_the_nearest_good_ones(session):
    with pytest.raises(DamagedFrameError, match="frame 3 of 'holes' is damaged; prompt frame 2 or 5 instead") as error:
        session.prompt(3, 7, points=[tiny.CLICK])
    assert error.value.frame == 3
    assert 7 not in session.objects


def test_where_no_frame_near_can_be_read_the_error_says_so(predictor):
    movie = tiny.make_movie(30)
    session = predictor.start(DamagedMovie(movie, set(range(2, 28))))
    with pytest.raises(DamagedFrameError, match="farther away"):
        session.prompt(14, 1, points=[tiny.CLICK])


def test_a_repair_goes_over_damaged_frames(session):
    tiny.finish(session.propagate())
    session.prompt(6, 1, points=[(25, 25)], labels=[0])
    frames = [(result.frame, bool(result.damaged)) for result in session.repair(6, 1)]
    assert frames == [(7, False), (8, True), (9, False), (5, False), (4, True), (3, True), (2, False), (1, False)]


def test_memories_of_frames_that_became_damaged_are_done_without(predictor, movie, tmp_path):
    source = DamagedMovie(movie, set())
    session = predictor.start(source, cache_bytes=0)
    session.prompt(0, 1, points=[tiny.CLICK])
    session.prompt(5, 1, points=[(25, 25)])
    tiny.finish(session.propagate(stop=7))
    path = session.save(tmp_path / "session.sam2v")
    source.damaged = {5, 6}
    again = predictor.resume(path, source)
    results = list(again.propagate(7))
    assert [result.damaged for result in results] == [None, None, None]


def test_an_object_that_is_known_on_damaged_frames_alone_is_an_error_that_names_them(predictor, movie, tmp_path):
    source = DamagedMovie(movie, set())
    session = predictor.start(source)
    session.prompt(5, 1, points=[tiny.CLICK])
    path = session.save(tmp_path / "session.sam2v")
    source.damaged = {5}
    with pytest.raises(DamagedFrameError, match="frame 5"):
        tiny.finish(predictor.resume(path, source).propagate(6))


def test_features_on_disk_are_kept_for_the_frames_that_can_be_read(predictor, movie, tmp_path):
    source = DamagedMovie(movie, {0, 3})
    masks = []
    for _ in range(2):
        session = predictor.start(source, cache_dir=tmp_path)
        session.prompt(1, 1, points=[tiny.CLICK])
        tiny.finish(session.propagate())
        session.flush()
        masks.append(tiny.masks_of(session))
    assert masks[0] == masks[1]
    assert session._features._reader.store.hits == tiny.LENGTH - 2


def test_a_session_over_damaged_frames_is_replayed_to_the_same_masks(session, predictor, holes, tmp_path):
    tiny.finish(session.propagate())
    path = session.save(tmp_path / "session.sam2v")
    assert tiny.masks_of(predictor.replay(path, holes)) == tiny.masks_of(session)


def test_windows_follow_an_object_over_damaged_frames(predictor, holes):
    session = predictor.start(holes, window=64)
    session.prompt(0, 1, points=[tiny.CLICK])
    results = list(session.propagate())
    assert [result.frame for result in results if result.damaged] == [3, 4, 8]
    assert list(session.masklets[1].frames) == [0, 1, 2, 5, 6, 7, 9]
