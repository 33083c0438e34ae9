"""Which tracked frames are in doubt: one definition for table, time strip, keys and status line; no Qt in here.

A frame is open where tracking made its mask and nobody confirmed it: not prompted, painted, imported or locked. Where
the object is not in view there is no mask whose score could be low. Of the open frames, those below `LOW_SCORE` are in
doubt.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_sam2v.panel.view_state import TimeMarks

LOW_SCORE = 0.7
"""Below this a frame is worth a look: on most movies a predicted IoU of 0.7 comes with a visible error."""


def open_scores(marks: TimeMarks) -> NDArray[np.float32]:
    """Return (length,) float32: the scores of open frames, NaN on all others."""
    is_open = marks.tracked & ~(marks.prompted | marks.locked | marks.absent)
    return np.where(is_open, marks.scores, np.float32(np.nan))


def in_doubt(marks: TimeMarks) -> NDArray[np.bool_]:
    """Return (length,) bool: which frames are in doubt."""
    found: NDArray[np.bool_] = open_scores(marks) < LOW_SCORE
    return found


def worst_frame(marks: TimeMarks) -> int | None:
    """Return the open frame of the lowest score, in doubt or not; None where no frame is open."""
    scores = open_scores(marks)
    return None if np.isnan(scores).all() else int(np.nanargmin(scores))


def stops(marks: TimeMarks) -> list[int]:
    """Return the frames at which a review stops, ascending: the worst one of each stretch of frames in doubt."""
    scores, edges = open_scores(marks), np.flatnonzero(np.diff(in_doubt(marks), prepend=False, append=False))
    stretches = zip(edges[::2], edges[1::2], strict=True)
    return [int(start + np.argmin(scores[start:stop])) for start, stop in stretches]
