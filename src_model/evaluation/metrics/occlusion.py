"""Occlusion: whether the object score tells when an object is there."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from src_model.errors import EvaluationError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True, slots=True)
class OcclusionScores:
    """How well presence and absence were told apart. Shares are 0..1, and NaN where there is nothing to count.

    Parameters
    ----------
    accuracy
        Share of the frames told rightly.
    balanced
        Mean of the shares told rightly of the frames with the object and of those without; the one there is if the
        object is always, or never, there.
    disappearances
        How often the object was there on one frame and not on the next.
    found_within
        Share of the disappearances that were noticed in time.
    returns
        How often the object was not there on one frame and there on the next.
    found_again
        Share of the returns that were noticed in time.
    """

    accuracy: float
    balanced: float
    disappearances: int
    found_within: float
    returns: int
    found_again: float


def occlusion_scores(object_scores: ArrayLike, present: ArrayLike, *, within: int = 2) -> OcclusionScores:
    """Compare object scores with whether the object is there.

    A disappearance is noticed in time if the score calls the object absent on one of the first ``within`` frames of
    the absence; an absence that is shorter has fewer frames to notice it. Returns likewise.

    Parameters
    ----------
    object_scores
        ``(..., T)`` scores of objects over the frames, in temporal order; above 0 means present.
    present
        ``(..., T)`` bool, whether the object really is there.
    within
        Number of frames in which a change has to be noticed, at least 1.

    Raises
    ------
    EvaluationError
        If the shapes differ or have no frame axis, a score is NaN, ``present`` is not bool, or ``within`` is less
        than 1.
    """
    scores, there = np.asarray(object_scores, np.float64), np.asarray(present)
    if scores.shape != there.shape or scores.ndim == 0:
        raise EvaluationError(f"scores {scores.shape} and presence {there.shape} must have one shape (..., frames)")
    if np.isnan(scores).any() or (there.dtype != bool and there.size):
        raise EvaluationError(f"scores must not be NaN and presence must be bool, got presence of {there.dtype}")
    if within < 1:
        raise EvaluationError(f"a change can be noticed within 1 frame or more, got {within}")
    there = there.astype(bool).reshape(math.prod(there.shape[:-1]), there.shape[-1])
    right = (scores.reshape(there.shape) > 0) == there
    disappearances, found_within = _noticed(right, there, False, within)
    returns, found_again = _noticed(right, there, True, within)
    each = [float(right[there == state].mean()) for state in (True, False) if (there == state).any()]
    return OcclusionScores(
        accuracy=float(right.mean()) if right.size else math.nan,
        balanced=sum(each) / len(each) if each else math.nan,
        disappearances=disappearances,
        found_within=found_within,
        returns=returns,
        found_again=found_again,
    )


def _noticed(right: NDArray[np.bool_], there: NDArray[np.bool_], state: bool, within: int) -> tuple[int, float]:
    """Return how often the object changed to ``state``, and the share of the changes noticed in time."""
    changes = np.argwhere((there[:, 1:] == state) & (there[:, :-1] != state)) + np.array((0, 1))
    noticed = 0
    for each, frame in changes:
        window = slice(frame, frame + within)
        # The window ends where the state does: what is right after a further change says nothing about this one.
        lasting = np.logical_and.accumulate(there[each, window] == state)
        noticed += bool((right[each, window] & lasting).any())
    return len(changes), noticed / len(changes) if len(changes) else math.nan
