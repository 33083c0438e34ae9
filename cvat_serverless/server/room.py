"""Room for the requests that are held at once, counted in bytes."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(slots=True)
class Room:
    """Bytes that all requests share. It is used by one thread, that of the event loop.

    Attributes
    ----------
    size
        Bytes at most.
    taken
        Bytes that are taken.
    """

    size: int
    taken: int = 0

    @contextmanager
    def guest(self) -> Iterator[Guest]:
        """Let a request in; what it takes is free again after the block."""
        guest = Guest(self)
        try:
            yield guest
        finally:
            self.taken -= guest.taken


@dataclass(slots=True)
class Guest:
    """A request, and the bytes that it takes of a room."""

    room: Room
    taken: int = 0

    def takes(self, size: int) -> bool:
        """Take ``size`` bytes in all, as long as there is room for them; say whether there is."""
        more = max(0, size - self.taken)
        if self.room.taken + more > self.room.size:
            return False
        self.taken += more
        self.room.taken += more
        return True
