"""What a track store does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cvat_serverless.tracks import StoredTrack, TrackPosition


class TrackStore(Protocol):
    """Keeps tracks by name, bounded; forgetting one is never an error, since tracking heals.

    All methods may be called from several threads, and raise BusyError where a store outside of the process does not
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
            Whether it was kept. If not, someone went on from the same frame first.
        """
        ...

    def seen_in(self, image: str) -> Sequence[TrackPosition]:
        """List where tracks were in an image, by its hash, the most recently used track first."""
        ...

    def size(self) -> tuple[int, int]:
        """Return how many tracks are held in this process, and their bytes."""
        ...
