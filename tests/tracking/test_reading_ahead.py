from __future__ import annotations

import threading

import pytest

from src_model.errors import MovieError
from src_model.tracking.reading_ahead import ReadAhead

PATIENCE = 20.0
"""Seconds after which something that should happen is taken not to."""


class Source:
    """Prepares frames one after the other, as far as it was let go."""

    def __init__(self, allowed: int | None = None, broken: int | None = None) -> None:
        self.prepared: list[int] = []
        self.broken = broken
        self.changed = threading.Condition()
        self._allowed = threading.Semaphore(10_000 if allowed is None else allowed)

    def prepare(self, frame: int) -> str:
        assert self._allowed.acquire(timeout=PATIENCE)
        with self.changed:
            self.prepared.append(frame)
            self.changed.notify_all()
        if frame == self.broken:
            raise MovieError(f"frame {frame} is damaged")
        return f"frame {frame}"

    def let_go(self, frames: int) -> None:
        self._allowed.release(frames)

    def wait_for(self, count: int) -> list[int]:
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.prepared) >= count, PATIENCE)
            return list(self.prepared)


@pytest.fixture
def ahead():
    """Make readers that are closed after the test."""
    made = []

    def make(source, frames=range(10), depth=3, skip=lambda frame: False) -> ReadAhead[str]:
        made.append((ReadAhead(frames, source.prepare, skip=skip, depth=depth), source))
        return made[-1][0]

    yield make
    for reader, source in made:
        source.let_go(100)
        reader.close()
        assert not reader.is_running


@pytest.mark.parametrize("frames", [range(3, 10), range(9, -1, -1), range(0, 12, 4)])
def test_every_frame_of_a_range_comes_in_its_order(ahead, frames):
    source = Source()
    reader = ahead(source, frames)
    for frame in frames:
        reader.advance(frame)
        assert reader.get(frame) == f"frame {frame}"
    assert source.prepared == list(frames)


def test_no_more_frames_are_prepared_than_may_be_ahead(ahead):
    source = Source()
    reader = ahead(source, depth=3)
    assert source.wait_for(3) == [0, 1, 2]
    reader.advance(0)
    assert reader.get(0) == "frame 0"
    assert source.prepared == [0, 1, 2]
    reader.advance(1)
    assert source.wait_for(4) == [0, 1, 2, 3]


def test_the_frame_that_is_worked_on_is_waited_for_and_no_other(ahead):
    source = Source(allowed=0)
    reader = ahead(source)
    assert reader.get(1) is None
    timer = threading.Timer(0.01, source.let_go, [1])
    timer.start()
    assert reader.get(0) == "frame 0"
    timer.join()


def test_a_frame_may_be_asked_for_twice_and_is_gone_once_it_is_passed(ahead):
    source = Source()
    reader = ahead(source)
    assert reader.get(0) == reader.get(0) == "frame 0"
    reader.advance(1)
    assert reader.get(0) is None
    assert reader.get(77) is None


def test_frames_that_are_jumped_over_are_not_prepared(ahead):
    source = Source(allowed=1)
    reader = ahead(source, depth=2)
    source.wait_for(1)
    reader.advance(6)
    source.let_go(100)
    assert reader.get(6) == "frame 6"
    assert not {2, 3, 4, 5} & set(source.prepared)


def test_frames_that_need_no_preparing_are_left_out(ahead):
    source = Source()
    reader = ahead(source, skip=lambda frame: frame % 2 == 0)
    found = []
    for frame in range(10):
        reader.advance(frame)
        found.append(reader.get(frame))
    assert found == [None if frame % 2 == 0 else f"frame {frame}" for frame in range(10)]


def test_an_error_is_raised_at_the_frame_it_belongs_to_and_later_frames_still_come(ahead):
    source = Source(broken=2)
    reader = ahead(source)
    for frame in (0, 1):
        reader.advance(frame)
        assert reader.get(frame) == f"frame {frame}"
    source.wait_for(3)
    assert reader.prepared_after(1) == {}
    reader.advance(2)
    with pytest.raises(MovieError, match="frame 2 is damaged"):
        reader.get(2)
    reader.advance(3)
    assert reader.get(3) == "frame 3"


def test_the_frames_that_are_prepared_by_now_can_be_had_together(ahead):
    source = Source()
    reader = ahead(source, range(5, 10), depth=4)
    reader.advance(5)
    source.wait_for(4)
    reader.advance(6)
    assert reader.get(6) == "frame 6"
    # The last one may be prepared and not yet be handed over.
    assert list(reader.prepared_after(6).items())[:1] == [(7, "frame 7")]
    assert reader.prepared_after(77) == {}


def test_closing_ends_a_thread_that_waits_and_gives_nothing_more(ahead):
    source = Source()
    reader = ahead(source)
    source.wait_for(3)
    reader.close()
    assert not reader.is_running
    assert reader.get(0) is None


def test_closing_while_a_frame_is_read_ends_after_it(ahead):
    source = Source(allowed=0)
    reader = ahead(source)
    closing = threading.Thread(target=reader.close)
    closing.start()
    source.let_go(1)
    closing.join(PATIENCE)
    assert not closing.is_alive()
    assert len(source.prepared) <= 1


def test_the_thread_ends_by_itself_after_the_last_frame(ahead):
    source = Source()
    reader = ahead(source, range(2))
    source.wait_for(2)
    reader._thread.join(PATIENCE)
    assert not reader.is_running
    reader.advance(1)
    assert reader.get(1) == "frame 1"
