"""Clips from any labelled movies: read frame by frame as they are drawn, so that there may be thousands of them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from src_model.datasets import open_dataset
from training_recipe.clips.files import read_object, read_still
from training_recipe.clips.finishing import Finish, finish_clip
from training_recipe.clips.recorded import chosen_frames, followed
from training_recipe.clips.stills import WarpedStillSource

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from src_model.datasets import LabelledMovie
    from training_recipe.clips.clip import Clip, Footage

_ATTEMPTS = 60


class LabelledMovieSource:
    """Clips of one object of several, from movies of which some frames are labelled.

    Parameters
    ----------
    movies : the movies; nothing of them is kept
    kind : what the clips are counted as
    longest_stride : most labelled frames from one frame of a clip to the next
    steady : use only objects that are there in all frames and overlap from one to the next, as cells do that neither
        divide nor are mixed up
    longest : frames are shrunk to this, None to keep them; cells are small, so microscopy is kept
    finish : how the clips are framed and varied
    """

    def __init__(
        self,
        movies: Sequence[LabelledMovie],
        *,
        kind: str,
        longest_stride: int,
        finish: Finish,
        steady: bool = False,
        longest: int | None = 640,
    ) -> None:
        self.kind = kind
        self._movies = movies
        self._longest_stride, self._steady, self._longest = longest_stride, steady, longest
        self._finish = finish

    def preload(self) -> None:
        """Do nothing: what is drawn is read then."""

    def sample(self, rng: np.random.Generator, *, frames: int, size: int) -> Clip:
        """Make a clip (see `ClipSource`)."""
        for _ in range(_ATTEMPTS):
            footage = self._footage(self._movies[int(rng.integers(len(self._movies)))], rng, frames)
            clip = footage and finish_clip(footage, rng, size=size, kind=self.kind, finish=self._finish)
            if clip:
                return clip
        raise RuntimeError(f"no {self.kind} clip of {frames} frames at {size} pixels after {_ATTEMPTS} attempts")

    def _footage(self, movie: LabelledMovie, rng: np.random.Generator, frames: int) -> Footage | None:
        labelled = movie.labelled_frames
        identities = np.setdiff1d(movie.labels(labelled[int(rng.integers(len(labelled)))]), [0])
        if len(identities) == 0:
            return None
        identity = int(rng.choice(identities))
        known = movie.known_frames(identity)
        chosen = [known[index] for index in chosen_frames(rng, len(known), frames, self._longest_stride)]
        footage = read_object(movie, identity, chosen, self._longest)
        return None if self._steady and not followed(footage.masks) else footage


def source_of(path: Path) -> LabelledMovieSource | WarpedStillSource:
    """Make the source of a data set: warped stills, cell tracks of microscopy, or real videos of anything else.

    Parameters
    ----------
    path : anything `open_dataset` recognises; all of it is trained on

    Raises
    ------
    MovieError
        It is no data set.
    """
    dataset = open_dataset(path)
    microscopy = dataset[0].kind == "microscopy"
    finish = Finish(microscopy=microscopy)
    if dataset.layout == "stills":
        return WarpedStillSource([partial(read_still, movie) for movie in dataset], finish=finish)
    if microscopy:
        return LabelledMovieSource(
            dataset, kind="cell-track", longest_stride=2, steady=True, longest=None, finish=finish
        )
    return LabelledMovieSource(dataset, kind="real-video", longest_stride=5, finish=finish)


def tracklet_source(path: Path) -> LabelledMovieSource:
    """Make the source of a DAVIS folder with several objects a movie, such as pseudo-labels; raises as `source_of`."""
    dataset = open_dataset(path, layout="davis")
    return LabelledMovieSource(dataset, kind="tracklet", longest_stride=3, finish=Finish(microscopy=False))
