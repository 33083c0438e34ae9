"""The rules of doubt about one object: each yields flags, with a score that says how likely the frame is wrong.

Limits were chosen by reason and tried on simulated movies.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from src_model.workflow.review.events import Flag, ReviewKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from src_model.workflow.review.reviewed_movie import ReviewedMovie, ReviewedTrack

LOW_SCORE: Final = 0.7
"""Below this a frame is worth a look: on most movies a predicted IoU of 0.7 comes with a visible error."""

_AREA_JUMP: Final = 1.5
"""Times larger or smaller than the median of the three frames before."""

_SHORT: Final = 10
"""Frames; a track that ends or begins in the middle and is shorter than this is more likely no cell."""


def low_scores(track: ReviewedTrack) -> Iterator[Flag]:
    """Flag masks that the network is not sure of."""
    levels = np.interp(track.scores, [0.2, LOW_SCORE], [1.0, 0.3])
    for row in np.flatnonzero(track.is_open & (track.scores < LOW_SCORE)).tolist():
        yield _flag(ReviewKind.SCORE, track, row, levels[row], f"score {track.scores[row]:.2f}")


def area_jumps(track: ReviewedTrack) -> Iterator[Flag]:
    """Flag masks that are much larger or smaller than those before; at the edge a cell may be cut."""
    jumps, limit = np.abs(track.area_jumps), np.log(_AREA_JUMP)
    levels = np.interp(jumps, [limit, limit + np.log(2)], [0.3, 1.0])
    for row in np.flatnonzero(track.is_open & ~track.at_edge & (jumps > limit)).tolist():
        why = f"area {np.exp(track.area_jumps[row]):.2f} times that of the frames before"
        yield _flag(ReviewKind.AREA, track, row, levels[row], why)


def shape_jumps(track: ReviewedTrack, movie: ReviewedMovie) -> Iterator[Flag]:
    """Flag masks whose outline differs from the one before more than is usual in this movie."""
    limit = movie.likeness_limit
    with np.errstate(invalid="ignore"):
        jumps = track.is_open & (track.likeness < limit)
    for row in np.flatnonzero(jumps).tolist():
        level = np.interp(track.likeness[row] / limit, [0.4, 1.0], [1.0, 0.3])
        why = f"outline {track.likeness[row]:.2f} like that of the frame before (usually {movie.likeness.median:.2f})"
        yield _flag(ReviewKind.SHAPE, track, row, level, why)


def fast_moves(track: ReviewedTrack, movie: ReviewedMovie) -> Iterator[Flag]:
    """Flag steps that are long for the object's size and for the movie."""
    steps, limit = track.steps / track.diameters, movie.step_limit
    with np.errstate(invalid="ignore"):
        fast = track.is_open & (steps > limit)
    for row in np.flatnonzero(fast).tolist():
        level = np.interp(steps[row] / limit, [1.0, 3.0], [0.3, 1.0])
        why = f"moved {steps[row]:.2f} diameters in one frame (usually {movie.step.median:.2f})"
        yield _flag(ReviewKind.FAST, track, row, level, why)


def gaps(track: ReviewedTrack) -> Iterator[Flag]:
    """Flag frames on which an object is not seen, between frames on which it is."""
    for row in np.flatnonzero(np.diff(track.frames) > 1).tolist():
        first, stop = int(track.frames[row]) + 1, int(track.frames[row + 1])
        level = float(np.interp(stop - first, [1, 5], [0.6, 0.8]))
        why = f"not seen for {stop - first} frame{'s' if stop > first + 1 else ''} between others"
        for frame in range(first, stop):
            if not track.is_confirmed(frame):
                yield Flag(ReviewKind.LOST, track.object_id, frame, level, why, track.place(row))


def beginnings(track: ReviewedTrack, movie: ReviewedMovie) -> Iterator[Flag]:
    """Flag an object that appears in the middle of frame and movie, of no division."""
    is_explained = track.object_id in movie.born or track.at_edge[0] or track.frames[0] == movie.span.start
    if track.is_open[0] and not is_explained and track.object_id not in movie.may_be_born:
        why = f"first seen on frame {track.frames[0]}, away from the edge{_for_how_long(track)}"
        yield _flag(ReviewKind.APPEARS, track, 0, _brief(track), why)


def endings(track: ReviewedTrack, movie: ReviewedMovie) -> Iterator[Flag]:
    """Flag the first frame on which an object is missing that ends in the middle of frame and movie."""
    last = int(track.frames[-1])
    divides = track.object_id in movie.divisions or track.object_id in movie.may_divide
    is_explained = divides or track.at_edge[-1] or last + 1 == movie.span.stop
    if not is_explained and not track.is_confirmed(last + 1):
        why = f"last seen on frame {last}, away from the edge{_for_how_long(track)}"
        place = track.place(len(track.frames) - 1)
        yield Flag(ReviewKind.DISAPPEARS, track.object_id, last + 1, _brief(track), why, place)


def _flag(kind: ReviewKind, track: ReviewedTrack, row: int, score: float, why: str) -> Flag:
    return Flag(kind, track.object_id, int(track.frames[row]), float(score), why, track.place(row))


def _brief(track: ReviewedTrack) -> float:
    return float(np.interp(len(track.frames), [1, _SHORT], [0.8, 0.5]))


def _for_how_long(track: ReviewedTrack) -> str:
    count = len(track.frames)
    return f", on {count} frame{'s' if count > 1 else ''} alone" if count < _SHORT else ""
