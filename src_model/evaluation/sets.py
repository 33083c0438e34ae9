"""What can be evaluated on: simulated movies of fixed seeds, and data sets on disk."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from src_model.datasets import LAYOUTS, STILLS_HELD_OUT, LabelledMovie, open_dataset, split_by_name
from src_model.datasets.movie import FlatMovie
from src_model.errors import EvaluationError, MissingExtraError
from src_model.frames import FrameSource, open_movie
from src_model.simulation import SIMULATED_KINDS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from src_model.simulation import SimulatedMovie

FIRST_SEED = 1_000_000_000
"""Training uses no simulated movie from this seed on."""

SIMULATED_FRAMES, SIMULATED_SIDE = 16, 256
SET_NAMES = ("simulated", *(f"simulated-{kind}" for kind in SIMULATED_KINDS))


@dataclass(frozen=True, slots=True)
class EvaluationSet:
    """Labelled movies that are reported together.

    Attributes
    ----------
    name
        What the report calls it.
    movies
        In the order in which they are evaluated.
    source
        Where it comes from, so that somebody else can get it: a path and layout, or kind and seeds.
    licence
        What its folder says, where it says something.
    """

    name: str
    movies: tuple[LabelledMovie, ...]
    source: str
    licence: str | None = None


@dataclass(frozen=True)
class SimulatedLabels(FlatMovie):
    """A simulated movie, made when it is first looked at."""

    simulated_kind: str
    seed: int
    frames: int

    @property
    def movie(self) -> FrameSource:
        """Its frames, (T, 256, 256)."""
        return open_movie(self._made.images, axes="TYX", name=self.name)

    @property
    def labelled_frames(self) -> Sequence[int]:
        """All of its frames, from 0."""
        return range(self.frames)

    @property
    def parents(self) -> Mapping[int, int]:
        """Mother id by daughter id."""
        return self._made.parents

    def _read_labels(self, frame: int) -> NDArray[np.int32]:
        labels: NDArray[np.int32] = self._made.labels[frame].astype(np.int32)
        return labels

    @cached_property
    def _made(self) -> SimulatedMovie:
        from src_model.simulation import simulate_movie

        return simulate_movie(self.simulated_kind, self.seed, self.frames, (SIMULATED_SIDE, SIMULATED_SIDE))


def simulated_sets(name: str, *, movies: int = 2, frames: int = SIMULATED_FRAMES) -> tuple[EvaluationSet, ...]:
    """Make the simulated set of a name, or all of them for "simulated".

    Parameters
    ----------
    name
        One of `SET_NAMES`.
    movies
        Number of movies of each kind, of consecutive seeds.
    frames
        Length of each movie in frames.

    Raises
    ------
    EvaluationError
        If there is no such set.
    MissingExtraError
        If OpenCV, which draws the movies, is not installed.
    """
    if find_spec("cv2") is None:
        raise MissingExtraError("opencv-python-headless", "evaluate", "simulating movies")
    if name not in SET_NAMES:
        raise EvaluationError(
            f"there is no set named {name!r}: choose from {', '.join(SET_NAMES)}, or evaluate a folder with --data"
        )
    kinds = SIMULATED_KINDS if name == "simulated" else (name.removeprefix("simulated-"),)
    return tuple(_simulated_set(kind, movies, frames) for kind in kinds)


def _simulated_set(kind: str, movies: int, frames: int) -> EvaluationSet:
    seeds = range(FIRST_SEED, FIRST_SEED + movies)
    made = tuple(SimulatedLabels(f"{kind} {seed}", "microscopy", kind, seed, frames) for seed in seeds)
    source = (
        f"simulated {kind}, seeds {seeds[0]} to {seeds[-1]}, {frames} frames of {SIMULATED_SIDE} x {SIMULATED_SIDE}"
    )
    return EvaluationSet(f"simulated-{kind}", made, source)


def folder_set(path: Path, *, layout: str = "auto", held_out: bool = False, movies: int | None = None) -> EvaluationSet:
    """Open a data set on disk.

    Parameters
    ----------
    path
        Folder or file of labelled movies.
    layout
        How it is arranged, or "auto".
    held_out
        Only the movies that the recipe of the default checkpoint leaves out: every second one by name, the last
        60 of stills.
    movies
        At most so many, the first by name; None for all.

    Raises
    ------
    MovieError, EvaluationError
        If it cannot be opened, or no movie is left.
    """
    dataset = open_dataset(path, layout=layout)
    chosen = tuple(dataset)
    if held_out:
        last = STILLS_HELD_OUT if dataset.layout == "stills" else None
        names = set(split_by_name((movie.name for movie in chosen), held_out=True, last=last))
        chosen = tuple(movie for movie in chosen if movie.name in names)
    chosen = chosen[:movies]
    if not chosen:
        raise EvaluationError(f"'{path}' has {len(dataset)} movies and none of them is held out: leave --held-out away")
    part = ", held-out part" if held_out else ""
    return EvaluationSet(dataset.name, chosen, f"{path} ({dataset.layout}{part})", dataset.licence)


def split_layout(text: str) -> tuple[Path, str]:
    """Read ``PATH[:layout]``; a colon before anything but a layout belongs to the path.

    Returns
    -------
    tuple
        The path, and the layout or "auto".
    """
    path, _, layout = text.rpartition(":")
    return (Path(path), layout) if path and layout in {*LAYOUTS, "auto"} else (Path(text), "auto")
