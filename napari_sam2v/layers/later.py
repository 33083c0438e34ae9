"""Doing things a little later on the same thread, without knowing whose event loop it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

CallLater: TypeAlias = Callable[[float, Callable[[], None]], object]
"""``call_later(seconds, callback)`` runs the callback on this thread after so many seconds; in napari a Qt timer."""


class Debounced:
    """Runs a callback once calls have ceased for a while.

    Parameters
    ----------
    callback
        What to run.
    seconds
        How long it has to be quiet.
    call_later
        How to wait.
    """

    def __init__(self, callback: Callable[[], None], seconds: float, call_later: CallLater) -> None:
        self._callback = callback
        self._seconds = seconds
        self._call_later = call_later
        self._calls = 0
        self._waiting = False

    def __call__(self) -> None:
        """Ask for a run, and put off one that waits already."""
        self._calls += 1
        self._waiting = True
        number = self._calls
        self._call_later(self._seconds, lambda: self._run(number))

    def flush(self) -> None:
        """Run now if a run is waiting."""
        if self._waiting:
            self._run(self._calls)

    def cancel(self) -> None:
        """Forget a run that is waiting."""
        self._waiting = False

    def _run(self, number: int) -> None:
        if self._waiting and number == self._calls:
            self._waiting = False
            self._callback()


class Throttled:
    """Runs a callback at once, and for further calls again once a while has passed.

    Parameters
    ----------
    callback
        What to run.
    seconds
        The least time between two runs.
    call_later
        How to wait.
    """

    def __init__(self, callback: Callable[[], None], seconds: float, call_later: CallLater) -> None:
        self._callback = callback
        self._seconds = seconds
        self._call_later = call_later
        self._resting = False
        self._wanted = False

    def __call__(self) -> None:
        """Run now, or after the pause if there was a run a moment ago."""
        self._wanted = True
        if not self._resting:
            self._run()

    def flush(self) -> None:
        """Run now if a run is waiting."""
        if self._wanted:
            self._wanted = False
            self._callback()

    def cancel(self) -> None:
        """Forget a run that is waiting."""
        self._wanted = False

    def _run(self) -> None:
        self._resting = True
        self.flush()
        # counted from the end of the run, so that one that takes long leaves room for others
        self._call_later(self._seconds, self._rested)

    def _rested(self) -> None:
        self._resting = False
        if self._wanted:
            self._run()
