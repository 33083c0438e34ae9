"""Frames prepared in a background thread while those before them are tracked."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

_SECONDS_TO_END = 1.0
"""How long closing waits for a frame that is being read; the thread ends after it in any case."""


@dataclass(frozen=True, slots=True)
class _Failure:
    """What went wrong with a frame, to be raised where the frame is needed."""

    error: Exception


class ReadAhead(Generic[T]):
    """Prepares the frames of a range in order, a bounded number ahead of the one that is worked on.

    Parameters
    ----------
    frames
        The frames to come, in their order.
    prepare
        Called on the thread, for one frame at a time. What it raises is raised again by :meth:`get` for that frame.
    skip
        Tells of frames that need no preparing. Called on the thread.
    depth
        How many frames are prepared before they are worked on, the one worked on included.
    """

    def __init__(self, frames: range, prepare: Callable[[int], T], *, skip: Callable[[int], bool], depth: int) -> None:
        self._frames = frames
        self._prepare = prepare
        self._skip = skip
        self._depth = depth
        self._place = 0  # in the range, of the frame that is worked on
        self._next = 0  # in the range, of the frame that is prepared next
        self._ready: dict[int, T | _Failure] = {}
        self._closed = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="sam2v reading ahead", daemon=True)
        self._thread.start()

    @property
    def is_running(self) -> bool:
        """Whether the thread is at work, or waits."""
        return self._thread.is_alive()

    def advance(self, frame: int) -> None:
        """Go to a frame of the range; those before it are needed no more."""
        place = self._frames.index(frame)
        with self._changed:
            for passed in self._frames[self._place : place]:
                self._ready.pop(passed, None)
            self._place, self._next = place, max(self._next, place)
            self._changed.notify_all()

    def get(self, frame: int) -> T | None:
        """Return a frame if it is prepared; the one that is worked on is waited for.

        Returns
        -------
        The prepared frame, or None where it was skipped, is far ahead, or does not lie ahead at all.
        """
        with self._changed:
            if self._frames[self._place] == frame:
                self._changed.wait_for(lambda: self._closed or self._next > self._place)
            outcome = self._ready.get(frame)
        if isinstance(outcome, _Failure):
            raise outcome.error
        return outcome

    def prepared_after(self, frame: int) -> dict[int, T]:
        """Return the frames behind one of the range that are prepared by now, in order, up to the first that failed."""
        if frame not in self._frames:
            return {}
        found: dict[int, T] = {}
        with self._changed:
            for later in self._frames[self._frames.index(frame) + 1 : self._next]:
                outcome = self._ready.get(later)
                if isinstance(outcome, _Failure):
                    break
                if outcome is not None:
                    found[later] = outcome
        return found

    def close(self) -> None:
        """Stop; the thread ends after the frame that it is reading."""
        with self._changed:
            self._closed = True
            self._ready.clear()
            self._changed.notify_all()
        self._thread.join(_SECONDS_TO_END)

    def _run(self) -> None:
        while (place := self._wait_for_place()) is not None:
            frame = self._frames[place]
            outcome = None if self._skip(frame) else self._outcome(frame)
            with self._changed:
                if outcome is not None and place >= self._place and not self._closed:
                    self._ready[frame] = outcome
                self._next = max(self._next, place + 1)
                self._changed.notify_all()

    def _wait_for_place(self) -> int | None:
        """Wait until another frame may be prepared, and return its place; None at the end."""
        with self._changed:
            self._changed.wait_for(
                lambda: (
                    self._closed
                    or self._next < min(len(self._frames), self._place + self._depth)
                    or self._next >= len(self._frames)
                )
            )
            return None if self._closed or self._next >= len(self._frames) else self._next

    def _outcome(self, frame: int) -> T | _Failure:
        try:
            return self._prepare(frame)
        except Exception as error:  # it belongs to the frame, wherever it comes from
            return _Failure(error)
