"""Tracks as the Cell Tracking Challenge has them: without gaps, and mothers end before their daughters begin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Lineage:
    """The tracks of a movie, numbered anew from 1.

    Parameters
    ----------
    tracks
        ``(N, 4)`` int64 rows ``(track, first frame, last frame, parent track or 0)``.
    numbers
        For each frame, the track of each label on it.
    """

    tracks: NDArray[np.int64]
    numbers: tuple[Mapping[int, int], ...]

    @property
    def labels(self) -> list[NDArray[np.int64]]:
        """For each frame, its tracks in ascending order."""
        return [np.array(sorted(on_frame.values()), np.int64) for on_frame in self.numbers]

    def renamed(self, frame: int, labels: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the tracks of ``labels`` on ``frame``."""
        return np.array([self.numbers[frame][label] for label in labels.tolist()], np.int64)


@dataclass(slots=True)
class _Track:
    """A row of :attr:`Lineage.tracks`."""

    number: int
    first: int
    last: int
    parent: int


def lineage_of(labels: Sequence[NDArray[np.int64]], parents: Mapping[int, int]) -> Lineage:
    """Make tracks of the labels on each frame.

    A label that is missing for some frames becomes several tracks, each the parent of the next. So does a mother that
    stays on when a daughter begins; the rest of her is a daughter then. A daughter's parent is the last track of her
    mother that ends before she begins; if there is none, because the mother was not seen or came later, she has none.

    Parameters
    ----------
    labels
        The distinct labels on each frame, without the background.
    parents
        Daughter label to mother label.
    """
    seen: dict[int, list[int]] = {}
    for frame, on_frame in enumerate(labels):
        for label in on_frame.tolist():
            seen.setdefault(label, []).append(frame)
    known = {daughter: mother for daughter, mother in parents.items() if daughter in seen and mother in seen}
    births: dict[int, set[int]] = {}
    for daughter, mother in known.items():
        births.setdefault(mother, set()).add(seen[daughter][0])

    tracks: dict[int, list[_Track]] = {}
    count = 0
    for label, frames in seen.items():
        tracks[label] = _split(frames, births.get(label, set()), count)
        count += len(tracks[label])
    for daughter, mother in known.items():
        first = tracks[daughter][0]
        first.parent = max((track.number for track in tracks[mother] if track.last < first.first), default=0)

    numbers: tuple[dict[int, int], ...] = tuple({} for _ in labels)
    for label, own in tracks.items():
        for track in own:
            for frame in range(track.first, track.last + 1):
                numbers[frame][label] = track.number
    rows = [(track.number, track.first, track.last, track.parent) for own in tracks.values() for track in own]
    return Lineage(np.array(rows, np.int64).reshape(-1, 4), numbers)


def _split(frames: Sequence[int], births: set[int], count: int) -> list[_Track]:
    """Make tracks, numbered from ``count + 1``, of a label's frames, a new one after a gap and at a birth."""
    tracks: list[_Track] = []
    for frame in frames:
        if tracks and frame == tracks[-1].last + 1 and frame not in births:
            tracks[-1].last = frame
        else:
            number = count + len(tracks) + 1
            tracks.append(_Track(number, frame, frame, number - 1 if tracks else 0))
    return tracks
