"""Clips from simulated microscopy: a small pool of movies rendered ahead and slowly replaced."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from src_model.training.clips.clip import ByteArray, Clip, Footage
from src_model.training.clips.finishing import Finish, finish_clip
from src_model.training.clips.photometry import stretch
from src_model.training.simulation import simulate_movie

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


class SimulatedSource:
    """Clips of one simulated kind.

    Rendering a movie costs as much as cutting tens of clips, so each of the `pool_size` movies serves many clips
    before it is replaced by the movie of a seed not seen before. A clip is therefore a function of the source, the
    number of clips drawn before, and the generator.

    Parameters
    ----------
    kind : one of `src_model.training.simulation.SIMULATED_KINDS`
    first_seed : seed of the first movie; give every worker its own range
    pool_size : movies kept
    clips_per_movie : clips drawn between two replacements, None to never replace
    finish : how the clips are framed and varied
    """

    def __init__(
        self,
        kind: str,
        *,
        first_seed: int = 0,
        pool_size: int = 12,
        clips_per_movie: int | None = 6,
        finish: Finish | None = None,
    ) -> None:
        self.kind = kind
        self._next_seed = first_seed
        self._pool_size = pool_size
        self._clips_per_movie = clips_per_movie
        self._finish = finish or Finish(microscopy=True)
        self._pool: list[_PooledMovie] = []
        self._drawn = 0

    def preload(self) -> None:
        """Render the whole pool now instead of at the first clip."""
        while len(self._pool) < self._pool_size:
            self._pool.append(self._render())

    def sample(self, rng: np.random.Generator, *, frames: int, size: int) -> Clip:
        """Make a clip (see `ClipSource`)."""
        self.preload()
        for _ in range(_ATTEMPTS):
            movie = self._pool[int(rng.integers(self._pool_size))]
            footage = _footage(movie, rng, frames)
            clip = footage and finish_clip(footage, rng, size=size, kind=self.kind, finish=self._finish)
            if clip:
                self._count()
                return clip
        raise RuntimeError(f"no {self.kind} clip of {frames} frames at {size} pixels after {_ATTEMPTS} attempts")

    def scene(self, rng: np.random.Generator, frames: int) -> tuple[ByteArray, NDArray[np.uint16]]:
        """Take neighbouring frames of a movie whole: images (frames, Y, X) and labels (frames, Y, X)."""
        self.preload()
        movie = self._pool[int(rng.integers(self._pool_size))]
        start = int(rng.integers(0, len(movie.labels) - frames + 1))
        self._count()
        return movie.images[start : start + frames], movie.labels[start : start + frames]

    def _count(self) -> None:
        self._drawn += 1
        if self._clips_per_movie and self._drawn % self._clips_per_movie == 0:
            oldest = (self._drawn // self._clips_per_movie - 1) % self._pool_size
            self._pool[oldest] = self._render()

    def _render(self) -> _PooledMovie:
        seed, self._next_seed = self._next_seed, self._next_seed + 1
        # Sizes and lengths vary with the seed alone, so that a seed stays one movie.
        rng = np.random.default_rng([seed, 77])
        side = int(rng.choice([224, 288, 352]))
        movie = simulate_movie(self.kind, seed, 18, (side, side))
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
