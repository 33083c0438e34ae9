"""Everything doubtful in a whole movie as one list, the worst first, from its document alone."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from src_model.workflow.review.events import Flag, ReviewEvent, events_of
from src_model.workflow.review.measures import MovieMeasures
from src_model.workflow.review.pair_rules import doubtful_divisions, lookalikes, overlapping
from src_model.workflow.review.reviewed_movie import ReviewedMovie
from src_model.workflow.review.rules import (
    area_jumps,
    beginnings,
    endings,
    fast_moves,
    gaps,
    low_scores,
    shape_jumps,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from src_model.document import DocumentView


class ReviewQueue:
    """Finds what is doubtful in one document; what it measured of masks is kept until they change."""

    def __init__(self) -> None:
        self._measures = MovieMeasures()

    def update(self, view: DocumentView, is_stopped: Callable[[], bool] = lambda: False) -> tuple[ReviewEvent, ...]:
        """Look at a document as it is now; may be called on any thread, with a snapshot.

        Returns
        -------
        tuple of ReviewEvent
            The worst first. Frames that are prompted, painted or locked are in none.

        Raises
        ------
        StoppedError
            If it is to stop; the next time goes on from there.
        """
        self._measures.update(view, is_stopped)
        movie = ReviewedMovie.of(view, self._measures)
        # Only now, as whoever is locked is still somebody's neighbour.
        return events_of(
            chain(_flags_of_tracks(movie), overlapping(movie), lookalikes(movie), doubtful_divisions(movie))
        )


def _flags_of_tracks(movie: ReviewedMovie) -> Iterator[Flag]:
    for track in movie.tracks.values():
        yield from low_scores(track)
        yield from area_jumps(track)
        yield from shape_jumps(track, movie)
        yield from fast_moves(track, movie)
        yield from gaps(track)
        yield from beginnings(track, movie)
        yield from endings(track, movie)
