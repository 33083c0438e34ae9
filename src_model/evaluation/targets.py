"""The objects of a labelled movie that are evaluated, with their truth."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from src_model.errors import EvaluationError
from src_model.masks import Rle

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from src_model.datasets import LabelledMovie

LEAST_AREA = 16
"""Pixels of an object's first mask; smaller ones are slivers at a border, which nobody would begin with."""


@dataclass(frozen=True)
class Target:
    """One object to be followed.

    Attributes
    ----------
    object_id
        Number of the object, from 1.
    truth
        Its mask on each labelled frame from the first it is in, ascending; empty where it is absent. Ends where the
        object divides: what a mother's mask should be afterwards is nowhere defined.
    """

    object_id: int
    truth: Mapping[int, Rle]

    @cached_property
    def first(self) -> int:
        """The frame it is prompted on."""
        return next(iter(self.truth))

    @cached_property
    def stop(self) -> int:
        """The frame after the last evaluated one."""
        return next(reversed(list(self.truth))) + 1


@dataclass(frozen=True, slots=True)
class TargetChoice:
    """Which part of a movie is evaluated.

    Attributes
    ----------
    frames
        At most so many frames from its beginning; None for all.
    objects
        At most so many objects, drawn at random; None for all.
    seed
        Seed of the draw, 0 or more; it also depends on the movie's name.
    """

    frames: int | None = None
    objects: int | None = None
    seed: int = 0


def choose_targets(movie: LabelledMovie, choice: TargetChoice) -> tuple[Target, ...]:
    """Read the truth of the objects to be evaluated.

    Objects that are tiny where they first appear, or labelled on one frame of several only, are left out.

    Raises
    ------
    EvaluationError
        If no object is left.
    """
    frames = [frame for frame in movie.labelled_frames if choice.frames is None or frame < choice.frames]
    ids = np.array(movie.object_ids(), dtype=np.int64)
    if choice.objects is not None:
        np.random.default_rng([choice.seed, zlib.crc32(movie.name.encode())]).shuffle(ids)
    mothers = set(movie.parents.values())
    targets: list[Target] = []
    for object_id in ids.tolist():
        target = _read_target(movie, object_id, frames, divides=object_id in mothers)
        if target is not None:
            targets.append(target)
        if len(targets) == choice.objects:
            break
    if not targets:
        raise EvaluationError(
            f"movie '{movie.name}' has no object to evaluate on its first {len(frames)} labelled frames: objects need "
            f"{LEAST_AREA} pixels where they appear, and a second labelled frame"
        )
    return tuple(sorted(targets, key=lambda target: target.object_id))


def span_of(targets: Sequence[Target]) -> range:
    """Frames from the first prompt to the last evaluated frame."""
    return range(min(target.first for target in targets), max(target.stop for target in targets))


def _read_target(movie: LabelledMovie, object_id: int, frames: Sequence[int], *, divides: bool) -> Target | None:
    # A frame may be labelled for other objects only: then nothing is known of this one, which is not to be absent.
    known = set(movie.known_frames(object_id))
    masks = {frame: Rle.encode(movie.mask(object_id, frame)) for frame in frames if frame in known}
    present = [frame for frame, mask in masks.items() if not mask.is_empty]
    if not present or masks[present[0]].area < LEAST_AREA:
        return None
    first, last = present[0], present[-1]
    truth = {frame: mask for frame, mask in masks.items() if first <= frame and (frame <= last or not divides)}
    return Target(object_id, truth) if len(truth) > 1 or len(frames) == 1 else None
