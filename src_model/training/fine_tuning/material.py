"""What there is to learn from, and whether it is enough."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from src_model.errors import DamagedFrameError, TrainingError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from src_model.datasets import LabelledMovie

_log = logging.getLogger(__name__)

LEAST_AREA = 16
"""Pixels of a mask that counts."""

LEAST_FRAMES, LEAST_MASKS = 6, 24


@dataclass(frozen=True, slots=True)
class Part:
    """Some labelled frames and some objects of a movie.

    Attributes
    ----------
    movie
        The movie.
    shown
        Objects of this part that each of its frames shows, by frame, ascending; frames without any are kept.
    """

    movie: LabelledMovie
    shown: Mapping[int, tuple[int, ...]]

    @property
    def frames(self) -> tuple[int, ...]:
        """Its labelled frames."""
        return tuple(self.shown)

    @property
    def masks(self) -> int:
        """How many masks it has."""
        return sum(map(len, self.shown.values()))

    @property
    def objects(self) -> tuple[int, ...]:
        """The ids of its objects."""
        return tuple(sorted({object_id for objects in self.shown.values() for object_id in objects}))

    def only(self, *, frames: Iterable[int] | None = None, objects: Iterable[int] | None = None) -> Part:
        """Take some of the frames and objects."""
        wanted = self.frames if frames is None else sorted(frames)
        kept = set(self.objects if objects is None else objects)
        return Part(self.movie, {frame: tuple(i for i in self.shown[frame] if i in kept) for frame in wanted})


def survey(movies: Iterable[LabelledMovie]) -> tuple[Part, ...]:
    """Look through all labels; damaged frames and movies without any mask are left out."""
    parts = []
    for movie in movies:
        shown = {}
        for frame in filter(partial(_can_be_read, movie), sorted(movie.labelled_frames)):
            ids, areas = np.unique(movie.labels(frame), return_counts=True)
            shown[frame] = tuple(ids[(ids > 0) & (areas >= LEAST_AREA)].tolist())
        if any(shown.values()):
            parts.append(Part(movie, shown))
    return tuple(parts)


def _can_be_read(movie: LabelledMovie, frame: int) -> bool:
    try:
        movie.movie.read(frame)
    except DamagedFrameError as error:
        _log.warning("not learnt from: %s", error)
        return False
    return True


def check_enough(parts: tuple[Part, ...], name: str) -> None:
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
