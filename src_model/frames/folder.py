"""Folders of images, one file a frame, in natural order; also a single picture as a movie of one frame."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
import tifffile

from src_model.errors import MovieError
from src_model.frames.file_names import FileTable, natural_key, sort_files
from src_model.frames.source import DamagedBlockError, NamedStack
from src_model.frames.tiff import read_page

if TYPE_CHECKING:
    from pathlib import Path

PICTURE_SUFFIXES = {
    ".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".tif": "TIFF", ".tiff": "TIFF", ".bmp": "BMP", ".webp": "WebP"
}  # fmt: skip
TRIED_FILES = 10
"""So many files are tried in search of one that tells the shape; if all are damaged, so are probably the others."""
MAX_FILE_BYTES = 2**32
"""A TIFF file of one frame that claims more than this is taken for damaged or hostile."""
_AS_STORED = ("1", "L", "I", "F")


class FileStack:
    """Image files as one array (T, Y, X), (T, Y, X, 3), with what else a TIFF file holds, or (T, C, ...).

    Parameters
    ----------
    table : FileTable
        Files by frame and channel; the first that can be read fixes shape and type.
    """

    def __init__(self, table: FileTable) -> None:
        self._rows = table.rows
        self._pattern, first, axes = _first_readable([row[0] for row in table.rows])
        channels = (len(table.channels),) if table.channels else ()
        self.axes = None if axes is None else "T" + "C" * len(channels) + axes
        self._image_shape = first.shape
        self.shape: tuple[int, ...] = (len(table.rows), *channels, *first.shape)
        self.dtype = first.dtype
        self.chunks = (1, *(1,) * len(channels), *first.shape)

    def __getitem__(self, index: tuple[slice, ...], /) -> np.ndarray:
        """Read a block, a file at a time."""
        numbers = range(*index[0].indices(len(self._rows)))
        if len(self.shape) == len(self._image_shape) + 1:
            return np.stack([self._read(number, 0)[index[1:]] for number in numbers])
        channels = range(*index[1].indices(self.shape[1]))
        return np.stack([np.stack([self._read(number, c)[index[2:]] for c in channels]) for number in numbers])

    def _read(self, number: int, channel: int) -> np.ndarray:
        file = self._rows[number][channel]
        if not file.parent.exists():
            raise FileNotFoundError(f"'{file.parent}'")
        image, _ = read_image(file)
        if image.shape != self._image_shape or image.dtype != self.dtype:
            raise MovieError(
                f"frame {number}, '{file}', has the shape {image.shape} and type {image.dtype}: "
                f"expected {self._image_shape} and {self.dtype} as in '{self._pattern.name}'; "
                "frames of changing size are no movie"
            )
        return image


def _first_readable(files: list[Path]) -> tuple[Path, np.ndarray, str | None]:
    """Read the first image that is not damaged, of the first few."""
    for file in files[:TRIED_FILES]:
        try:
            return (file, *read_image(file))
        except DamagedBlockError as error:
            damage = error
    raise damage


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
    files = [entry for entry in names if entry.suffix.lower() in PICTURE_SUFFIXES]
    kinds = Counter(PICTURE_SUFFIXES[file.suffix.lower()] for file in files)
    if not files:
        raise MovieError(
            f"the folder '{path}' has no image files, only {_some(names)}: "
            f"expected one {', '.join(PICTURE_SUFFIXES)} file a frame"
        )
    if len(kinds) > 1:
        found = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
        raise MovieError(f"the folder '{path}' mixes kinds of images ({found}): keep the frames alone in a folder")
    table = sort_files(files)
    stack = FileStack(table)
    notes: tuple[str, ...] = ()
    if table.left_out:
        notes = (f"{table.left_out} files of '{path.name}' are left out: their frames lack other channels",)
    return NamedStack(stack, stack.axes, path.name, notes, table.channels)


def open_picture(path: Path) -> NamedStack:
    """Open one picture as a movie of one frame."""
    stack = FileStack(FileTable([[path]]))
    return NamedStack(stack, stack.axes, path.name)


def read_image(path: Path) -> tuple[np.ndarray, str | None]:
    """Read an image file as it is stored.

    EXIF orientation is not applied: masks and coordinates belong to the stored rows and columns, as in other tools that
    read arrays. An alpha channel is dropped; palettes and other color models become RGB. RGB files of 16 bits a color
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


def _damaged(path: Path, error: Exception) -> DamagedBlockError:
    return DamagedBlockError(f"'{path}' cannot be read as an image ({error}): it may be damaged; replace or remove it")


def _some(names: list[Path]) -> str:
    """Name a few files, however many there are."""
    if not names:
        return "nothing"
    listed = ", ".join(entry.name for entry in sorted(names, key=natural_key)[:5])
    return listed + (f" and {len(names) - 5} more" if len(names) > 5 else "")
