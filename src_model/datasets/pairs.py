"""Movies with their labels beside them: two stacks, or one .npz file with both.

`cells.tif` belongs to `cells_labels.tif` (also _label, _masks, _mask). A folder may hold many such pairs and .npz
files; where it holds one movie and one file named after labels, such as `labels.tif`, these two belong together
whatever their names begin with.
"""

from __future__ import annotations

import re
import zipfile
from dataclasses import dataclass, field
from functools import lru_cache
from math import prod
from typing import TYPE_CHECKING

import numpy as np
from numpy.lib import format as npy

from src_model.datasets.listing import files_in, licence_of
from src_model.datasets.movie import (
    NO_PARENTS,
    Dataset,
    FlatMovie,
    Kind,
    LabelledMovie,
    Labels,
    as_labels,
    check_frames,
    recent_movie,
)
from src_model.errors import MovieError
from src_model.frames import FrameSource, open_movie
from src_model.frames.opening import TIFF_SUFFIXES, VIDEO_SUFFIXES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from src_model.frames import MovieLike

_STACKS = (*TIFF_SUFFIXES, ".npy")
_MOVIES = (*_STACKS, *VIDEO_SUFFIXES)
_NAMED_LABELS = re.compile(r"(?:(?P<movie>.+)[_-])?(?:labels?|masks?)", re.IGNORECASE)
_IMAGE_KEYS = ("images", "imgs", "image", "movie")
_LABEL_KEYS = ("labels", "gts", "masks", "label")
_MOST_BYTES = 2**34


@dataclass(frozen=True)
class StackMovie(FlatMovie):
    """An open movie with an open movie of labels, as `pair` makes it."""

    images: FrameSource
    truth: FrameSource
    lineage: Mapping[int, int] = field(hash=False)

    @property
    def movie(self) -> FrameSource:
        """Its frames: (T, Y, X) or (T, Y, X, 3), read when asked for."""
        return self.images

    @property
    def labelled_frames(self) -> Sequence[int]:
        """All of its frames, from 0."""
        return range(len(self.images))

    @property
    def parents(self) -> Mapping[int, int]:
        """Parent by daughter, as it was given."""
        return self.lineage

    def _read_labels(self, frame: int) -> Labels:
        return as_labels(self.truth.read(frame), self.truth.name)


@dataclass(frozen=True)
class PairMovie(FlatMovie):
    """A movie file with a file of labels."""

    images: Path
    truth: Path
    plane: int | None = None

    @property
    def movie(self) -> FrameSource:
        """The frames, or a plane of each."""
        return recent_movie(self.images, None, self.plane)

    @property
    def labelled_frames(self) -> Sequence[int]:
        """All of its frames, from 0."""
        return range(len(self.movie))

    def _read_labels(self, frame: int) -> Labels:
        truth = recent_movie(self.truth, None, self.plane)
        check_frames(self.movie, truth)
        return as_labels(truth.read(frame), self.truth)


@dataclass(frozen=True)
class NpzMovie(FlatMovie):
    """An .npz file with images and labels; both are read whole when the first frame is asked for."""

    path: Path
    plane: int | None = None

    @property
    def movie(self) -> FrameSource:
        """The frames, or a plane of each."""
        return _arrays(self.path, self.plane)[0]

    @property
    def labelled_frames(self) -> Sequence[int]:
        """All of its frames, from 0."""
        return range(len(self.movie))

    def _read_labels(self, frame: int) -> Labels:
        return as_labels(_arrays(self.path, self.plane)[1].read(frame), self.path)


def pair(
    movie: MovieLike,
    labels: MovieLike,
    *,
    name: str | None = None,
    plane: int | None = None,
    parents: Mapping[int, int] = NO_PARENTS,
    kind: Kind = "microscopy",
) -> LabelledMovie:
    """Make a labelled movie of two arrays, paths or open movies, whatever they are named.

    Parameters
    ----------
    movie, labels
        Images and labels of the same (T, Y, X).
    name
        Name of the movie; left out, that of its file.
    plane
        Plane of each volume, where both have some.
    parents
        Parent id by daughter id.
    kind
        What the movie shows.

    Raises
    ------
    MovieError
        One of them cannot be opened, or they differ in size.
    """
    images, truth = open_movie(movie, plane=plane), open_movie(labels, plane=plane)
    check_frames(images, truth)
    return StackMovie(name or images.name, kind, images, truth, parents)


