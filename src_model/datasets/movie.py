"""What a labelled movie is: a movie with the truth of its objects on some of its frames, read when asked for."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias, overload

import numpy as np
from numpy.typing import NDArray

from src_model.errors import MovieError
from src_model.frames import FrameSource, open_movie
from src_model.masks import MAX_PIXELS, Rle, labels_from_masks

if TYPE_CHECKING:
    from pathlib import Path

Kind: TypeAlias = Literal["natural", "microscopy"]
Labels: TypeAlias = NDArray[np.int32]

NO_PARENTS: Mapping[int, int] = MappingProxyType({})
"""Parents of a movie in which nothing divides; cannot be changed, so that all may share it."""


class LabelledMovie(Protocol):
    """A movie and its labels. Nothing is read before it is asked for, and of frames never more than one.

    Movies of the same files are equal, so that what was read of one can be remembered by it.
    """

    def __hash__(self) -> int:
        """Hash by the files."""

    @property
    def name(self) -> str:
        """Name within its data set, such as "dance-twirl" or "Fluo-N2DH-SIM+/01"."""

    @property
    def kind(self) -> Kind:
        """Whether it shows the world or what a microscope sees: decides how contrast and orientation may vary."""

    @property
    def movie(self) -> FrameSource:
        """Its frames: (T, Y, X) or (T, Y, X, 3), read when asked for."""

    @property
    def labelled_frames(self) -> Sequence[int]:
        """Numbers of the frames that have labels, from 0, ascending; all others are unknown, not empty."""

    @property
    def parents(self) -> Mapping[int, int]:
        """Parent id by daughter id; empty where unknown."""

    def object_ids(self) -> tuple[int, ...]:
        """Ids of all objects, ascending. Looks through all labelled frames where nothing lists them; remembered."""

    def known_frames(self, object_id: int) -> Sequence[int]:
        """Frames on which the truth of one object is known, present or absent.

        All labelled ones, unless only some of the objects were annotated on some of them.
        """

    def labels(self, frame: int) -> Labels:
        """Read the labels of one frame.

        Returns
        -------
        np.ndarray
            (Y, X) int32, 0 is background. Where objects overlap the smaller one is shown: prefer `mask`.

        Raises
        ------
        MovieError
            The frame has no labels, or its file is damaged or of another size than the movie.
        """

    def mask(self, object_id: int, frame: int) -> NDArray[np.bool_]:
        """Read one object's whole mask, (Y, X); without foreground where it is absent. Raises as `labels` does."""


@dataclass(frozen=True)
class FlatMovie(ABC):
    """A labelled movie whose objects never overlap, so that labels say everything.

    Attributes
    ----------
    name : str
        Name within its data set.
    kind : "natural" or "microscopy"
        What it shows.
    """

    name: str
    kind: Kind

    @property
    @abstractmethod
    def movie(self) -> FrameSource:
        """Its frames: (T, Y, X) or (T, Y, X, 3), read when asked for."""

    @property
    @abstractmethod
    def labelled_frames(self) -> Sequence[int]:
        """Numbers of the frames that have labels, from 0, ascending."""

    @property
    def parents(self) -> Mapping[int, int]:
        """Parent id by daughter id; empty where nothing tells."""
        return NO_PARENTS

    @abstractmethod
    def _read_labels(self, frame: int) -> Labels:
        """Read the labels of a frame that has some."""

    def labels(self, frame: int) -> Labels:
        """Read (Y, X) int32 labels; see `LabelledMovie`."""
        check_labelled(self, frame)
        labels = self._read_labels(frame)
        check_size(self, frame, labels.shape)
        return labels

    def mask(self, object_id: int, frame: int) -> NDArray[np.bool_]:
        """Read one object's (Y, X) mask; see `LabelledMovie`."""
        mask: NDArray[np.bool_] = self.labels(frame) == object_id
        return mask

    def known_frames(self, object_id: int) -> Sequence[int]:
        """Frames on which the truth of an object is known: all that are labelled."""
        return self.labelled_frames

    def object_ids(self) -> tuple[int, ...]:
        """Ids of all objects, ascending; the first call reads all labels."""
        return self._object_ids

    @cached_property
    def _object_ids(self) -> tuple[int, ...]:
        found: set[int] = set()
        for frame in self.labelled_frames:
            found.update(np.unique(self.labels(frame)).tolist())
        return tuple(sorted(found - {0}))


