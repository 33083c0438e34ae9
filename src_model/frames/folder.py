"""Folders of images, one file a frame, in natural order; also a single picture as a movie of one frame."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
import tifffile

from src_model.errors import MovieError
from src_model.frames.source import NamedStack
from src_model.frames.tiff import read_page

if TYPE_CHECKING:
    from pathlib import Path

PICTURE_SUFFIXES = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".tif": "TIFF", ".tiff": "TIFF"}
MAX_FILE_BYTES = 2**32
"""A TIFF file of one frame that claims more than this is taken for damaged or hostile."""
_AS_STORED = ("1", "L", "I", "F")


class FileStack:
    """Image files as one array (T, Y, X), (T, Y, X, 3), or with what else a TIFF file holds.

    Parameters
    ----------
    files : list of Path
        One file a frame; the first one fixes shape and type.
    """

    def __init__(self, files: list[Path]) -> None:
        first, axes = read_image(files[0])
        self._files = files
        self.axes = None if axes is None else "T" + axes
        self.shape: tuple[int, ...] = (len(files), *first.shape)
        self.dtype = first.dtype
        self.chunks = (1, *first.shape)

    def __getitem__(self, index: tuple[slice, ...], /) -> np.ndarray:
        """Read a block, a file at a time."""
        images = [self._read(number)[index[1:]] for number in range(*index[0].indices(len(self._files)))]
        return np.stack(images)

    def _read(self, number: int) -> np.ndarray:
        image, _ = read_image(self._files[number])
        if image.shape != self.shape[1:] or image.dtype != self.dtype:
            raise MovieError(
                f"frame {number}, '{self._files[number]}', has the shape {image.shape} and type {image.dtype}: "
                f"expected {self.shape[1:]} and {self.dtype} as in '{self._files[0].name}'; "
                "frames of changing size are no movie"
            )
        return image


def open_folder(path: Path) -> NamedStack:
    """Open a folder of images without reading more than the first.

    Raises
    ------
    MovieError
        No image files, or of several kinds, or the first cannot be read.
    """
    try:
        names = [entry for entry in path.iterdir() if entry.is_file() and not entry.name.startswith(".")]
    except OSError as error:
        raise MovieError(f"the folder '{path}' cannot be listed ({error}): check its permissions") from error
    files = sorted((entry for entry in names if entry.suffix.lower() in PICTURE_SUFFIXES), key=natural_key)
    kinds = Counter(PICTURE_SUFFIXES[file.suffix.lower()] for file in files)
    if not files:
        raise MovieError(
            f"the folder '{path}' has no image files, only {_some(names)}: "
            f"expected one {', '.join(PICTURE_SUFFIXES)} file a frame"
        )
    if len(kinds) > 1:
        found = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
        raise MovieError(f"the folder '{path}' mixes kinds of images ({found}): keep the frames alone in a folder")
    stack = FileStack(files)
    return NamedStack(stack, stack.axes, path.name)


def open_picture(path: Path) -> NamedStack:
    """Open one picture as a movie of one frame."""
    stack = FileStack([path])
    return NamedStack(stack, stack.axes, path.name)


def natural_key(path: Path) -> tuple[list[str | int], str]:
    """Sort key by which 'frame2' comes before 'frame10'."""
    parts = re.split(r"([0-9]+)", path.name.lower())
    return [int(part) if i % 2 else part for i, part in enumerate(parts)], path.name


def read_image(path: Path) -> tuple[np.ndarray, str | None]:
    """Read an image file as it is stored.

    EXIF orientation is not applied: masks and coordinates belong to the stored rows and columns, as in other tools that
    read arrays. An alpha channel is dropped; palettes and other colour models become RGB. RGB files of 16 bits a colour
    are read at that depth from TIFF only.

    Returns
    -------
    image : np.ndarray
        (Y, X) or (Y, X, 3), or what a TIFF file holds, in native byte order.
    axes : str or None
        The axes as the file tells them, without time.

    Raises
    ------
    MovieError
        The file is damaged, or not an image.
    """
    if PICTURE_SUFFIXES[path.suffix.lower()] == "TIFF":
        return _read_tiff(path)
    from PIL import Image

    try:
        with Image.open(path) as picture:
            if picture.mode.startswith("I;16") or picture.mode in _AS_STORED:
                image = np.asarray(picture)
            elif picture.mode in ("LA", "La"):
                image = np.asarray(picture)[..., 0]
            else:
                opaque = picture.convert("RGBA") if picture.mode == "P" else picture
                image = np.asarray(opaque.convert("RGB"))
    except (OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError) as error:
        raise _damaged(path, error) from error
    return image.astype(image.dtype.newbyteorder("="), copy=False), "YX" if image.ndim == 2 else "YXS"


def _read_tiff(path: Path) -> tuple[np.ndarray, str | None]:
    try:
        with tifffile.TiffFile(path) as file:
            series = file.series[0]
            if len(file.series) > 1 or "T" in series.axes:
                raise MovieError(
                    f"'{path}' holds a movie of its own (axes {series.axes}): open it by itself, not in a folder"
                )
            if series.nbytes > MAX_FILE_BYTES:
                raise MovieError(f"'{path}' holds {series.nbytes} bytes a frame: at most {MAX_FILE_BYTES} are read")
            pages = [read_page(page, number, path) for number, page in enumerate(series.pages) if page is not None]
            image = np.stack(pages).reshape(series.shape)
            axes = series.axes
    except MovieError:
        raise
    except Exception as error:  # damaged metadata fails in many ways
        raise _damaged(path, error) from error
    return image.astype(image.dtype.newbyteorder("="), copy=False), axes


def _damaged(path: Path, error: Exception) -> MovieError:
    return MovieError(f"'{path}' cannot be read as an image ({error}): it may be damaged; replace or remove it")


def _some(names: list[Path]) -> str:
    """Name a few files, however many there are."""
    if not names:
        return "nothing"
    listed = ", ".join(entry.name for entry in sorted(names, key=natural_key)[:5])
    return listed + (f" and {len(names) - 5} more" if len(names) > 5 else "")
