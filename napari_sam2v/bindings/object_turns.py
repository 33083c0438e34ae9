"""Work on objects that changed, a little later and in short turns, so that the window never waits for it."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING

from qtpy.QtCore import QTimer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from qtpy.QtCore import QObject

REFRESH_MILLISECONDS = 150
"""How often views follow a run of the tracker."""
_WORK_SECONDS = 0.01
"""How long it is worked before the window gets its turn again."""
_PAUSE_MILLISECONDS = 10


class ObjectTurns:
    """Notes objects and works them off.

    Parameters
    ----------
    parent
        Owner of the timer.
    work
        Called with the objects of a turn one by one; they may be gone by now.
    done
        Called after each turn with the objects of the turn, and whether no more are waiting.
    clock
        Returns the time in seconds.

    Attributes
    ----------
    timer
        Ends when a turn begins.
    """

    def __init__(
        self,
        parent: QObject,
        work: Callable[[int], None],
        done: Callable[[set[int], bool], None],
        clock: Callable[[], float] = perf_counter,
    ) -> None:
        self._work, self._done, self._clock = work, done, clock
        self._waiting: set[int] = set()
        self.timer = QTimer(parent)
        self.timer.setSingleShot(True)
        self.timer.timeout.connect(self._turn)

    def touch(self, object_ids: Iterable[int]) -> None:
        """Work on these objects, a little later and together with what else changes until then."""
        self._waiting.update(object_ids)
        if self._waiting and not self.timer.isActive():
            self.timer.start(REFRESH_MILLISECONDS)

    def clear(self) -> None:
        """Forget what is waiting."""
        self._waiting.clear()

    def _turn(self) -> None:
        worked, deadline = set[int](), self._clock() + _WORK_SECONDS
        while self._waiting and (not worked or self._clock() < deadline):
            object_id = self._waiting.pop()
            worked.add(object_id)
            self._work(object_id)
        self._done(worked, not self._waiting)
        if self._waiting:
            self.timer.start(_PAUSE_MILLISECONDS)
