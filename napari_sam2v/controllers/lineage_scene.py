"""A lineage as it is drawn: tracks with their gaps and scores, edges, and what lies under the pointer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import numpy as np

from napari_sam2v.controllers.lineage_layout import track_columns
from napari_sam2v.controllers.lineage_view import LineageExtent
from src_model.workflow.review import LOW_SCORE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from napari_sam2v.controllers.lineage_view import LineageView
    from napari_sam2v.view_state import TimeMarks
    from src_model.document import Division

LEVELS: Final = (LOW_SCORE, 0.85)
"""Scores from which on a track is drawn wider: below the first a frame is worth a look."""
REACH: Final = 7.0
"""How near to a track, an end or an edge the pointer takes it, in pixels."""
BANDS: Final = 4
"""Parts of the visible time in each of which a column of pixels shows a track of its own."""
MOST_PIECES: Final = 20_000
"""More pieces than that in view are drawn as one line a track."""


@dataclass(frozen=True, slots=True, eq=False)
class TrackShape:
    """When an object is there.

    Attributes
    ----------
    start, stop
        First frame with a mask that is not empty, and the one behind the last.
    pieces
        (P, 3) int32: start, stop (excluded) and level of the score of stretches without a gap, ascending. The level is
        the number of `LEVELS` that the scores reach.
    """

    start: int
    stop: int
    pieces: NDArray[np.int32]

    @classmethod
    def of(cls, marks: TimeMarks) -> TrackShape | None:
        """Return when an object with these marks is there; None if it never is."""
        levels = np.digitize(np.nan_to_num(marks.scores), LEVELS)
        levels[np.isnan(marks.scores) | marks.absent] = -1
        edges = np.flatnonzero(np.diff(levels, prepend=-1, append=-1))
        if not len(edges):
            return None
        pieces = np.column_stack([edges[:-1], edges[1:], levels[edges[:-1]]]).astype(np.int32)
        return cls(int(edges[0]), int(edges[-1]), pieces[pieces[:, 2] >= 0])

    @classmethod
    def nowhere(cls, frame: int) -> TrackShape:
        """Return the shape of an object that has an edge on a frame and no mask at all."""
        return cls(frame, frame, np.zeros((0, 3), np.int32))


@dataclass(frozen=True, slots=True)
class Edge:
    """A parent that became a daughter on a frame."""

    parent: int
    daughter: int
    frame: int


@dataclass(frozen=True, slots=True)
class TrackHit:
    """A place on a track: the object, the frame, and whether it is at one of its ends."""

    object_id: int
    frame: int
    part: Literal["beginning", "middle", "end"]


Hit: TypeAlias = TrackHit | Edge | None


class LineageScene:
    """Everything that is drawn of a lineage, in arrays, so that what is in view is found at once.

    Parameters
    ----------
    shapes
        When each object is there; those that are nowhere and have no edge are not drawn.
    divisions
        Divisions by parent.
    frames
        Length of the movie.

    Attributes
    ----------
    column_of, place
        Column, and place from left to right, by object id.
    ids, columns, starts, stops
        (N,) of each track from left to right: object id, column, first frame and the one behind the last; int64, the
        columns float64.
    pieces, piece_tracks
        (P, 3) start, stop and level of all pieces, and (P,) the place of their track in `ids`, ascending.
    edges, edge_places
        All edges, and (E, 3) float64: the columns of parent and daughter, and the frame.
    is_fusion
        (E,) bool: whether the daughter of the edge has several parents.
    """

    def __init__(self, shapes: Mapping[int, TrackShape], divisions: Mapping[int, Division], frames: int) -> None:
        edges = [
            Edge(division.parent, daughter, division.frame)
            for division in divisions.values()
            for daughter in division.daughters
        ]
        known = {number: TrackShape.nowhere(e.frame) for e in edges for number in (e.parent, e.daughter)}
        known.update(shapes)
        self.column_of = track_columns(known, divisions)
        self.place = {number: place for place, number in enumerate(self.column_of)}
        shown = [known[number] for number in self.place]
        self.ids = np.array(list(self.place), np.int64)
        self.columns = np.array(list(self.column_of.values()), np.float64)
        self.starts = np.array([shape.start for shape in shown], np.int64)
        self.stops = np.array([shape.stop for shape in shown], np.int64)
        self.pieces = np.concatenate([np.zeros((0, 3), np.int32), *(shape.pieces for shape in shown)])
        self.piece_tracks = np.repeat(np.arange(len(shown)), [len(shape.pieces) for shape in shown])
        self.edges = edges
        self.edge_places = np.array(
            [(self.column_of[e.parent], self.column_of[e.daughter], e.frame) for e in edges], np.float64
        ).reshape(-1, 3)
        daughters = np.array([edge.daughter for edge in edges], np.int64)
        _, inverse, counts = np.unique(daughters, return_inverse=True, return_counts=True)
        self.is_fusion = counts[inverse] > 1
        self.extent = LineageExtent(float(self.columns[-1]) + 1 if len(self.ids) else 0.0, frames)

    def tracks_in(self, view: LineageView) -> NDArray[np.intp]:
        """Return the places of the tracks in view, (M,) ascending.

        Of those that share a column of pixels and begin at about the same time, one stands for all.
        """
        columns = (view.column_at(-REACH), view.column_at(view.width + REACH))
        low, high = np.searchsorted(self.columns, columns)
        top, bottom = view.top, view.top + view.height / view.frame_height
        places = np.arange(low, high)
        places = places[(self.stops[places] >= top) & (self.starts[places] <= bottom)]
        if view.column_width >= 1:
            return places
        pixels = np.floor(self.columns[places] * view.column_width)
        bands = np.floor(np.maximum(self.starts[places] - top, 0) / (bottom - top) * BANDS)
        _, first = np.unique(pixels * (BANDS + 1) + bands, return_index=True)
        return np.sort(places[first])

    def pieces_in(self, view: LineageView, tracks: NDArray[np.intp]) -> tuple[NDArray[np.int32], NDArray[np.intp]]:
        """Return the pieces (P, 3) of these tracks in view, and the place of the track of each, (P,).

        Where there are more than `MOST_PIECES`, one piece a track stands for all of them, at its highest level.
        """
        is_shown = np.zeros(len(self.ids), bool)
        is_shown[tracks] = True
        bottom = view.top + view.height / view.frame_height
        found = is_shown[self.piece_tracks] & (self.pieces[:, 1] >= view.top) & (self.pieces[:, 0] <= bottom)
        if np.count_nonzero(found) > MOST_PIECES:
            whole = [self.starts[tracks], self.stops[tracks], np.full(len(tracks), len(LEVELS))]
            return np.column_stack(whole).astype(np.int32), tracks
        return self.pieces[found], self.piece_tracks[found]

    def edges_in(self, view: LineageView) -> NDArray[np.intp]:
        """Return the places of the edges in view that are long enough to be seen, (M,)."""
        first, last = np.sort(self.edge_places[:, :2], axis=1).T
        frames = self.edge_places[:, 2]
        found = (last >= view.column_at(0)) & (first <= view.column_at(view.width))
        found &= (frames >= view.top) & (frames <= view.top + view.height / view.frame_height)
        return np.flatnonzero(found & ((last - first) * view.column_width >= 1))

    def hit(self, view: LineageView, x: float, y: float) -> Hit:
        """Return what lies under a pixel of the plot: the nearest track, else the nearest edge, else nothing."""
        return self._track_at(view, x, y) or self._edge_at(view, x, y)

    def _track_at(self, view: LineageView, x: float, y: float) -> TrackHit | None:
        low, high = np.searchsorted(self.columns, (view.column_at(x - REACH), view.column_at(x + REACH)))
        near = slice(int(low), int(high))
        tops, bottoms = view.y_of(self.starts[near]), view.y_of(self.stops[near])
        beside = np.maximum(np.maximum(tops - y, y - bottoms), 0)
        distances = np.where(beside <= REACH, beside + np.abs(view.x_of(self.columns[near]) - x), np.inf)
        if not len(distances) or not np.isfinite(distances).any():
            return None
        nearest = int(np.argmin(distances))
        place = int(low) + nearest
        start, stop = int(self.starts[place]), int(self.stops[place])
        to_start, to_stop = abs(y - float(tops[nearest])), abs(y - float(bottoms[nearest]))
        frame = min(max(view.frame_at(y), start), max(start, stop - 1))
        if min(to_start, to_stop) > REACH:
            return TrackHit(int(self.ids[place]), frame, "middle")
        return TrackHit(int(self.ids[place]), frame, "beginning" if to_start < to_stop else "end")

    def _edge_at(self, view: LineageView, x: float, y: float) -> Edge | None:
        first, last = np.sort(self.edge_places[:, :2], axis=1).T
        beside = np.abs(view.y_of(self.edge_places[:, 2]) - y)
        column = view.column_at(x)
        # of several that lie upon one another, the shortest: it is the one that no other one covers
        order = np.where((beside <= REACH) & (first <= column) & (column <= last), last - first, np.inf)
        return self.edges[int(np.argmin(order))] if np.isfinite(order).any() else None

    def edges_to(self, object_id: int) -> tuple[Edge, ...]:
        """Return the edges by which an object comes of others."""
        return tuple(edge for edge in self.edges if edge.daughter == object_id)

    def dropped(self, source: Hit, target: Hit) -> Edge | tuple[Edge, ...] | None:
        """Return what it means to drag something onto something.

        Returns
        -------
        Edge
            To be made: the end of a track and the beginning of another were brought together.
        tuple of Edge
            To be cut: an edge, or the beginning of a daughter, was dragged away from everything.
        None
            Nothing that can be.
        """
        if target is None:
            if isinstance(source, Edge):
                return (source,)
            is_beginning = source is not None and source.part == "beginning"
            return (self.edges_to(source.object_id) or None) if source is not None and is_beginning else None
        if isinstance(source, Edge) or isinstance(target, Edge) or source is None:
            return None
        if source.object_id == target.object_id:
            return None
        if source.part == "beginning" and target.part != "beginning":
            return Edge(target.object_id, source.object_id, self._start_of(source))
        if source.part == "end" and target.part == "beginning":
            return Edge(source.object_id, target.object_id, self._start_of(target))
        return None

    def _start_of(self, hit: TrackHit) -> int:
        return int(self.starts[self.place[hit.object_id]])
