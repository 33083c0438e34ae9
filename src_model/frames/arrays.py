"""Arrays that lie in a file as they are: .npy, .npz, and the plain kind of TIFF."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from src_model.errors import MovieError
from src_model.frames.source import LazyStack, NamedStack, choose_series

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


def open_npz(path: Path, series: int | None = None) -> NamedStack:
    """Open an array in a .npz file; one that is compressed is read as a whole, because no part of it can be.

    Parameters
    ----------
    path : Path
        The file.
    series : int or None
        Which array, where the file holds several that could be images.

    Raises
    ------
    MovieError
        The file is damaged, holds no image, or several of which none is chosen.
    """
    try:
        with zipfile.ZipFile(path) as file:
            members = [
                (info, _read_header(file, info, path)) for info in file.infolist() if info.filename.endswith(".npy")
            ]
        images = [member for member in members if len(member[1].shape) >= 2 and member[1].stored.kind in "biuf"]
        if not images:
            names = ", ".join(info.filename.removesuffix(".npy") for info, _ in members[:5]) or "nothing"
            raise MovieError(f"'{path}' holds no image, only {names}: expected an array of at least two axes")
        described = [f"'{info.filename.removesuffix('.npy')}' {at.shape} {at.stored}" for info, at in images]
        info, mapped = images[choose_series(len(images), series, described, path, "arrays")]
        stack: LazyStack = mapped
        if info.compress_type != zipfile.ZIP_STORED:
            with np.load(path, allow_pickle=False) as arrays:
                stack = arrays[info.filename.removesuffix(".npy")]
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        if isinstance(error, MovieError):
            raise
        raise MovieError(
            f"'{path}' cannot be opened as a .npz file ({error}): expected arrays as numpy.savez writes them"
        ) from error
    return NamedStack(stack, None, path.name)


def _read_header(file: zipfile.ZipFile, info: zipfile.ZipInfo, path: Path) -> MappedStack:
    """Read the shape and type of an array in a zip file, and where its values are if they are not compressed."""
    with file.open(info) as member:
        version = np.lib.format.read_magic(member)
        read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, fortran, dtype = read(member)
        header = member.tell()
    assert file.fp is not None
    file.fp.seek(info.header_offset + 26)  # the lengths of the name and the extra field in front of the values
    lengths = file.fp.read(4)
    start = info.header_offset + 30 + int.from_bytes(lengths[:2], "little") + int.from_bytes(lengths[2:], "little")
    return MappedStack(path, shape, dtype, start + header, "F" if fortran else "C")
