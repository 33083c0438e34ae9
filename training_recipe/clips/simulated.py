"""Clips from simulated microscopy: a small pool of movies, slowly replaced."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from src_model.simulation import simulate_movie
from training_recipe.clips.clip import ByteArray, Clip, Footage
from training_recipe.clips.finishing import Finish, finish_clip
from training_recipe.clips.photometry import stretch

if TYPE_CHECKING:
    from numpy.typing import NDArray

HELD_OUT_SEED = 1_000_000_000
"""Simulated movies from this seed on are for evaluation only."""

_ATTEMPTS = 60
_LEAST_AREA = 30


@dataclass(frozen=True, slots=True)
class _PooledMovie:
    images: ByteArray
    labels: NDArray[np.uint16]
    parents: dict[int, int]


@dataclass(slots=True)
class Clock:
    """The step of the training run that clips are drawn for, shared by all sources of a mixture."""

    step: int = 0


class SimulatedSource:
    """Clips of one simulated kind.

    Rendering a movie costs as much as cutting tens of clips, so a pool of movies serves many clips. Every so many
    steps of the run one of them gives way to the movie of a seed not seen before. Which movies are in the pool depends
    on the step alone, and a clip on the step and the generator, whatever was drawn before.

    Parameters
    ----------
    kind : what is simulated, one of `src_model.simulation.SIMULATED_KINDS`
    first_seed : seed of the first movie; runs that should differ each need their own range
    pool_size : number of movies that are drawn from at a time
    steps_per_movie : steps between two replacements, None to never replace
    finish : how the clips are framed and varied
    clock : tells the step; one of its own that stands still if None
    """

    def __init__(
        self,
        kind: str,
        *,
        first_seed: int = 0,
        pool_size: int = 12,
        steps_per_movie: int | None = 10,
        finish: Finish | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.kind = kind
        self._first_seed = first_seed
        self._pool_size = pool_size
        self._steps_per_movie = steps_per_movie
        self._finish = finish or Finish(microscopy=True)
        self._clock = clock or Clock()
        self._pool: dict[int, _PooledMovie] = {}

    def preload(self) -> None:
        """Render the whole pool now instead of when a movie is first drawn."""
        for seed in self._seeds():
            self._movie(seed)

    def sample(self, rng: np.random.Generator, *, frames: int, size: int) -> Clip:
        """Make a clip (see `ClipSource`)."""
        for _ in range(_ATTEMPTS):
            footage = _footage(self._draw(rng), rng, frames)
            clip = footage and finish_clip(footage, rng, size=size, kind=self.kind, finish=self._finish)
            if clip:
                return clip
        raise RuntimeError(f"no {self.kind} clip of {frames} frames at {size} pixels after {_ATTEMPTS} attempts")

    def scene(self, rng: np.random.Generator, frames: int) -> tuple[ByteArray, NDArray[np.uint16]]:
        """Take neighbouring frames of a movie whole: images (frames, Y, X) and labels (frames, Y, X).

        Half of the time they run backwards, unless something divides in them.
        """
        movie = self._draw(rng)
        start = int(rng.integers(0, len(movie.labels) - frames + 1))
        images, labels = movie.images[start : start + frames], movie.labels[start : start + frames]
        born = np.setdiff1d(labels, labels[:1])
        if rng.uniform() < 0.5 and not any(int(identity) in movie.parents for identity in born):
            images, labels = images[::-1], labels[::-1]
        return images, labels

    def _draw(self, rng: np.random.Generator) -> _PooledMovie:
        return self._movie(self._seeds()[int(rng.integers(self._pool_size))])

    def _seeds(self) -> list[int]:
        """Seeds of the movies in the pool, whose places take turns in being renewed."""
        every = self._steps_per_movie
        ages = [0 if every is None else (self._clock.step // every + slot) for slot in range(self._pool_size)]
        return [self._first_seed + slot + age - age % self._pool_size for slot, age in enumerate(ages)]

    def _movie(self, seed: int) -> _PooledMovie:
        if seed not in self._pool:
            wanted = set(self._seeds())
            self._pool = {kept: movie for kept, movie in self._pool.items() if kept in wanted}
            self._pool[seed] = _render(self.kind, seed)
        return self._pool[seed]


def _render(kind: str, seed: int) -> _PooledMovie:
    # Sizes and lengths vary with the seed alone, so that a seed stays one movie.
    rng = np.random.default_rng([seed, 77])
    side = int(rng.choice([224, 288, 352]))
    movie = simulate_movie(kind, seed, 18, (side, side))
    low = float(rng.choice([0.0, 0.5, 1.0]))
    return _PooledMovie(stretch(movie.images, percentiles=(low, 100 - low)), movie.labels, movie.parents)


def _footage(movie: _PooledMovie, rng: np.random.Generator, frames: int) -> Footage | None:
    length = len(movie.labels)
    longest = max(1, (length - 1) // max(1, frames - 1))
    stride = int(rng.integers(1, min(3, longest) + 1))
    span = (frames - 1) * stride + 1
    if span > length:
        return None
    start = int(rng.integers(0, length - span + 1))
    chosen = np.arange(start, start + span, stride)
    identity = _choose_identity(movie.labels[chosen], rng)
    if identity is None:
        return None
    masks = movie.labels[chosen] == identity
    # Backwards in time daughters fuse, which nothing in a microscope does: only undivided spans are reversed.
    if rng.uniform() < 0.5 and masks[-1].any() and not _divides(movie, identity):
        chosen, masks = chosen[::-1], masks[::-1]
    return Footage(movie.images[chosen], masks)


def _choose_identity(labels: NDArray[np.uint16], rng: np.random.Generator) -> int | None:
    """Choose an object of the first frame, mostly a whole one that stays to the end; None where all are tiny."""
    areas = np.bincount(labels[0].ravel())
    areas[0] = 0
    if not areas.any():
        return None
    good = areas >= max(_LEAST_AREA, 0.3 * float(np.median(areas[areas > 0])))
    first = labels[0]
    if rng.uniform() < 0.7:
        good = _preferred(good, np.concatenate([first[0], first[-1], first[:, 0], first[:, -1]]), wanted=False)
    if rng.uniform() < 0.85:
        good = _preferred(good, labels[-1], wanted=True)
    identities = np.flatnonzero(good)
    return int(rng.choice(identities)) if len(identities) else None


def _preferred(good: NDArray[np.bool_], found: NDArray[np.uint16], *, wanted: bool) -> NDArray[np.bool_]:
    """Keep the good identities that are (or are not) among those found, or all good ones if that leaves none."""
    among = np.isin(np.arange(len(good)), found)
    narrowed = good & (among if wanted else ~among)
    return narrowed if narrowed.any() else good


def _divides(movie: _PooledMovie, identity: int) -> bool:
    return identity in movie.parents or identity in movie.parents.values()
