"""Clips from real recordings with truth: natural videos with one mask, cell movies with tracks, any labelled movie."""

from __future__ import annotations

from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from src_model.datasets import open_dataset
from training_recipe.clips.clip import BoolArray, ByteArray, Clip, Footage
from training_recipe.clips.files import read_object, read_still
from training_recipe.clips.finishing import Finish, finish_clip
from training_recipe.clips.stills import WarpedStillSource

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from src_model.datasets import LabelledMovie

_ATTEMPTS = 60


def chosen_frames(rng: np.random.Generator, length: int, frames: int, longest_stride: int) -> NDArray[np.int_]:
    """Choose the frames of a clip: stride 1 to `longest_stride`, reversed half of the time.

    A movie shorter than the clip is run to and fro.
    """
    longest = max(1, min(longest_stride, (length - 1) // max(1, frames - 1)))
    stride = int(rng.integers(1, longest + 1))
    span = (frames - 1) * stride + 1
    start = int(rng.integers(0, max(1, length - span + 1)))
    indices = start + stride * np.arange(frames)
    period = max(1, 2 * (length - 1))
    indices = indices % period
    indices = np.where(indices >= length, period - indices, indices)
    return indices[::-1] if rng.uniform() < 0.5 else indices


class RealVideoSource:
    """Clips of natural videos; each entry of `videos` reads one when it is first needed."""

    kind = "real-video"

    def __init__(self, videos: Sequence[Callable[[], Footage]], *, finish: Finish | None = None) -> None:
        self._videos = list(videos)
        self._finish = finish or Finish(microscopy=False)

    def preload(self) -> None:
        """Read all videos now."""
        for video in self._videos:
            video()

    def sample(self, rng: np.random.Generator, *, frames: int, size: int) -> Clip:
        """Make a clip (see `ClipSource`)."""
        for _ in range(_ATTEMPTS):
            footage = self._videos[int(rng.integers(len(self._videos)))]()
            chosen = chosen_frames(rng, len(footage.images), frames, 5)
            part = Footage(footage.images[chosen], footage.masks[chosen])
            clip = finish_clip(part, rng, size=size, kind=self.kind, finish=self._finish)
            if clip:
                return clip
        raise RuntimeError(f"no {self.kind} clip of {frames} frames at {size} pixels after {_ATTEMPTS} attempts")


class CellTrackSource:
    """Clips of tracked cells in real movies; each entry of `movies` gives images (T, Y, X) and labels (T, Y, X)."""

    kind = "cell-track"

    def __init__(
        self,
        movies: Sequence[Callable[[], tuple[ByteArray, NDArray[np.integer]]]],
        *,
        finish: Finish | None = None,
    ) -> None:
        self._movies = list(movies)
        self._finish = finish or Finish(microscopy=True)

    def preload(self) -> None:
        """Read all movies now."""
        for movie in self._movies:
            movie()

    def sample(self, rng: np.random.Generator, *, frames: int, size: int) -> Clip:
        """Make a clip (see `ClipSource`)."""
        for _ in range(_ATTEMPTS):
            images, labels = self._movies[int(rng.integers(len(self._movies)))]()
            chosen = chosen_frames(rng, len(images), frames, 2)
            identities = np.unique(labels[chosen[0]])
            identities = identities[identities > 0]
            if len(identities) == 0:
                continue
            masks = labels[chosen] == int(rng.choice(identities))
            if not followed(masks):
                continue
            part = Footage(images[chosen], masks)
            clip = finish_clip(part, rng, size=size, kind=self.kind, finish=self._finish)
            if clip:
                return clip
        raise RuntimeError(f"no {self.kind} clip of {frames} frames at {size} pixels after {_ATTEMPTS} attempts")

    def scene(self, rng: np.random.Generator, frames: int) -> tuple[ByteArray, NDArray[np.uint16]]:
        """Take some frames of a movie whole: images (frames, Y, X) and labels (frames, Y, X) of what can be trusted."""
        images, labels = self._movies[int(rng.integers(len(self._movies)))]()
        chosen = chosen_frames(rng, len(images), frames, 2)
        seen = labels[chosen]
        trusted = [identity for identity in np.unique(seen[0])[1:] if followed(seen == identity)]
        return images[chosen], np.where(np.isin(seen, trusted), seen, 0).astype(np.uint16)


def followed(masks: BoolArray) -> bool:
    """Whether a track made by a machine can be trusted: there in every frame, and overlapping from one to the next."""
    for before, after in pairwise(masks):
        union = int((before | after).sum())
        if not after.any() or int((before & after).sum()) < 0.3 * union:
            return False
    return True


class LabelledMovieSource:
    """Clips of one object of several, from movies of which some frames are labelled.

    They are read frame by frame as they are drawn, so that there may be thousands of movies.

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
