"""TIFF stacks, read page by page: plain, ImageJ and OME, of one or several series."""

from __future__ import annotations

import logging
import re
import threading
import weakref
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Literal

import numpy as np
import tifffile

from src_model.errors import MovieError
from src_model.frames.arrays import MappedStack, check_complete
from src_model.frames.source import DamagedBlockError, LazyStack, NamedStack, choose_series

if TYPE_CHECKING:
    from pathlib import Path

logging.getLogger("tifffile").addHandler(logging.NullHandler())  # or what it logs ends up in the user's terminal

Page = tifffile.TiffPage | tifffile.TiffFrame
Pages = tifffile.TiffPageSeries | tifffile.TiffPages | list[Page | None]
_DESCRIPTION = 270  # the tag where ImageJ, OME and others tell the axes


class PagedStack:
    """The pages of a TIFF file as one array; a read decodes the pages it needs.

    Parameters
    ----------
    file : tifffile.TiffFile
        The open file; it is closed when the stack goes.
    pages : tifffile.TiffPageSeries or tifffile.TiffPages
        Its pages.
    shape : tuple of int
        Shape of all pages together: the first axes run over pages, the others lie within one.
    dtype : np.dtype
        Type of the values.
    path : Path
        The file, for messages.
    """

    def __init__(
        self, file: tifffile.TiffFile, pages: Pages, shape: tuple[int, ...], dtype: np.dtype[np.generic], path: Path
    ) -> None:
        weakref.finalize(self, file.close)
        self.shape = tuple(int(length) for length in shape)
        self.dtype = dtype.newbyteorder("=")
        self._pages = pages
        self._path = path
        self._lock = threading.Lock()  # pages share one file position
        self._leading = _leading_axes(self.shape, len(pages), path)
        self.chunks = (1,) * self._leading + self.shape[self._leading :]

    def __getitem__(self, index: tuple[slice, ...], /) -> np.ndarray:
        """Read a block, a page at a time."""
        wanted = [range(*cut.indices(length)) for cut, length in zip(index, self.shape, strict=True)]
        over, within = wanted[: self._leading], index[self._leading :]
        block = np.empty([len(along) for along in wanted], dtype=self.dtype)
        for place in np.ndindex(*(len(along) for along in over)):
            entry = [along[i] for along, i in zip(over, place, strict=True)]
            number = int(np.ravel_multi_index(entry, self.shape[: self._leading])) if entry else 0
            block[place] = self._read(number)[within]
        return block

    def _read(self, number: int) -> np.ndarray:
        with self._lock:
            page = self._pages[number]
            if page is None:
                raise DamagedBlockError(f"page {number} of '{self._path}' is missing: it was never written, or moved")
            return read_page(page, number, self._path).reshape(self.shape[self._leading :])


def open_tiff(path: Path, series: int | None = None) -> NamedStack:
    """Open a TIFF stack without reading its pixels.

    Parameters
    ----------
    path : Path
        The file.
    series : int or None
        Which image series, where the file has several.

    Raises
    ------
    MovieError
        The file is no TIFF, truncated, or holds several series of which none is chosen.
    """
    file = _open(path)
    try:
        _check_structure(file, path)
        opened = _stack_of(file, series, path)
    except MovieError:
        file.close()
        raise
    except Exception as error:  # damaged metadata fails in many ways
        file.close()
        raise _damaged(path, error) from error
    return opened


def _open(path: Path) -> tifffile.TiffFile:
    try:
        return tifffile.TiffFile(path)
    except Exception as error:  # a damaged header fails in many ways
        raise _damaged(path, error) from error


def _damaged(path: Path, error: Exception) -> MovieError:
    return MovieError(f"'{path}' cannot be read as a TIFF file ({error}): it may be damaged or truncated")


def _stack_of(file: tifffile.TiffFile, number: int | None, path: Path) -> NamedStack:
    chosen = _choose_series(list(file.series), number, path)
    if len(chosen) > 1:  # written one by one: each page is a series of its own
        first, frames = chosen[0], len(file.pages)
        file.close()
        again = _open(path)  # forgets the descriptions of all these series
        stack: LazyStack = PagedStack(again, again.pages, (frames, *first.shape), np.dtype(first.dtype), path)
        return NamedStack(stack, "T" + first.axes, path.name)
    series = chosen[0]
    if series.kind == "ome" and any(page is None for page in series.pages):
        written = _written_part(series, file.ome_metadata or "", path)
        stack = PagedStack(file, written.pages, written.shape, np.dtype(series.dtype), path)
        return NamedStack(stack, series.axes, path.name, written.notes)
    offset = None if series.is_multifile else series.dataoffset
    if offset is None:
        stack = PagedStack(file, series.pages, series.shape, np.dtype(series.dtype), path)
        return NamedStack(stack, series.axes, path.name)
    stored = np.dtype(series.dtype).newbyteorder(file.byteorder)
    file.close()
    stack = MappedStack(path, tuple(int(length) for length in series.shape), stored, int(offset))
    check_complete(stack)
    return NamedStack(stack, series.axes, path.name)


@dataclass(frozen=True, slots=True)
class _Written:
    """What there is of a series that its metadata promise more of."""

    pages: list[Page | None]
    shape: tuple[int, ...]
    notes: tuple[str, ...]


