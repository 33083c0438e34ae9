"""Natural movies with several tracked objects, such as pseudo-labels: scenes, single objects and stills of them."""

from __future__ import annotations

from functools import lru_cache, partial
from typing import TYPE_CHECKING

import numpy as np

from training_recipe.clips.clip import Footage
from training_recipe.clips.files import read_still
from training_recipe.clips.recorded import chosen_frames

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from src_model.datasets import LabelledMovie
    from training_recipe.clips.clip import ByteArray
    from training_recipe.clips.crowds import Scene
    from training_recipe.clips.stills import Still

_LONGEST_STRIDE = 3
_LEAST_CUTOUT_SHARE = 0.015
"""A smaller object is too coarse to be pasted at any size."""


@lru_cache(maxsize=256)
def _read(movie: LabelledMovie) -> tuple[ByteArray, NDArray[np.uint8]]:
    """Labelled frames (T, Y, X, 3) and labels (T, Y, X) of a short movie."""
    frames = movie.labelled_frames
    images = np.stack([movie.movie.read(frame) for frame in frames])
    return images, np.stack([movie.labels(frame) for frame in frames]).astype(np.uint8)


class TrackletScenes:
    """Draws whole scenes of short natural movies, whose objects are labelled in every frame.

    Parameters
    ----------
    movies : with at most 255 objects each; they are kept in memory once read
    """

    def __init__(self, movies: Sequence[LabelledMovie]) -> None:
        self._movies = list(movies)

    def scene(self, rng: np.random.Generator, frames: int) -> Scene:
        """Take some frames of a movie whole: images (frames, Y, X, 3) and labels (frames, Y, X)."""
        images, labels = _read(self._movies[int(rng.integers(len(self._movies)))])
        chosen = chosen_frames(rng, len(images), frames, _LONGEST_STRIDE)
        return images[chosen], labels[chosen].astype(np.uint16)


def cutout_footages(movies: Sequence[LabelledMovie]) -> list[Callable[[], Footage]]:
    """List the objects that can be cut out and pasted: not too small, and whole on the first frame."""
    footages: list[Callable[[], Footage]] = []
    for movie in movies:
        first = movie.labels(movie.labelled_frames[0])
        border = np.concatenate([first[0], first[-1], first[:, 0], first[:, -1]])
        areas = np.bincount(first.ravel())
        large = np.flatnonzero(areas >= _LEAST_CUTOUT_SHARE * first.size)
        footages += [partial(_object, movie, int(identity)) for identity in np.setdiff1d(large, [0, *border])]
    return footages


def _object(movie: LabelledMovie, identity: int) -> Footage:
    images, labels = _read(movie)
    return Footage(images, labels == identity)


def natural_stills(movies: Sequence[LabelledMovie], each: int = 1) -> list[Callable[[], Still]]:
    """List `each` frames of every movie with the objects in them, from the first on, evenly spaced."""
    return [
        partial(read_still, movie, movie.labelled_frames[turn * len(movie.labelled_frames) // each])
        for movie in movies
        for turn in range(min(each, len(movie.labelled_frames)))
    ]
