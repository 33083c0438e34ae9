"""What a track store does, and the one that keeps tracks in the memory of this process."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cvat_serverless.stored_track import StoredTrack, TrackPosition


class TrackStore(Protocol):
    """Keeps tracks by name, bounded. Forgetting one is never an error, since tracking goes on without it.

    All methods may be called from several threads, and raise BusyError if a store outside of the process does not
    answer.
    """

    def get(self, track_id: str) -> StoredTrack | None:
        """Return a track if it is still there."""
        ...

    def put(self, track: StoredTrack) -> bool:
        """Keep a track under its name, unless there is one of that name that is as far or farther.

        Returns
        -------
        bool
            Whether it was kept. If not, another request went on from the same frame first.
        """
        ...

    def positions_in(self, image: str) -> Sequence[TrackPosition]:
        """List where tracks were in an image (a hash), the most recently used track first."""
        ...

    def size(self) -> tuple[int, int]:
        """Return how many tracks are held in this process, and their bytes."""
        ...


@dataclass(frozen=True, slots=True)
class _Held:
    track: StoredTrack
    nbytes: int
    used: float


class LocalStore:
    """Keeps the most recently used tracks within a byte budget and an age.

    Parameters
    ----------
    byte_budget
        Bytes at most. A track that is larger alone is not kept.
    max_age
        Seconds after its last use at which a track is dropped.
    clock
        Seconds that never run backwards.
    """

    def __init__(
        self, byte_budget: int = 2**30, max_age: float = 12 * 3600.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._budget = byte_budget
        self._max_age = max_age
        self._clock = clock
        self._lock = threading.Lock()
        self._held: OrderedDict[str, _Held] = OrderedDict()
        self._by_image: defaultdict[str, set[str]] = defaultdict(set)
        self._bytes = 0

    def get(self, track_id: str) -> StoredTrack | None:
        """Return a track if it is still there."""
        with self._lock:
            self._drop_old()
            held = self._held.get(track_id)
            if held is None:
                return None
            self._held[track_id] = _Held(held.track, held.nbytes, self._clock())
            self._held.move_to_end(track_id)
            return held.track

    def put(self, track: StoredTrack) -> bool:
        """Keep a track under its name, unless there is one of that name that is as far or farther."""
        with self._lock:
            before = self._held.get(track.track_id)
            if before is not None and before.track.step >= track.step:
                return False
            self._drop(track.track_id)
            self._held[track.track_id] = _Held(track, track.nbytes, self._clock())
            self._bytes += track.nbytes
            for sighting in track.sightings:
                self._by_image[sighting.image].add(track.track_id)
            while self._bytes > self._budget:
                self._drop(next(iter(self._held)))
            self._drop_old()
            return True

    def positions_in(self, image: str) -> list[TrackPosition]:
        """List where tracks were in an image (a hash), the most recently used track first."""
        with self._lock:
            self._drop_old()
            held = [self._held[track_id] for track_id in self._by_image.get(image, ())]
        newest_first = sorted(held, key=lambda item: -item.used)
        return [position for item in newest_first for position in item.track.positions_in(image)]

    def size(self) -> tuple[int, int]:
        """Return how many tracks are held, and their bytes."""
        with self._lock:
            return len(self._held), self._bytes

    def _drop_old(self) -> None:
        limit = self._clock() - self._max_age
        while self._held and (oldest := next(iter(self._held.items())))[1].used < limit:
            self._drop(oldest[0])

    def _drop(self, track_id: str) -> None:
        held = self._held.pop(track_id, None)
        if held is None:
            return
        self._bytes -= held.nbytes
        for sighting in held.track.sightings:
            if (named := self._by_image.get(sighting.image)) is not None:
                named.discard(track_id)
                if not named:
                    del self._by_image[sighting.image]