def is_pairs(path: Path) -> bool:
    """Tell whether this is a movie with labels beside it, or a folder of such."""
    if path.suffix.lower() == ".npz" and path.is_file():
        return True
    return any(match for _, match in _label_files(path if path.is_dir() else path.parent)) or bool(_archives(path))


def open_pairs(path: Path, *, plane: int | None = None, kind: Kind = "microscopy") -> Dataset:
    """Open an .npz file, a movie file with labels beside it, or a folder of these.

    Raises
    ------
    MovieError
        There are no such pairs, or labels without a movie.
    """
    movies: list[FlatMovie] = [NpzMovie(file.stem, kind, file, plane) for file in _archives(path)]
    if path.suffix.lower() != ".npz":
        folder = path if path.is_dir() else path.parent
        pairs = [(images, truth) for images, truth in _pairs(folder) if path in (images, folder)]
        movies += [PairMovie(images.stem, kind, images, truth, plane) for images, truth in pairs]
    if not movies:
        raise MovieError(
            f"'{path}' has no labels: expected '{path.stem}_labels.tif' beside it, or an .npz file with both"
        )
    licence = licence_of(path if path.is_dir() else path.parent)
    return Dataset(path.name, "pairs", tuple(sorted(movies, key=lambda movie: movie.name)), licence)


def _archives(path: Path) -> list[Path]:
    if path.is_dir():
        return files_in(path, (".npz",))
    return [path] if path.suffix.lower() == ".npz" else []


def _label_files(folder: Path) -> list[tuple[Path, re.Match[str] | None]]:
    """All stacks of a folder with what their name says of labels."""
    return [(file, _NAMED_LABELS.fullmatch(file.stem)) for file in files_in(folder, _STACKS)]


def _pairs(folder: Path) -> list[tuple[Path, Path]]:
    labels = [(file, match["movie"]) for file, match in _label_files(folder) if match]
    movies = [file for file in files_in(folder, _MOVIES) if not _NAMED_LABELS.fullmatch(file.stem)]
    if len(labels) == len(movies) == 1:
        return [(movies[0], labels[0][0])]
    by_stem = {file.stem: file for file in movies}
    for file, stem in labels:
        if stem not in by_stem:
            raise MovieError(f"'{file}' belongs to no movie: expected '{stem or 'movie'}.tif' beside it")
    return [(by_stem[stem], file) for file, stem in labels]


@lru_cache(maxsize=2)
def _arrays(path: Path, plane: int | None) -> tuple[FrameSource, FrameSource]:
    """Read the images and the labels of an .npz file."""
    try:
        with zipfile.ZipFile(path) as archive:
            images = _member(archive, _IMAGE_KEYS, path)
            labels = _member(archive, _LABEL_KEYS, path)
    except (OSError, zipfile.BadZipFile, ValueError, EOFError) as error:
        if isinstance(error, MovieError):
            raise
        raise MovieError(f"'{path}' cannot be read as .npz ({error}): expected what numpy.savez writes") from error
    if labels.ndim == 4 and plane is None:
        raise MovieError(f"'{path}' holds volumes of {labels.shape[1]} planes: pass plane=... to track through one")
    movie = open_movie(images, plane=plane, name=path.stem)
    truth = open_movie(labels, plane=plane, name=f"labels of {path.stem}")
    check_frames(movie, truth)
    return movie, truth


def _member(archive: zipfile.ZipFile, keys: tuple[str, ...], path: Path) -> np.ndarray:
    """Read the first of several arrays that is there, after its size was checked."""
    names = archive.namelist()
    found = [f"{key}.npy" for key in keys if f"{key}.npy" in names]
    if not found:
        has = ", ".join(name.removesuffix(".npy") for name in names[:8])
        raise MovieError(f"'{path}' has the arrays {has or 'none'}: expected '{keys[0]}' (or {', '.join(keys[1:])})")
    with archive.open(found[0]) as file:
        version = npy.read_magic(file)
        read_header = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, _, dtype = read_header(file)
    size, stored = prod(shape) * dtype.itemsize, archive.getinfo(found[0]).file_size
    if size > min(stored, _MOST_BYTES):
        raise MovieError(
            f"'{found[0]}' in '{path}' claims {size} bytes and has {stored}: at most {_MOST_BYTES} are read"
        )
    with archive.open(found[0]) as file:
        return np.asarray(npy.read_array(file, allow_pickle=False))
