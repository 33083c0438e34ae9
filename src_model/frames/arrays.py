"""Arrays that lie uncompressed in a file: .npy, and the plain kind of TIFF."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from src_model.errors import MovieError
from src_model.frames.source import NamedStack

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class MappedStack:
    """An array in a file, mapped anew for each read.

    A mapping that stays open would count every page ever touched as memory of the process, and would keep the file from
    being replaced; mapping again costs far less than reading a frame.

    Attributes
    ----------
    path : Path
        The file.
    shape : tuple of int
        Shape of the array.
    stored : np.dtype
        Type as stored, byte order included.
    offset : int
        Where the array starts, in bytes.
    order : "C" or "F"
        Which axis varies fastest: the last or the first.
    """

    path: Path
    shape: tuple[int, ...]
    stored: np.dtype[np.generic]
    offset: int
    order: Literal["C", "F"] = "C"

    @property
    def dtype(self) -> np.dtype[np.generic]:
        """Type of the values, in native byte order."""
        return self.stored.newbyteorder("=")

    def __getitem__(self, index: tuple[slice, ...], /) -> np.ndarray:
        """Read a block."""
        values = np.memmap(self.path, self.stored, mode="r", offset=self.offset, shape=self.shape, order=self.order)
        return np.array(values[index], dtype=self.dtype)


def check_complete(stack: MappedStack) -> None:
    """Raise MovieError if the file ends before the array does."""
    needed = stack.offset + stack.stored.itemsize * int(np.prod(stack.shape, dtype=object))
    size = stack.path.stat().st_size
    if size < needed:
        raise MovieError(
            f"'{stack.path}' is truncated: an array of shape {stack.shape} and type {stack.stored} needs "
            f"{needed} bytes, the file has {size}; copy or export it again"
        )


def open_npy(path: Path) -> NamedStack:
    """Open a .npy file without reading its values; pickled objects are refused.

    Raises
    ------
    MovieError
        The file is not a .npy array of numbers, or is truncated.
    """
    try:
        values = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError, SyntaxError) as error:
        raise MovieError(
            f"'{path}' cannot be opened as a .npy array ({error}): expected an array of numbers as numpy.save writes it"
        ) from error
    if not isinstance(values, np.memmap):
        raise MovieError(f"'{path}' is not a .npy array: expected one array as numpy.save writes it")
    order: Literal["C", "F"] = "C" if values.flags.c_contiguous else "F"
    stack = MappedStack(path, values.shape, values.dtype, int(values.offset), order)
    return NamedStack(stack, None, path.name)