@dataclass(frozen=True, slots=True, eq=False)
class Dataset(Sequence[LabelledMovie]):
    """Labelled movies of one folder.

    Attributes
    ----------
    name : str
        Name of the folder or file.
    layout : str
        The layout it was read as.
    movies : tuple of LabelledMovie
        Its movies, sorted by name unless a split lists them in another order.
    licence : str or None
        First line of the folder's licence file, where it has one.
    """

    name: str
    layout: str
    movies: tuple[LabelledMovie, ...]
    licence: str | None = None

    def __len__(self) -> int:
        """Return the number of movies."""
        return len(self.movies)

    def __iter__(self) -> Iterator[LabelledMovie]:
        """Go through the movies."""
        return iter(self.movies)

    @overload
    def __getitem__(self, index: int) -> LabelledMovie: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[LabelledMovie, ...]: ...

    def __getitem__(self, index: int | slice) -> LabelledMovie | tuple[LabelledMovie, ...]:
        """Return a movie, or a tuple of them."""
        return self.movies[index]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the movies, in order."""
        return tuple(movie.name for movie in self.movies)

    def named(self, name: str) -> LabelledMovie:
        """Return the movie of a name; MovieError if there is none."""
        for movie in self.movies:
            if movie.name == name:
                return movie
        some = ", ".join(self.names[:5])
        raise MovieError(f"data set '{self.name}' has no movie '{name}': it has {len(self)}, such as {some}")


@lru_cache(maxsize=8)
def recent_movie(path: Path, axes: str | None = None, plane: int | None = None) -> FrameSource:
    """Open a movie, or give the one that was opened lately: data sets are too large to keep all of them open."""
    return open_movie(path, axes=axes, plane=plane)


def check_labelled(movie: LabelledMovie, frame: int) -> None:
    """Raise MovieError if a frame has no labels."""
    frames = movie.labelled_frames
    if frame not in frames:
        known = f"{len(frames)} have, {frames[0]} to {frames[-1]}" if frames else "none has"
        raise MovieError(f"frame {frame} of '{movie.name}' has no labels ({known}): choose one of labelled_frames")


def check_size(movie: LabelledMovie, frame: int, shape: tuple[int, ...]) -> None:
    """Raise MovieError if labels are not as large as the frames of their movie."""
    expected = movie.movie.shape[1:3]
    if tuple(shape) != tuple(expected):
        raise MovieError(
            f"the labels of frame {frame} of '{movie.name}' have the size {tuple(shape)} (Y, X): expected "
            f"{tuple(expected)} as its images have"
        )


def check_frames(movie: FrameSource, labels: FrameSource) -> None:
    """Raise MovieError if a movie and its labels differ in (T, Y, X)."""
    if movie.shape[:3] != labels.shape[:3]:
        raise MovieError(
            f"'{movie.name}' has the shape {movie.shape[:3]} (T, Y, X) but its labels '{labels.name}' have "
            f"{labels.shape[:3]}: expected the same"
        )


def as_labels(values: NDArray[np.generic], origin: object) -> Labels:
    """Check that an array holds labels and return it as int32.

    Parameters
    ----------
    values : np.ndarray
        (Y, X) bool, integers, or floats that are whole numbers, as some programs write them.
    origin
        File or name that errors speak of.

    Raises
    ------
    MovieError
        It is something else, or a value is negative or beyond int32.
    """
    if values.ndim != 2 or values.dtype.kind not in "biuf" or not 0 < values.size <= MAX_PIXELS:
        raise MovieError(f"'{origin}' holds {values.dtype} of shape {values.shape}: expected labels, (Y, X) integers")
    low, high = values.min(), values.max()
    if not (low >= 0 and high <= np.iinfo(np.int32).max):
        raise MovieError(f"'{origin}' holds values from {low} to {high}: expected labels from 0 to 2**31 - 1")
    labels: Labels = values.astype(np.int32)
    if values.dtype.kind == "f" and not np.array_equal(labels, values):
        raise MovieError(
            f"'{origin}' holds fractions: expected labels, whole numbers; is it an image or a probability?"
        )
    return labels


@dataclass(frozen=True)
class OverlappingMovie(ABC):
    """A labelled movie with a mask for each object; labels show the smaller of two that overlap."""

    name: str
    kind: Kind

    @property
    @abstractmethod
    def movie(self) -> FrameSource:
        """Its frames: (T, Y, X) or (T, Y, X, 3), read when asked for."""

    @property
    @abstractmethod
    def labelled_frames(self) -> Sequence[int]:
        """Numbers of the frames that have masks, from 0, ascending."""

    @property
    def parents(self) -> Mapping[int, int]:
        """Parent id by daughter id; empty where nothing tells."""
        return NO_PARENTS

    @abstractmethod
    def object_ids(self) -> tuple[int, ...]:
        """Ids of all objects, ascending."""

    @abstractmethod
    def _read_mask(self, object_id: int, frame: int) -> Rle | None:
        """Read a mask, None where there is none."""

    def known_frames(self, object_id: int) -> Sequence[int]:
        """Frames on which the truth of an object is known: all that are labelled."""
        return self.labelled_frames

    def mask(self, object_id: int, frame: int) -> NDArray[np.bool_]:
        """Read one object's (Y, X) mask; see `LabelledMovie`."""
        check_labelled(self, frame)
        return self._mask(object_id, frame).decode()

    def labels(self, frame: int) -> Labels:
        """Read (Y, X) int32 labels; see `LabelledMovie`."""
        check_labelled(self, frame)
        masks = {object_id: self._mask(object_id, frame) for object_id in self.object_ids()}
        smallest_first = dict(sorted(masks.items(), key=lambda item: item[1].area))
        shape = self.movie.shape[1:3]
        return labels_from_masks(smallest_first, shape, np.int32, overlap="first").astype(np.int32, copy=False)

    def _mask(self, object_id: int, frame: int) -> Rle:
        mask = self._read_mask(object_id, frame) if object_id in self.object_ids() else None
        if mask is None:
            return Rle.empty(self.movie.shape[1:3])
        check_size(self, frame, mask.shape)
        return mask
