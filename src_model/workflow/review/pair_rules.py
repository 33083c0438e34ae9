"""The rules of doubt about several objects: who overlaps, who may be mistaken for whom, and who divides."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

from src_model.document.division_scores import DECLINED
from src_model.workflow.review.events import Flag, ReviewKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from src_model.document.division_scores import ScoredDivision
    from src_model.workflow.review.reviewed_movie import ReviewedMovie, ReviewedTrack

_OVERLAP: Final = 0.15
"""Of the smaller of two masks, from which on an overlap is more than a common edge."""

_SURE: Final = 0.9
"""Score from which on nobody is asked about a division that is marked."""

_NEAR: Final = 2.0
"""Diameters between two objects that may be mistaken for one another."""

_SAME_SIZE: Final = 1.5
"""Times; objects whose areas differ more are told apart."""

_SWAPPED: Final = 0.6
"""Way of two objects between frames, in the way if each were the other, from which on they may be swapped."""


def overlapping(movie: ReviewedMovie) -> Iterator[Flag]:
    """Flag frames on which two objects claim the same pixels: of those that nobody confirmed the one less sure."""
    for frame, pairs in movie.overlaps.items():
        rows = movie.rows_on(frame)
        for pair, share in pairs.items():
            is_open = [n for n in pair if n in rows and movie.tracks[n].is_open[rows[n]]]
            if share < _OVERLAP or not is_open or not rows.keys() >= set(pair):
                continue
            number = min(is_open, key=lambda n: float(movie.tracks[n].scores[rows[n]]))
            other = pair[0] if number == pair[1] else pair[1]
            level = float(np.interp(share, [_OVERLAP, 0.6], [0.4, 1.0]))
            why = f"has {share:.0%} of the smaller of both in common with object {other}"
            place = movie.tracks[number].place(rows[number])
            yield Flag(ReviewKind.OVERLAP, number, frame, level, why, place, (other,))


def lookalikes(movie: ReviewedMovie) -> Iterator[Flag]:
    """Flag pairs of neighbours of one size that the way from the frame before does not tell apart."""
    for frame in movie.span:
        rows = {number: row for number, row in movie.rows_on(frame).items() if _was_seen_before(movie, number, row)}
        numbers = list(rows)
        for first, second, ratio in _alike(movie, rows):
            pair = (numbers[first], numbers[second])
            number = next((n for n in pair if movie.tracks[n].is_open[rows[n]]), None)
            if number is not None:
                other = pair[0] if number == pair[1] else pair[1]
                level = float(np.interp(ratio, [_SWAPPED, 1.2], [0.3, 1.0]))
                why = f"object {other} is about as near to where it was, and as large"
                place = movie.tracks[number].place(rows[number])
                yield Flag(ReviewKind.LOOKALIKE, number, frame, level, why, place, (other,))


def _alike(movie: ReviewedMovie, rows: Mapping[int, int]) -> Iterator[tuple[int, int, float]]:
    """Yield places of two objects in ``rows``, and their way in the way if each were the other."""
    places = [(movie.tracks[number], row) for number, row in rows.items()]
    if len(places) < 2:
        return
    now = np.array([track.centroids[row] for track, row in places])
    before = np.array([track.centroids[row - 1] for track, row in places])
    areas = np.array([track.areas[row] for track, row in places])
    diameters = np.array([track.diameters[row] for track, row in places])
    near = np.linalg.norm(now[:, None] - now[None], axis=2) < _NEAR * np.minimum.outer(diameters, diameters)
    near &= np.maximum.outer(areas, areas) < _SAME_SIZE * np.minimum.outer(areas, areas)
    for first, second in zip(*np.nonzero(np.triu(near, 1)), strict=True):
        own = math.dist(now[first], before[first]) + math.dist(now[second], before[second])
        crossed = math.dist(now[first], before[second]) + math.dist(now[second], before[first])
        if own > _SWAPPED * crossed:
            yield int(first), int(second), own / max(crossed, 1e-9)


def doubtful_divisions(movie: ReviewedMovie) -> Iterator[Flag]:
    """Flag divisions that are suggested, and those that were marked with a low score."""
    for each in movie.scored:
        row = _place_of(movie, each)
        if row is None or not DECLINED < each.score < _SURE:
            continue
        marked = movie.divisions.get(each.parent)
        if marked is None:
            level, text = np.interp(each.score, [0.3, 0.6], [0.4, 0.7]), "may divide"
        elif (marked.frame, marked.daughters) == (each.frame, tuple(sorted(each.daughters))):
            level, text = np.interp(each.score, [0.6, _SURE], [0.7, 0.3]), "divides"
        else:
            continue  # a person marked another one
        why = f"{text} into {each.daughters[0]} and {each.daughters[1]}, score {each.score:.2f}"
        place = movie.tracks[each.parent].place(row)
        yield Flag(ReviewKind.DIVISION, each.parent, each.frame, float(level), why, place, each.daughters)


def _place_of(movie: ReviewedMovie, division: ScoredDivision) -> int | None:
    """Return the last row of the mother before a division; None where she, or a daughter, is gone."""
    mother = movie.tracks.get(division.parent)
    if mother is None or any(number not in movie.tracks for number in division.daughters):
        return None
    row = int(np.searchsorted(mother.frames, division.frame)) - 1
    return row if row >= 0 else None


def _was_seen_before(movie: ReviewedMovie, number: int, row: int) -> bool:
    track: ReviewedTrack = movie.tracks[number]
    return row > 0 and bool(track.frames[row - 1] == track.frames[row] - 1)