def _written_part(series: tifffile.TiffPageSeries, metadata: str, path: Path) -> _Written:
    """Leave out the frames at the end of which there is no page: acquisition was stopped, or files are missing."""
    shape = tuple(int(length) for length in series.shape)
    leading = _leading_axes(shape, len(series.pages), path)
    along = series.axes.index("T") if "T" in series.axes[:leading] else 0
    pages = np.empty(len(series.pages), object)
    pages[:] = list(series.pages)
    pages = np.moveaxis(pages.reshape(shape[:leading]), along, 0)
    there = np.array([[page is not None for page in frame.flat] for frame in pages.reshape(len(pages), -1)])
    kept = int(np.flatnonzero(there.any(axis=1)).max(initial=-1)) + 1
    if kept == 0:
        raise MovieError(f"'{path}' has none of the {len(pages)} frames that its metadata promise: it may be truncated")
    notes = []
    files = set(re.findall(r'FileName="([^"]+)"', metadata))
    missing = sorted(name for name in files if not (path.parent / name).exists())
    if missing:
        named = ", ".join(f"'{name}'" for name in missing[:3]) + (" and others" if len(missing) > 3 else "")
        notes.append(f"'{path.name}' is one of {len(files)} files, of which {named} cannot be found beside it")
    if kept < len(pages):
        reason = "the other files hold the rest" if missing else "acquisition was stopped before the end"
        notes.append(f"'{path.name}' has {kept} of {len(pages)} frames: {reason}")
    holes = int((~there[:kept]).sum())
    if holes:
        notes.append(f"'{path.name}' lacks {holes} of the images of its frames: these frames cannot be used as a whole")
    left = np.moveaxis(pages[:kept], 0, along)
    return _Written(list(left.flat), left.shape + shape[leading:], tuple(notes))


def read_page(page: Page, number: int, path: Path) -> np.ndarray:
    """Decode one page.

    Raises
    ------
    DamagedBlockError
        The page lies beyond the end of the file, cannot be decoded, or its compression needs the package imagecodecs.
    """
    size = page.parent.filehandle.size
    end = max((at + count for at, count in zip(page.dataoffsets, page.databytecounts, strict=False)), default=0)
    if end > size:
        raise DamagedBlockError(
            f"page {number} of '{path}' is truncated: it ends at byte {end}, the file has {size}; "
            "copy or export it again"
        )
    try:
        return np.asarray(page.asarray())
    except Exception as error:  # each codec has errors of its own
        if "imagecodecs" in str(error):
            raise MovieError(f"page {number} of '{path}' is compressed ({error}): pip install imagecodecs") from error
        raise DamagedBlockError(
            f"page {number} of '{path}' cannot be decoded ({error}): the file may be damaged"
        ) from error


def _check_structure(file: tifffile.TiffFile, path: Path) -> None:
    """Raise MovieError for damage that tifffile only logs: the movie would be shorter, or its axes be forgotten."""
    pages = len(file.pages)  # walks through the whole list
    if pages == 0:
        raise MovieError(f"'{path}' is empty: it has no pages that can be read; it may be truncated")
    first, last = file.pages[0], file.pages[pages - 1]
    _, following = _raw_tags(file, last.offset)
    if following != 0:
        raise MovieError(
            f"'{path}' is truncated or damaged: the list of its pages breaks off after page {pages - 1}; "
            "copy or export it again"
        )
    codes, _ = _raw_tags(file, first.offset)
    if _DESCRIPTION in codes and isinstance(first, tifffile.TiffPage) and _DESCRIPTION not in first.tags:
        raise MovieError(
            f"'{path}' is truncated or damaged: the description of its axes cannot be read; copy or export it again"
        )


def _raw_tags(file: tifffile.TiffFile, offset: int) -> tuple[set[int], int | None]:
    """List the codes of a page's tags and where the next page is: 0 after the last, None if the file ends before."""
    tiff, handle = file.tiff, file.filehandle
    order: Literal["big", "little"] = "big" if file.byteorder == ">" else "little"
    handle.seek(offset)
    count = int.from_bytes(handle.read(tiff.tagnosize), order)
    tags = handle.read(count * tiff.tagsize)
    following = handle.read(tiff.offsetsize)
    codes = {int.from_bytes(tags[at : at + 2], order) for at in range(0, len(tags), tiff.tagsize)}
    return codes, int.from_bytes(following, order) if len(following) == tiff.offsetsize else None


def _choose_series(
    found: list[tifffile.TiffPageSeries], number: int | None, path: Path
) -> list[tifffile.TiffPageSeries]:
    """Choose one series, or all of them where each is one page of the same kind."""
    described = [f"{series.axes} {tuple(series.shape)} {series.dtype}" for series in found]
    if number is not None:
        return [found[choose_series(len(found), number, described, path)]]
    images = [series for series in found if not _is_thumbnail(series)] or found
    if len(images) == 1:
        return images
    loose = all(series.kind in ("generic", "uniform", "shaped") for series in images)
    alike = len({(series.keyframe.shape, series.dtype) for series in images}) == 1
    if loose and alike and len(images) == len(found) and all(len(series.pages) == 1 for series in images):
        return images
    kind = "series of images of changing size or type" if loose and not alike else "image series"
    return [found[choose_series(len(found), None, described, path, kind)]]


def _is_thumbnail(series: tifffile.TiffPageSeries) -> bool:
    return bool(series.keyframe.is_reduced) or (series.name or "").lower() in ("thumbnail", "macro", "label")


def _leading_axes(shape: tuple[int, ...], pages: int, path: Path) -> int:
    """Count the axes that run over pages; the others lie within a page."""
    for axis in range(len(shape) + 1):
        if prod(shape[:axis]) == pages:
            return axis
    raise MovieError(
        f"'{path}' has {pages} pages for the shape {shape}, a layout that is not known: "
        "export it as one page a plane (ImageJ: File > Save As > Tiff)"
    )
