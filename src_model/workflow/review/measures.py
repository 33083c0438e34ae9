"""Areas, places and likeness of all masks of a document, measured once a mask and kept until it changes."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from src_model.errors import StoppedError
from src_model.masks import Rle, centroid, intersection_area, moved_iou

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from numpy.typing import NDArray

    from src_model.document import AnnotatedFrame, DocumentView
    from src_model.document.store import MaskFacts

Pair: TypeAlias = tuple[int, int]
"""Ids of two objects, the smaller first."""

_NEVER = -1
"""Version of a mask that was not measured."""

_NO_MASK = -2
"""Version of the mask before, where there is none."""

_LEAST_SHARED = 0.05
"""Of the smaller of two masks; less in common is not kept."""

Held: TypeAlias = "dict[int, tuple[Rle, tuple[float, float]]]"
"""Masks of one frame that are not empty, with their centroids, by object id."""


@dataclass(frozen=True, slots=True, eq=False)
class TrackMeasures:
    """What was measured of one object on the N frames on which it has a mask, or an empty one.

    Attributes
    ----------
    frames
        (N,) int64, ascending.
    areas
        (N,) float64, pixels; 0 where the object is not in view.
    centroids
        (N, 2) float64, (y, x) in pixels; NaN where it is not in view.
    boxes
        (N, 4) float64, ``(y0, x0, y1, x1)``, stops excluded; NaN where it is not in view.
    likeness
        (N,) float64, IoU with the mask of the frame before, moved onto this one, as a share of what their areas allow:
        how alike the outlines are, whatever their size. NaN where one of both is not there.
    scores, object_scores
        (N,) float64, predicted IoU and the probability that the object is there.
    origins
        (N,) int64, places in `ORIGINS`.
    versions, versions_before
        (N,) int64 of the mask that was measured, and of the one of the frame before.
    """

    frames: NDArray[np.int64]
    areas: NDArray[np.float64]
    centroids: NDArray[np.float64]
    boxes: NDArray[np.float64]
    likeness: NDArray[np.float64]
    scores: NDArray[np.float64]
    object_scores: NDArray[np.float64]
    origins: NDArray[np.int64]
    versions: NDArray[np.int64]
    versions_before: NDArray[np.int64]

    @classmethod
    def unmeasured(cls, facts: Iterable[MaskFacts]) -> TrackMeasures:
        """Begin with what is known of masks without reading them."""
        rows = [(fact.frame, fact.origin, fact.score, fact.object_score) for fact in facts]
        frames, origins, scores, object_scores = zip(*rows, strict=True) if rows else ((),) * 4
        count = len(rows)
        return cls(
            np.asarray(frames, np.int64),
            np.zeros(count),
            np.full((count, 2), np.nan),
            np.full((count, 4), np.nan),
            np.full(count, np.nan),
            np.asarray(scores, np.float64),
            np.asarray(object_scores, np.float64),
            np.asarray(origins, np.int64),
            np.full(count, _NEVER),
            np.full(count, _NEVER),
        )

    @property
    def seen(self) -> NDArray[np.bool_]:
        """(N,) bool: where the object is in view."""
        return self.areas > 0

    def row(self, frame: int) -> int | None:
        """Return the place of a frame; None where there is no mask."""
        place = int(np.searchsorted(self.frames, frame))
        return place if place < len(self.frames) and self.frames[place] == frame else None

    def take_over(self, known: TrackMeasures) -> None:
        """Take what was measured before on the same frames."""
        _, mine, theirs = np.intersect1d(self.frames, known.frames, assume_unique=True, return_indices=True)
        for name in ("areas", "centroids", "boxes", "likeness", "versions", "versions_before"):
            getattr(self, name)[mine] = getattr(known, name)[theirs]


class MovieMeasures:
    """Measures of all objects of a document; masks are read frame by frame, those that changed alone.

    It takes about 150 bytes a mask, and the masks of two frames while it is brought up to date.

    Attributes
    ----------
    tracks
        By ascending object id.
    overlaps
        By frame and pair of objects, what they have in common as a share of the smaller of both; 0.05 at least.
    """

    def __init__(self) -> None:
        self.tracks: dict[int, TrackMeasures] = {}
        self.overlaps: dict[int, dict[Pair, float]] = {}

    def update(self, view: DocumentView, is_stopped: Callable[[], bool] = lambda: False) -> None:
        """Measure what changed since the last time; may be called on any thread, with a snapshot.

        Raises
        ------
        StoppedError
            If it is to stop; what was measured until then is kept.
        """
        before, self.tracks = self.tracks, {}
        stale: dict[int, set[int]] = defaultdict(set)
        versions: dict[int, tuple[NDArray[np.int64], NDArray[np.int64]]] = {}
        for number in view.objects:
            facts = list(view.track(number).masks.facts())
            track = self.tracks[number] = TrackMeasures.unmeasured(facts)
            if number in before:
                track.take_over(before[number])
            versions[number] = _versions_of(track, facts)
            now, earlier = versions[number]
            for frame in track.frames[(track.versions != now) | (track.versions_before != earlier)].tolist():
                stale[frame].add(number)
        held: tuple[int, Held] = (-1, {})
        for frame in sorted(stale):
            if is_stopped():
                raise StoppedError("measuring was stopped")
            held = (frame, self._measure(view, frame, stale[frame], held[1] if held[0] == frame - 1 else {}))
            for number in stale[frame]:
                row = self.tracks[number].row(frame)
                self.tracks[number].versions[row] = versions[number][0][row]
                self.tracks[number].versions_before[row] = versions[number][1][row]

    def _measure(self, view: DocumentView, frame: int, stale: set[int], before: Held) -> Held:
        """Measure objects on a frame; return their masks with those that ``before`` may be asked for."""
        entries = view.masks_at(frame)
        held: Held = {}
        for number in stale:
            mask, track = entries[number].mask, self.tracks[number]
            place, row = centroid(mask), track.row(frame)
            track.areas[row], track.likeness[row] = mask.area, np.nan
            track.centroids[row], track.boxes[row] = np.nan if place is None else place, mask.box or np.nan
            if place is not None:
                held[number] = (mask, place)
                earlier = before.get(number) or _held(view, number, frame - 1)
                if earlier is not None:
                    by = round(place[0] - earlier[1][0]), round(place[1] - earlier[1][1])
                    smaller, larger = sorted((earlier[0].area, mask.area))
                    track.likeness[row] = moved_iou(earlier[0], mask, by) * larger / smaller
        self._measure_overlaps(frame, stale, entries)
        return held

    def _measure_overlaps(self, frame: int, stale: set[int], entries: Mapping[int, AnnotatedFrame]) -> None:
        kept = {
            pair: share
            for pair, share in self.overlaps.pop(frame, {}).items()
            if not stale.intersection(pair) and all(number in entries for number in pair)
        }
        seen = [number for number in sorted(entries) if not entries[number].mask.is_empty]
        boxes = np.array([self.tracks[n].boxes[self.tracks[n].row(frame)] for n in seen]).reshape(-1, 4)
        low = np.maximum(boxes[:, None, :2], boxes[None, :, :2])
        high = np.minimum(boxes[:, None, 2:], boxes[None, :, 2:])
        for first, second in zip(*np.nonzero(np.triu((low < high).all(axis=2), 1)), strict=True):
            pair = (seen[first], seen[second])
            if stale.intersection(pair):
                masks = [entries[number].mask for number in pair]
                share = intersection_area(*masks) / min(mask.area for mask in masks)
                if share >= _LEAST_SHARED:
                    kept[pair] = share
        if kept:
            self.overlaps[frame] = kept


def _versions_of(track: TrackMeasures, facts: list[MaskFacts]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return (N,) versions of an object's masks, and of those on the frame before each."""
    now = np.array([fact.version for fact in facts], np.int64)
    earlier = np.full(len(now), _NO_MASK)
    follows = np.diff(track.frames) == 1
    earlier[1:][follows] = now[:-1][follows]
    return now, earlier


def _held(view: DocumentView, number: int, frame: int) -> tuple[Rle, tuple[float, float]] | None:
    mask = view.mask_at(number, frame) if frame >= 0 else None
    place = None if mask is None else centroid(mask)
    return None if mask is None or place is None else (mask, place)
