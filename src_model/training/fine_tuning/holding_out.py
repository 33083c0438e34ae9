"""What is not trained on, so that it can tell whether the training helped."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from src_model.errors import TrainingError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from src_model.training.fine_tuning.material import Part

_MOVIE_SHARE, _TIME_SHARE, _OBJECT_SHARE = 0.25, 0.3, 0.25
_OBJECTS_TO_DIVIDE = 4


@dataclass(frozen=True, slots=True)
class Split:
    """What is trained on and what is held out.

    Attributes
    ----------
    train, held_out
        Never share a frame; where the held-out frames are of a movie that is trained on, objects differ too if there
        are enough of them.
    words
        How it was done, for people.
    """

    train: tuple[Part, ...]
    held_out: tuple[Part, ...]
    words: str


def hold_out(parts: Sequence[Part], seed: int) -> Split:
    """Hold out whole movies where there are several, else the end of the movie and some of its objects.

    Raises
    ------
    TrainingError
        If nothing can be held out.
    """
    split = _by_movie(parts, seed) if len(parts) > 1 else _by_time(parts[0], seed)
    if not any(part.masks for part in split.train) or not any(part.masks for part in split.held_out):
        raise TrainingError(
            "the annotated objects cannot be divided into some to learn from and some to test on: annotate objects "
            "that are there at the beginning and at the end of the movie, or a second movie"
        )
    return split


def _by_movie(parts: Sequence[Part], seed: int) -> Split:
    order = np.random.default_rng([seed, 11]).permutation(len(parts)).tolist()
    count = max(1, round(_MOVIE_SHARE * len(parts)))
    held_out = tuple(parts[index] for index in sorted(order[:count]))
    train = tuple(parts[index] for index in sorted(order[count:]))
    names = ", ".join(part.movie.name for part in held_out[:3]) + (", ..." if count > 3 else "")
    return Split(train, held_out, f"{count} of {len(parts)} movies ({names})")


def _by_time(part: Part, seed: int) -> Split:
    frames = part.frames
    later = max(1, round(_TIME_SHARE * len(frames)))
    before, after = frames[:-later], frames[-later:]
    at_the_end = part.only(frames=after).objects
    words = f"the last {later} of {len(frames)} labelled frames"
    if len(part.objects) < _OBJECTS_TO_DIVIDE or len(at_the_end) < 2:
        return Split((part.only(frames=before),), (part.only(frames=after),), words)
    count = max(1, round(_OBJECT_SHARE * len(at_the_end)))
    unseen = np.random.default_rng([seed, 12]).choice(at_the_end, count, replace=False).tolist()
    train = part.only(frames=before, objects=set(part.objects) - set(unseen))
    held_out = part.only(frames=after, objects=unseen)
    return Split((train,), (held_out,), f"{count} of {len(at_the_end)} objects on {words}")
