"""Tracking that keeps what was done, whatever ends it."""

from __future__ import annotations

import signal

import pytest

from src_model.cli.following import Autosave, follow
from src_model.errors import SessionFileError
from src_model.tracking.passes import plan_passes
from tests.tracking import tiny
from tests.tracking.damage import DamagedMovie


@pytest.fixture
def session(predictor):
    session = predictor.start(tiny.make_movie())
    session.prompt(4, 1, points=[tiny.CLICK])
    return session


@pytest.fixture
def passes():
    return plan_passes({1: [4]}, range(10), "both")


def test_a_whole_run_is_counted(session, passes):
    tally = follow(session, passes, quiet=True)
    assert (tally.frames, tally.steps, tally.complete, tally.error) == (10, 11, True, None)
    assert tally.seconds > 0
    assert len(session.masklets[1]) == 10


def test_nothing_to_do_is_complete(session):
    assert follow(session, [], quiet=True).complete


def test_ctrl_c_ends_after_the_frame_at_hand(session, passes):
    calls = []

    def after_frame():
        calls.append(1)
        if len(calls) == 3:
            signal.raise_signal(signal.SIGINT)

    tally = follow(session, passes, quiet=True, after_frame=after_frame)
    assert (tally.steps, tally.complete, tally.error) == (3, False, None)
    assert session.masklets[1].frames == (4, 5, 6)


def test_ctrl_c_on_the_last_frame_is_no_interruption(session, passes):
    calls = []

    def after_frame():
        calls.append(1)
        if len(calls) == 11:
            signal.raise_signal(signal.SIGINT)

    assert follow(session, passes, quiet=True, after_frame=after_frame).complete


def test_ctrl_c_twice_ends_at_once(session, passes):
    def after_frame():
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)

    tally = follow(session, passes, quiet=True, after_frame=after_frame)
    assert (tally.steps, tally.complete, tally.error) == (1, False, None)


def test_an_error_is_handed_over_with_what_was_done_before(session, passes, monkeypatch):
    read = session.movie.read

    def broken(frame):
        if frame == 7:
            raise OSError("frame 7 is damaged")
        return read(frame)

    monkeypatch.setattr(type(session.movie), "read", lambda _, frame: broken(frame))
    tally = follow(session, passes, quiet=True)
    assert (tally.steps, tally.complete) == (3, False)
    assert "frame 7 is damaged" in str(tally.error)


class Clock:
    """A clock that is set by hand."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


def test_a_session_is_saved_once_a_minute(session, tmp_path, clock):
    path = tmp_path / "a.session.json"
    autosave = Autosave(session, path, clock)
    clock.now = 59
    autosave.after_frame()
    assert not path.exists()
    clock.now = 61
    autosave.after_frame()
    assert path.exists()
    autosave.discard()
    assert not path.exists()


def test_saving_takes_little_of_the_time_even_if_it_is_slow(tmp_path, clock):
    class Slow:
        saves = 0

        def save(self, path):
            self.saves += 1
            clock.now += 30

    slow = Slow()
    autosave = Autosave(slow, tmp_path / "a.json", clock)
    for now in range(61, 3600, 10):
        clock.now = max(clock.now, now)
        autosave.after_frame()
    assert slow.saves * 30 < 0.06 * 3600


def test_a_file_from_before_is_not_removed(session, tmp_path, clock):
    path = tmp_path / "a.session.json"
    path.write_text("earlier")
    autosave = Autosave(session, path, clock)
    clock.now = 61
    autosave.after_frame()
    assert path.read_text() != "earlier"
    autosave.discard()
    assert path.exists()


def test_tracking_goes_on_if_saving_fails(tmp_path, clock, capsys):
    class Unsavable:
        def save(self, path):
            raise SessionFileError("disk full")

    autosave = Autosave(Unsavable(), tmp_path / "a.json", clock)
    for clock.now in (61, 200, 400):
        autosave.after_frame()
    autosave.discard()
    assert capsys.readouterr().err.count("disk full") == 1


def test_damaged_frames_are_gone_over_and_counted_apart(predictor, passes):
    session = predictor.start(DamagedMovie(tiny.make_movie(), {2, 7, 8}))
    session.prompt(4, 1, points=[tiny.CLICK])
    tally = follow(session, passes, quiet=True)
    assert (tally.frames, tally.steps, tally.complete, tally.error) == (7, 8, True, None)
    assert (tally.damaged, tally.found) == ((2, 7, 8), True)
