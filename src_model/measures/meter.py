"""Measures chosen objects of a document again and again while it changes, and reads only what did."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np

from src_model.errors import DamagedFrameError, FrameRangeError
from src_model.masks import centroid
from src_model.measures.intensity import mean_intensity
from src_model.measures.motion import steps
from src_model.measures.series import MeasureUnits, TrackSeries

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

    from src_model.document import DocumentView
    from src_model.document.store import MaskFacts
    from src_model.frames import FrameSource

_NEVER: Final = -1
"""Version of a mask that was not measured."""

_MASKS_AT_ONCE: Final = 256
"""So many masks of an object are held at most."""


@dataclass(frozen=True, slots=True)
class Measurement:
    """What is known of the chosen objects.

    Attributes
    ----------
    series
        Of those that are in view on some frame, in the order in which they were chosen.
    units
        Of the series.
    done, total
        On how many frames of the movie they are measured, and of how many.
    """

    series: tuple[TrackSeries, ...]
    units: MeasureUnits
    done: int
    total: int

    @property
    def is_complete(self) -> bool:
        """Whether nothing is left to measure."""
        return self.done == self.total


class SeriesMeter:
    """Keeps about 60 bytes a mask of each object it was ever asked for, and holds one frame of the movie at a time.

    It belongs to one document, and to one thread at a time.
    """

    def __init__(self) -> None:
        self._tracks: dict[int, _Track] = {}
        self._source: FrameSource | None = None

    def update(
        self,
        view: DocumentView,
        object_ids: Iterable[int],
        source: FrameSource | None,
        is_enough: Callable[[], bool] = lambda: False,
    ) -> Measurement:
        """Measure what changed since the last time.

        Parameters
        ----------
        view
            Snapshot of the document.
        object_ids
            Objects to measure; those that are not there are left out.
        source
            The movie whose intensities are measured; none where it is left out.
        is_enough
            Asked after some masks and after each frame that was read; whether to stop there and to go on the next time.

        Raises
        ------
        MovieError
            If the movie cannot be read any more. A frame that is damaged alone has no intensity, and is no error.
        """
        if source is not self._source:
            self._source = source
            for track in self._tracks.values():
                track.read[:] = _NEVER
        chosen = [number for number in dict.fromkeys(object_ids) if view.has(number)]
        for number in chosen:
            self._tracks[number] = _Track.of(view.track(number).masks.facts(), self._tracks.get(number))
        for number in chosen:
            if not self._measure_masks(view, number, is_enough):
                break
        if source is not None:
            self._measure_intensities(view, chosen, source, is_enough)
        units = MeasureUnits.of(view.movie)
        series = (self._tracks[number].series(number, units) for number in chosen)
        known, left = self._frames_of(chosen)
        return Measurement(tuple(each for each in series if each is not None), units, known - left, known)

    def _measure_masks(self, view: DocumentView, number: int, is_enough: Callable[[], bool]) -> bool:
        """Measure areas and places; return whether all are measured."""
        track = self._tracks[number]
        stale = np.flatnonzero(track.in_view & (track.measured != track.versions))
        for rows in _neighbours(stale):
            entries = view.track(number).masks.entries(int(track.frames[rows[0]]), int(track.frames[rows[-1]]) + 1)
            for row in rows.tolist():
                mask = entries[int(track.frames[row])].mask
                track.areas[row], track.centroids[row] = mask.area, centroid(mask) or np.nan
            track.measured[rows] = track.versions[rows]
            if is_enough():
                return False
        return True

    def _measure_intensities(
        self, view: DocumentView, chosen: list[int], source: FrameSource, is_enough: Callable[[], bool]
    ) -> None:
        """Read each frame once for all objects, in order, until it is enough."""
        stale: dict[int, list[int]] = defaultdict(list)
        for number in chosen:
            track = self._tracks[number]
            for frame in track.frames[track.in_view & (track.read != track.versions)].tolist():
                stale[frame].append(number)
        for frame in sorted(stale):
            image = _read(source, frame)
            for number in stale[frame]:
                track = self._tracks[number]
                row, mask = int(np.searchsorted(track.frames, frame)), view.mask_at(number, frame)
                assert mask is not None, "it is in view there"
                track.intensities[row] = np.nan if image is None else mean_intensity(image, mask).mean()
                track.read[row] = track.versions[row]
            if is_enough():
                return

    def _frames_of(self, chosen: list[int]) -> tuple[int, int]:
        """Count the frames on which any of these objects is in view, and those of them that are not measured yet."""
        known: set[int] = set()
        left: set[int] = set()
        for track in (self._tracks[number] for number in chosen):
            is_new = track.measured != track.versions
            if self._source is not None:
                is_new |= track.read != track.versions
            known.update(track.frames[track.in_view].tolist())
            left.update(track.frames[track.in_view & is_new].tolist())
        return len(known), len(left)


@dataclass(frozen=True, slots=True, eq=False)
class _Track:
    """What was measured of an object on the K frames of which something is known, ascending.

    Attributes
    ----------
    frames, versions, measured, read
        (K,) int64: the frames, the versions of their masks, and those of which place and intensity were measured.
    in_view
        (K,) bool.
    areas, centroids, intensities, scores
        (K,), (K, 2), (K,), (K,) float64; areas and centroids (y, x) in pixels.
    """

    frames: NDArray[np.int64]
    versions: NDArray[np.int64]
    in_view: NDArray[np.bool_]
    scores: NDArray[np.float64]
    measured: NDArray[np.int64]
    read: NDArray[np.int64]
    areas: NDArray[np.float64]
    centroids: NDArray[np.float64]
    intensities: NDArray[np.float64]

    @classmethod
    def of(cls, facts: Iterable[MaskFacts], before: _Track | None) -> _Track:
        """Begin with what is known of masks without reading them, and with what was measured before."""
        rows = [(each.frame, each.version, not each.is_empty, each.score * each.object_score) for each in facts]
        frames, versions, in_view, scores = zip(*rows, strict=True) if rows else ((),) * 4
        count = len(rows)
        track = cls(
            np.asarray(frames, np.int64),
            np.asarray(versions, np.int64),
            np.asarray(in_view, bool),
            np.asarray(scores, np.float64),
            np.full(count, _NEVER),
            np.full(count, _NEVER),
            np.full(count, np.nan),
            np.full((count, 2), np.nan),
            np.full(count, np.nan),
        )
        if before is not None:
            _, mine, theirs = np.intersect1d(track.frames, before.frames, assume_unique=True, return_indices=True)
            for name in ("measured", "read", "areas", "centroids", "intensities"):
                getattr(track, name)[mine] = getattr(before, name)[theirs]
        return track

    def series(self, object_id: int, units: MeasureUnits) -> TrackSeries | None:
        """Return what was measured, NaN where nothing was; None where the object is in view nowhere."""
        frames = self.frames[self.in_view]
        if not len(frames):
            return None
        start, count = int(frames[0]), int(frames[-1] - frames[0]) + 1

        def spread(values: NDArray[np.float64]) -> NDArray[np.float64]:
            every = np.full(count, np.nan)
            every[frames - start] = values
            return every

        return TrackSeries(
            object_id,
            start,
            spread(self.areas[self.in_view] * (units.pixel[0] * units.pixel[1])),
            spread(steps(frames, self.centroids[self.in_view] * units.pixel) / units.interval),
            spread(np.where(self.read == self.versions, self.intensities, np.nan)[self.in_view]),
            spread(self.scores[self.in_view]),
        )


def _neighbours(rows: NDArray[np.intp]) -> Iterable[NDArray[np.intp]]:
    """Part ascending rows into runs without a gap, of at most so many rows that their masks may be held at once."""
    starts = [0, *(np.flatnonzero(np.diff(rows) != 1) + 1).tolist(), len(rows)]
    for start, stop in pairwise(starts):
        for first in range(start, stop, _MASKS_AT_ONCE):
            yield rows[first : min(first + _MASKS_AT_ONCE, stop)]


def _read(source: FrameSource, frame: int) -> NDArray[np.generic] | None:
    """Read a frame; None if it is damaged, or a live movie does not keep it any more."""
    if frame < int(getattr(source, "oldest", 0)):
        return None
    try:
        return source.read(frame)
    except (DamagedFrameError, FrameRangeError):
        return None
