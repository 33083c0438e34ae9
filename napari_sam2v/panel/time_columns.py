"""A movie's frames squeezed into pixel columns, so that no mark gets lost; no Qt in here."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_sam2v.panel.doubt import LOW_SCORE
from napari_sam2v.panel.view_state import TimeMarks


@dataclass(frozen=True, slots=True)
class TimeScale:
    """Where frames lie on a line of `width` pixels that shows `length` frames."""

    length: int
    width: float

    def frame_at(self, x: float) -> int:
        """Return the frame under pixel `x`, the nearest one where `x` is beside the line."""
        if self.length < 1 or self.width <= 0:
            return 0
        return int(np.clip(x * self.length / self.width, 0, self.length - 1))

    def left_of(self, frame: float) -> float:
        """Return the pixel where a frame begins."""
        return frame * self.width / max(1, self.length)

    def middle_of(self, frame: float) -> float:
        """Return the pixel in the middle of a frame."""
        return self.left_of(frame + 0.5)


@dataclass(frozen=True, slots=True, eq=False)
class TimeColumns:
    """Marks by pixel column: arrays of shape (columns,).

    Marks that are rare (prompted, edited, locked, absent) hold where any frame of the column has them. `tracked` is the
    share of frames that were tracked or imported, 0 to 1, so that gaps show as well. `lowest` and `highest` bound the
    scores, NaN where there is none.
    """

    prompted: NDArray[np.bool_]
    edited: NDArray[np.bool_]
    locked: NDArray[np.bool_]
    absent: NDArray[np.bool_]
    tracked: NDArray[np.float64]
    lowest: NDArray[np.float32]
    highest: NDArray[np.float32]


def columns_of(marks: TimeMarks, width: int) -> TimeColumns:
    """Summarise all frames that fall into each of `width` pixel columns.

    Parameters
    ----------
    marks : TimeMarks
        Any number of frames, at least one.
    width : int
        Number of columns, at least one. Where there are more columns than frames, frames repeat.
    """
    first = np.arange(width) * marks.length // width
    # reduceat reduces up to the next index, and takes the single element where indices repeat
    return TimeColumns(
        prompted=np.logical_or.reduceat(marks.prompted, first),
        edited=np.logical_or.reduceat(marks.edited, first),
        locked=np.logical_or.reduceat(marks.locked, first),
        absent=np.logical_or.reduceat(marks.absent, first),
        tracked=np.add.reduceat(marks.tracked | marks.imported, first, dtype=np.float64)
        / frames_per_column(marks.length, first),
        lowest=np.fmin.reduceat(marks.scores, first),
        highest=np.fmax.reduceat(marks.scores, first),
    )


def frames_per_column(length: int, first: NDArray[np.int_]) -> NDArray[np.int_]:
    """Return how many frames each column stands for, given the first frame of each."""
    return np.maximum(np.diff(first, append=length), 1)


def runs(mask: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return the stretches of true values as half-open (start, stop) pairs."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], mask, [False]))))
    return [(int(start), int(stop)) for start, stop in zip(edges[::2], edges[1::2], strict=True)]


def low_points(scores: NDArray[np.float32], *, most: int = 4, apart: float = 0.04) -> list[int]:
    """Return the frames with the lowest scores, lowest first: the worst one always, others only if they are in doubt.

    Parameters
    ----------
    scores : (length,) float32
        Of open frames, NaN on others, as `open_scores` gives them; frames without a score are never returned.
    most : int
        At most so many.
    apart : float
        Least distance between two of them, as a share of the movie, so that one bad stretch counts once.
    """
    known = np.flatnonzero(np.isfinite(scores))
    if not known.size:
        return []
    worst = int(known[np.argmin(scores[known])])
    points, near = [worst], max(1.0, apart * len(scores))
    candidates = known[scores[known] < LOW_SCORE]
    while len(points) < most:
        candidates = candidates[np.abs(candidates - points[-1]) >= near]
        if not candidates.size:
            break
        points.append(int(candidates[np.argmin(scores[candidates])]))
    return points
