"""All that the rules of a review look at: measures, what is confirmed, and what is usual in this movie."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np

from src_model.document.division_scores import ScoredDivision, division_scores
from src_model.measures import steps
from src_model.workflow.followed_track import EDGE
from src_model.workflow.review.confirmed import confirmed_frames

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from src_model.document import Division, DocumentView
    from src_model.workflow.review.measures import MovieMeasures, Pair, TrackMeasures


_SPREADS: Final = 8.0
"""Median distances from what is usual in the movie, from which on something is unusual, between these limits:"""

_UNLIKE: Final = (0.75, 0.9)
"""Of the usual likeness of outlines."""

_FAST: Final = (0.25, 0.5)
"""Diameters in one frame; and at least so many usual steps:"""

_USUAL_STEPS: Final = 3.0


@dataclass(frozen=True, eq=False)
class ReviewedTrack:
    """One object, on the K frames on which it is in view.

    Attributes
    ----------
    object_id
        Its number.
    confirmed
        Frames that a person confirmed; None where the whole object is locked.
    frames
        (K,) int64, ascending.
    areas, likeness, scores
        (K,) float64; the score is predicted IoU times the probability that the object is there.
    centroids
        (K, 2) float64, (y, x).
    is_open
        (K,) bool: whether nobody confirmed the frame.
    at_edge
        (K,) bool: whether the mask comes so near to the edge of the frame that it may go on beyond it.
    """

    object_id: int
    confirmed: frozenset[int] | None
    frames: NDArray[np.int64]
    areas: NDArray[np.float64]
    likeness: NDArray[np.float64]
    scores: NDArray[np.float64]
    centroids: NDArray[np.float64]
    is_open: NDArray[np.bool_]
    at_edge: NDArray[np.bool_]

    @classmethod
    def of(cls, view: DocumentView, object_id: int, measures: TrackMeasures) -> ReviewedTrack:
        """Take what is in view of an object."""
        confirmed, seen = confirmed_frames(view, object_id, measures), measures.seen
        frames, boxes = measures.frames[seen], measures.boxes[seen]
        height, width = view.movie.frame_shape
        room = np.column_stack((boxes[:, :2], height - boxes[:, 2], width - boxes[:, 3]))
        return cls(
            object_id,
            confirmed,
            frames,
            measures.areas[seen],
            measures.likeness[seen],
            measures.scores[seen] * measures.object_scores[seen],
            measures.centroids[seen],
            ~np.isin(frames, list(confirmed)) if confirmed is not None else np.zeros(len(frames), bool),
            room.min(axis=1) <= EDGE,
        )

    def is_confirmed(self, frame: int) -> bool:
        """Whether a person confirmed what the object is on a frame, in view or not."""
        return self.confirmed is None or frame in self.confirmed

    def place(self, row: int) -> tuple[float, float]:
        """Return (y, x) of the centroid."""
        y, x = self.centroids[row].tolist()
        return y, x

    @cached_property
    def diameters(self) -> NDArray[np.float64]:
        """(K,) float64: those of round objects of the same areas, in pixels."""
        diameters: NDArray[np.float64] = 2 * np.sqrt(self.areas / np.pi)
        return diameters

    @cached_property
    def area_jumps(self) -> NDArray[np.float64]:
        """(K,) float64, logarithm of the area in the median of the three frames before; 0 at first."""
        before = _median_before(self.areas, 3)
        ratios = np.divide(self.areas, before, out=np.ones(len(before)), where=before > 0)
        jumps: NDArray[np.float64] = np.log(ratios)
        return jumps

    @cached_property
    def steps(self) -> NDArray[np.float64]:
        """(K,) float64, pixels moved since the frame before; NaN where it was not in view there."""
        return steps(self.frames, self.centroids)


@dataclass(frozen=True, eq=False)
class ReviewedMovie:
    """A document as the rules see it.

    Attributes
    ----------
    tracks
        Objects that are in view on some frame, by ascending id.
    overlaps
        By frame and pair, what two objects have in common as a share of the smaller.
    divisions
        Marked ones, by parent.
    scored
        Divisions whose scores are kept, marked or suggested.
    """

    tracks: Mapping[int, ReviewedTrack]
    overlaps: Mapping[int, Mapping[Pair, float]]
    divisions: Mapping[int, Division]
    scored: tuple[ScoredDivision, ...]

    @classmethod
    def of(cls, view: DocumentView, measures: MovieMeasures) -> ReviewedMovie:
        """Look at a document whose measures are up to date."""
        every = (ReviewedTrack.of(view, number, track) for number, track in measures.tracks.items())
        return cls(
            {track.object_id: track for track in every if len(track.frames)},
            measures.overlaps,
            view.divisions,
            division_scores(view.project.settings),
        )

    @cached_property
    def span(self) -> range:
        """Frames from the first to the last on which anything is in view."""
        first = min((int(track.frames[0]) for track in self.tracks.values()), default=0)
        return range(first, max((int(track.frames[-1]) + 1 for track in self.tracks.values()), default=0))

    def rows_on(self, frame: int) -> Mapping[int, int]:
        """Return who is in view on a frame: the place of the frame in each track, by ascending object id."""
        return self._rows.get(frame, {})

    @cached_property
    def _rows(self) -> dict[int, dict[int, int]]:
        rows: dict[int, dict[int, int]] = defaultdict(dict)
        for number, track in self.tracks.items():
            for row, frame in enumerate(track.frames.tolist()):
                rows[frame][number] = row
        return rows

    @cached_property
    def born(self) -> frozenset[int]:
        """Objects that come of a marked division."""
        return frozenset(daughter for each in self.divisions.values() for daughter in each.daughters)

    @cached_property
    def may_be_born(self) -> frozenset[int]:
        """Objects that come of a division whose score is kept, marked or not."""
        return frozenset(daughter for each in self.scored for daughter in each.daughters)

    @cached_property
    def may_divide(self) -> frozenset[int]:
        """Objects of which the score of a division is kept, marked or not."""
        return frozenset(each.parent for each in self.scored)

    @cached_property
    def likeness(self) -> Usual:
        """How alike outlines are on neighbouring frames of this movie."""
        return Usual.of([track.likeness for track in self.tracks.values()])

    @cached_property
    def likeness_limit(self) -> float:
        """Below this an outline has changed."""
        usual = self.likeness
        least, most = (share * usual.median for share in _UNLIKE)
        return min(max(usual.median - _SPREADS * usual.spread, least), most)

    @cached_property
    def step(self) -> Usual:
        """How far objects move from frame to frame, in their diameters."""
        return Usual.of([track.steps / track.diameters for track in self.tracks.values()])

    @cached_property
    def step_limit(self) -> float:
        """Above this, in diameters, a step is too long."""
        return max(self.step.above(*_FAST), _USUAL_STEPS * self.step.median)


@dataclass(frozen=True, slots=True)
class Usual:
    """What is usual in a movie: the median, and the median distance from it; 0 where nothing was measured."""

    median: float
    spread: float

    @classmethod
    def of(cls, arrays: Iterable[NDArray[np.float64]]) -> Usual:
        """Take all numbers but NaN."""
        every = np.concatenate([np.zeros(0), *arrays])
        every = every[np.isfinite(every)]
        if not len(every):
            return cls(0.0, 0.0)
        median = float(np.median(every))
        return cls(median, float(np.median(np.abs(every - median))))

    def above(self, least: float, most: float) -> float:
        """Return from where on something is unusually large, between two limits."""
        return min(max(self.median + _SPREADS * self.spread, least), most)


def _median_before(values: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """Return (K,) float64: of each value the median of so many before it, of fewer near the beginning; 0 at first."""
    medians = np.zeros(len(values))
    for row in range(1, min(count, len(values))):
        medians[row] = np.median(values[:row])
    if len(values) > count:
        windows = np.lib.stride_tricks.sliding_window_view(values, count)[:-1]
        medians[count:] = np.median(windows, axis=1)
    return medians
