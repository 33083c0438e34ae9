"""What a movie is to the rest of the project, and what an adapter has to offer to become one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, TypeGuard, runtime_checkable

import numpy as np

from src_model.errors import FrameRangeError, MovieError

SERIES_LISTED = 8
"""So many images of a file are named where one has to be chosen."""


class FrameSource(Protocol):
    """A movie whose frames are read one at a time.

    ``shape`` is (T, Y, X) or (T, Y, X, 3), ``dtype`` a native NumPy bool, integer or float type, ``name`` what a user
    would call the movie. ``len(source)`` is T; for a live source it grows.

    More attributes are looked at where a source has them: ``composite`` (bool, its three colors are channels with
    ranges of their own), ``oldest`` (int, the first frame that can still be read), ``concurrent`` (bool, it may be
    read from several threads at once, so that frames can be read ahead of their use) and ``notes`` (tuple of str, what
    a user should be told about the file: "6 of 20 frames were written").
    """

    @property
    def shape(self) -> tuple[int, ...]:
        """(T, Y, X) for gray or (T, Y, X, 3) for RGB."""

    @property
    def dtype(self) -> np.dtype[np.generic]:
        """Type of the frames' values, in native byte order."""

    @property
    def name(self) -> str:
        """What a user would call the movie: a file or layer name."""

    def __len__(self) -> int:
        """Return the number of frames."""

    def read(self, frame: int) -> np.ndarray:
        """Read one frame.

        Parameters
        ----------
        frame : int
            Frame number, 0 <= frame < len(self).

        Returns
        -------
        np.ndarray
            (Y, X) or (Y, X, 3) of ``dtype``; the caller's own copy.

        Raises
        ------
        FrameRangeError
            No such frame.
        DamagedFrameError
            This frame cannot be read, but others can.
        MovieError
            The movie cannot be read any more.
        """


@runtime_checkable
class LazyStack(Protocol):
    """An N-dimensional array that reads what is asked of it: NumPy, dask, zarr, h5py, or one of the file adapters.

    A ``chunks`` attribute, where there is one, is honoured: sizes as in zarr, or a tuple of sizes an axis as in dask.
    """

    @property
    def shape(self) -> tuple[int, ...]:
        """Length of each axis."""

    @property
    def dtype(self) -> np.dtype[np.generic]:
        """Type of the values."""

    def __getitem__(self, index: tuple[slice, ...], /) -> object:
        """Return the block cut out by one slice an axis, as something that ``np.asarray`` understands."""


class DamagedBlockError(MovieError):
    """A block of a stack cannot be read, because its data are damaged or missing; others can."""


@dataclass(frozen=True, slots=True)
class NamedStack:
    """A stack with what its file says about its axes.

    Attributes
    ----------
    stack : LazyStack
        The values.
    axes : str or None
        One letter an axis (T, C, Z, Y, X, S = samples of RGB; other letters are unknown axes), None if nothing is said.
    name : str
        File or folder name.
    notes : tuple of str
        What a user should know of the file, such as "6 of 20 frames were written".
    channels : tuple of str
        Names of the channels along C, where the file tells them.
    """

    stack: LazyStack
    axes: str | None
    name: str
    notes: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()


def is_frame_source(value: object) -> TypeGuard[FrameSource]:
    """Tell whether something already is a movie: arrays have no ``read``.

    Looks at the class, because the properties of an empty live source raise.
    """
    kind = type(value)
    return callable(getattr(kind, "read", None)) and hasattr(kind, "__len__")


def choose_series(count: int, number: int | None, listed: list[str], path: object, kind: str = "image series") -> int:
    """Choose one of several images in a file.

    Parameters
    ----------
    count : int
        How many there are.
    number : int or None
        What the user chose; may be left out where there is only one.
    listed : list of str
        The first of them, described.
    path : Path
        The file, for messages.
    kind : str
        What they are called.

    Raises
    ------
    MovieError
        A choice is missing or does not exist.
    """
    if number is None and count == 1:
        return 0
    if number is not None and 0 <= number < count:
        return number
    shown = "; ".join(f"{at}: {item}" for at, item in enumerate(listed[:SERIES_LISTED]))
    shown += f"; and {count - SERIES_LISTED} more" if count > SERIES_LISTED else ""
    if number is None:
        raise MovieError(f"'{path}' holds {count} {kind} ({shown}): choose one (--series N; in Python series=N)")
    raise MovieError(f"series {number} does not exist in '{path}': it has {count}, 0 to {count - 1} ({shown})")


def check_frame(frame: int, length: int, name: str) -> None:
    """Raise FrameRangeError unless 0 <= frame < length."""
    if not 0 <= frame < length:
        valid = f"frames are 0 to {length - 1}" if length else "it has no frames yet"
        raise FrameRangeError(f"frame {frame} is outside the movie '{name}': {valid}")


def check_dtype(dtype: object, name: str) -> np.dtype[np.generic]:
    """Check that values of this type can be an image, and give the type in native byte order.

    Raises
    ------
    MovieError
        The type is not bool, integer or float of at most 64 bits.
    """
    if not isinstance(dtype, np.dtype):
        raise MovieError(f"movie '{name}' has values of type {dtype!r}: expected a NumPy array or like it")
    if dtype.kind == "O":
        raise MovieError(
            f"movie '{name}' is an array of Python objects, as arises from frames of changing size: "
            "expected numbers; give all frames one size and stack them"
        )
    if dtype.kind not in "biuf" or dtype.itemsize > 8:
        raise MovieError(f"movie '{name}' has values of type {dtype}: expected bool, integers or floats up to 64 bits")
    return dtype.newbyteorder("=")
