"""TIFF stacks, read page by page: plain, ImageJ and OME, of one or several series."""

from __future__ import annotations

import threading
import weakref
from math import prod
from typing import TYPE_CHECKING, Literal

import numpy as np
import tifffile

from src_model.errors import MovieError
from src_model.frames.arrays import MappedStack, check_complete
from src_model.frames.source import LazyStack, NamedStack

if TYPE_CHECKING:
    from pathlib import Path

Page = tifffile.TiffPage | tifffile.TiffFrame
Pages = tifffile.TiffPageSeries | tifffile.TiffPages
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
                raise MovieError(f"page {number} of '{self._path}' is missing: it lies in a file that is not there")
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
        stack, axes = _stack_of(file, series, path)
    except MovieError:
        file.close()
        raise
    except Exception as error:  # damaged metadata fails in many ways
        file.close()
        raise _damaged(path, error) from error
    return NamedStack(stack, axes, path.name)


def _open(path: Path) -> tifffile.TiffFile:
    try:
        return tifffile.TiffFile(path)
    except Exception as error:  # a damaged header fails in many ways
        raise _damaged(path, error) from error


def _damaged(path: Path, error: Exception) -> MovieError:
    return MovieError(f"'{path}' cannot be read as a TIFF file ({error}): it may be damaged or truncated")


def _stack_of(file: tifffile.TiffFile, number: int | None, path: Path) -> tuple[LazyStack, str]:
    chosen = _choose_series(list(file.series), number, path)
    if len(chosen) > 1:  # written one by one: each page is a series of its own
        first, frames = chosen[0], len(file.pages)
        file.close()
        again = _open(path)  # forgets the descriptions of all these series
        return PagedStack(again, again.pages, (frames, *first.shape), np.dtype(first.dtype), path), "T" + first.axes
    series = chosen[0]
    offset = None if series.is_multifile else series.dataoffset
    if offset is None:
        return PagedStack(file, series.pages, series.shape, np.dtype(series.dtype), path), series.axes
    stored = np.dtype(series.dtype).newbyteorder(file.byteorder)
    file.close()
    stack = MappedStack(path, tuple(int(length) for length in series.shape), stored, int(offset))
    check_complete(stack)
    return stack, series.axes


def read_page(page: Page, number: int, path: Path) -> np.ndarray:
    """Decode one page.

    Raises
    ------
    MovieError
        The page lies beyond the end of the file, cannot be decoded, or its compression needs the package imagecodecs.
    """
    size = page.parent.filehandle.size
    end = max((at + count for at, count in zip(page.dataoffsets, page.databytecounts, strict=False)), default=0)
    if end > size:
        raise MovieError(
            f"page {number} of '{path}' is truncated: it ends at byte {end}, the file has {size}; "
            "copy or export it again"
        )
    try:
        return np.asarray(page.asarray())
    except Exception as error:  # each codec has errors of its own
        if "imagecodecs" in str(error):
            raise MovieError(f"page {number} of '{path}' is compressed ({error}): pip install imagecodecs") from error
        raise MovieError(f"page {number} of '{path}' cannot be decoded ({error}): the file may be damaged") from error


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
    if number is not None:
        if not 0 <= number < len(found):
            raise MovieError(f"series {number} does not exist in '{path}': it has {len(found)}, 0 to {len(found) - 1}")
        return [found[number]]
    images = [series for series in found if not _is_thumbnail(series)] or found
    if len(images) == 1:
        return images
    loose = all(series.kind in ("generic", "uniform", "shaped") for series in images)
    alike = len({(series.keyframe.shape, series.dtype) for series in images}) == 1
    if loose and alike and len(images) == len(found) and all(len(series.pages) == 1 for series in images):
        return images
    listed = ", ".join(f"{i}: {series.axes} {tuple(series.shape)} {series.dtype}" for i, series in enumerate(found[:5]))
    listed += f" and {len(found) - 5} more" if len(found) > 5 else ""
    if loose and not alike:
        raise MovieError(
            f"'{path}' has frames of changing size or type (series {listed}): expected pages that are all alike; "
            "pass series=... to use one of these series"
        )
    raise MovieError(f"'{path}' holds {len(found)} image series ({listed}): pass series=0 to {len(found) - 1}")


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
