"""Tracking that keeps what was done, whatever ends it."""

from __future__ import annotations

import signal
from types import SimpleNamespace

import pytest

from src_model.cli.following import follow
from src_model.cli.job import new_document
from src_model.document import AddObject, AddPoints, AnnotatedObject
from src_model.frames import open_movie
from src_model.workflow import DocumentTracker, TrackingJob, TrackRequest
from src_model.workflow.periodic_save import PeriodicSave
from tests.tracking import tiny
from tests.tracking.damage import DamagedMovie


def begun(predictor, movie, tmp_path, frame=4):
    """A document with one click, and what tracks it."""
    annotation = new_document(movie, tmp_path / "movie.tif", predictor)
    annotation.do(AddObject(AnnotatedObject(1)))
    annotation.do(AddPoints(1, frame, (tiny.CLICK,), (1,)))
    return SimpleNamespace(
        annotation=annotation,
        tracker=DocumentTracker(movie, lambda: predictor, normalization=annotation.project.normalization),
    )


@pytest.fixture
def work(predictor, tmp_path):
    return begun(predictor, open_movie(tiny.make_movie()), tmp_path)


def tracked(work, **asked):
    def begin(document):
        return TrackingJob.track(document, TrackRequest(**asked))

    return follow(work.annotation, work.tracker, begin, lambda: None, quiet=True)


@pytest.fixture
def interrupt(monkeypatch):
    """Sends signals after the frame of this count."""

    def arrange(count, times=1):
        frames = []

        def after_frame(_):
            frames.append(1)
            if len(frames) == count:
                for _ in range(times):
                    signal.raise_signal(signal.SIGINT)

        monkeypatch.setattr(PeriodicSave, "after_frame", after_frame)

    return arrange


def test_a_whole_run_is_counted(work):
    tally = tracked(work)
    assert (tally.frames, tally.steps, tally.complete, tally.error) == (10, 11, True, None)
    assert tally.seconds > 0
    assert work.annotation.mask_count == 10


def test_nothing_to_do_is_complete(work):
    tracked(work)
    assert tracked(work, only_missing=True).complete


def test_ctrl_c_ends_after_the_frame_at_hand(work, interrupt):
    interrupt(3)
    tally = tracked(work)
    assert (tally.steps, tally.complete, tally.error) == (3, False, None)
    assert work.annotation.masklet(1).frames == (4, 5, 6)


def test_what_was_stopped_goes_on_where_it_stopped(work, interrupt):
    interrupt(3)
    tracked(work)
    tally = tracked(work, only_missing=True)
    assert (tally.steps, tally.complete) == (8, True)
    assert work.annotation.masklet(1).frames == tuple(range(10))


def test_ctrl_c_on_the_last_frame_is_no_interruption(work, interrupt):
    interrupt(11)
    assert tracked(work).complete


def test_ctrl_c_twice_ends_at_once(work, interrupt):
    interrupt(1, times=2)
    tally = tracked(work)
    assert (tally.steps, tally.complete, tally.error) == (1, False, None)


def test_an_error_is_handed_over_with_what_was_done_before(work, monkeypatch):
    movie = work.tracker.session.movie
    read = movie.read

    def broken(frame):
        if frame == 7:
            raise OSError("frame 7 is damaged")
        return read(frame)

    monkeypatch.setattr(type(movie), "read", lambda _, frame: broken(frame))
    tally = tracked(work)
    assert (tally.steps, tally.complete) == (3, False)
    assert "frame 7 is damaged" in str(tally.error)


def test_damaged_frames_are_gone_over_and_counted_apart(predictor, tmp_path):
    tally = tracked(begun(predictor, DamagedMovie(tiny.make_movie(), {2, 7, 8}), tmp_path))
    assert (tally.frames, tally.steps, tally.complete, tally.error) == (7, 8, True, None)
    assert (tally.damaged, tally.found) == ((2, 7, 8), True)
