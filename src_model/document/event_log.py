"""What happened in a document, in order, with the time it took: rows that are only ever added.

An annotation engine reads from it how many seconds, clicks and corrections a masklet took. Undo takes nothing back
here: it is an event of its own.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from src_model.document.store import CellStore

EventKind: TypeAlias = Literal[
    "prompt", "answer", "candidate", "detection", "track", "correction", "edit", "lock", "undo", "redo", "verdict"
]

LONGEST_PAUSE: Final = 60.0
"""Seconds without an event after which nobody worked."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that a person or the tracker did.

    Attributes
    ----------
    time
        When, in seconds since 1970.
    worked
        Seconds of work on this document until then, pauses of over a minute taken out.
    kind
        What was done. A click is a prompt, or a correction where tracking had been there; the model's mask is an
        answer, another one that a person took is a candidate; a run of the tracker is one track.
    detail
        The label of the step, or what is said of a verdict.
    object_id, frame
        Whom and what it concerned; None if more than one, or none.
    """

    time: float
    worked: float
    kind: EventKind
    detail: str
    object_id: int | None = None
    frame: int | None = None


class EventLog:
    """The events of a document.

    Parameters
    ----------
    store
        Where its cells lie.
    clock
        Tells the time in seconds since 1970.
    """

    def __init__(self, store: CellStore, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._clock = clock
        last = store.connection.execute("SELECT worked FROM events ORDER BY number DESC LIMIT 1").fetchone()
        self._worked = 0.0 if last is None else float(last[0])
        self._last: float | None = None  # of this session: the time between two sessions was no work

    def add(self, kind: EventKind, detail: str, object_id: int | None = None, frame: int | None = None) -> None:
        """Note an event that happens now, within a transaction of the caller's."""
        now = self._clock()
        if self._last is not None and 0 <= now - self._last <= LONGEST_PAUSE:
            self._worked += now - self._last
        self._last = now
        self._store.connection.execute(
            "INSERT INTO events (time, worked, kind, object, t, z, detail) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (now, self._worked, kind, object_id, frame, None if frame is None else 0, detail),
        )

    def __iter__(self) -> Iterator[Event]:
        """Read all events, the earliest first."""
        query = "SELECT time, worked, kind, detail, object, t FROM events ORDER BY number"
        return (Event(*row) for row in self._store.connection.execute(query))
