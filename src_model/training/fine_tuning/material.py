"""What there is to learn from, whether it is enough, and what of it is held out to tell whether training helped."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from src_model.errors import DamagedFrameError, TrainingError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from src_model.datasets import LabelledMovie

_log = logging.getLogger(__name__)

LEAST_AREA = 16
"""Pixels of a mask that counts; fewer say nothing of a shape."""

LEAST_FRAMES, LEAST_MASKS = 6, 24
"""Labelled frames and masks below which a result cannot be told from chance."""

_MOVIE_SHARE, _TIME_SHARE, _OBJECT_SHARE = 0.25, 0.3, 0.25
"""What is held out of several movies; or of the frames of one, and of its objects."""

_OBJECTS_TO_DIVIDE = 4
"""With fewer objects, holding some out would leave too few to learn from."""


@dataclass(frozen=True, slots=True)
class AnnotatedPart:
    """Some labelled frames and some objects of a movie.

    Attributes
    ----------
    movie
        Where they come from.
    shown
        Ids of this part's objects that a frame shows, by frame number, ascending; frames without any are kept.
    """

    movie: LabelledMovie
    shown: Mapping[int, tuple[int, ...]]

    @property
    def frames(self) -> tuple[int, ...]:
        """Numbers of its labelled frames, from 0, ascending."""
        return tuple(self.shown)

    @property
    def masks(self) -> int:
        """Number of masks, one for each object on each frame that shows it."""
        return sum(map(len, self.shown.values()))

    @property
    def objects(self) -> tuple[int, ...]:
        """Ids of its objects, ascending."""
        return tuple(sorted({object_id for objects in self.shown.values() for object_id in objects}))

    def only(self, *, frames: Iterable[int] | None = None, objects: Iterable[int] | None = None) -> AnnotatedPart:
        """Take some of the frames and objects; all of them where None is given."""
        wanted = self.frames if frames is None else sorted(frames)
        kept = set(self.objects if objects is None else objects)
        return AnnotatedPart(self.movie, {frame: tuple(i for i in self.shown[frame] if i in kept) for frame in wanted})


def survey(movies: Iterable[LabelledMovie]) -> tuple[AnnotatedPart, ...]:
    """Look through all labels; damaged frames and movies without any mask are left out."""
    parts = []
    for movie in movies:
        shown = {}
        for frame in filter(partial(_can_be_read, movie), sorted(movie.labelled_frames)):
            ids, areas = np.unique(movie.labels(frame), return_counts=True)
            shown[frame] = tuple(ids[(ids > 0) & (areas >= LEAST_AREA)].tolist())
        if any(shown.values()):
            parts.append(AnnotatedPart(movie, shown))
    return tuple(parts)


def _can_be_read(movie: LabelledMovie, frame: int) -> bool:
    try:
        movie.movie.read(frame)
    except DamagedFrameError as error:
        _log.warning("not learnt from: %s", error)
        return False
    return True


def check_enough(parts: tuple[AnnotatedPart, ...], name: str) -> None:
    """Refuse what nothing can be learnt from, let alone be tested on.

    Raises
    ------
    TrainingError
        The message says what is there and what is needed.
    """
    frames, masks = sum(len(part.frames) for part in parts), sum(part.masks for part in parts)
    if frames >= LEAST_FRAMES and masks >= LEAST_MASKS:
        return
    objects = sum(len(part.objects) for part in parts)
    raise TrainingError(
        f"'{name}' has {_count(masks, 'mask')} of {_count(objects, 'object')} on {_count(frames, 'labelled frame')} "
        f"in {_count(len(parts), 'movie')}, which is too little to fine-tune: at least {LEAST_MASKS} masks on "
        f"{LEAST_FRAMES} labelled frames are needed, because a third of them is held out to see whether it helped. "
        f"Annotate more objects or more frames; correcting what the tracker finds is the quickest way"
    )


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


@dataclass(frozen=True, slots=True)
class Split:
    """What is trained on and what is held out.

    Attributes
    ----------
    train, held_out
        Never share a frame; where the held-out frames are of a movie that is trained on, objects differ too if there
        are enough of them.
    words
        How it was done, in words for the report, such as "1 of 4 movies (d)".
    """

    train: tuple[AnnotatedPart, ...]
    held_out: tuple[AnnotatedPart, ...]
    words: str


def hold_out(parts: Sequence[AnnotatedPart], seed: int) -> Split:
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


def _by_movie(parts: Sequence[AnnotatedPart], seed: int) -> Split:
    order = np.random.default_rng([seed, 11]).permutation(len(parts)).tolist()
    count = max(1, round(_MOVIE_SHARE * len(parts)))
    held_out = tuple(parts[index] for index in sorted(order[:count]))
    train = tuple(parts[index] for index in sorted(order[count:]))
    names = ", ".join(part.movie.name for part in held_out[:3]) + (", ..." if count > 3 else "")
    return Split(train, held_out, f"{count} of {len(parts)} movies ({names})")


def _by_time(part: AnnotatedPart, seed: int) -> Split:
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
