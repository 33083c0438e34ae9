"""Labels movies as TIFF: with the metadata of OME, or as a hyperstack of ImageJ."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import tifffile

from src_model.document.units import Unit, space_unit, time_unit
from src_model.errors import FormatError

if TYPE_CHECKING:
    from pathlib import Path

    from src_model.formats.label_movie import LabelMovie

CLASSIC_TIFF_BYTES: Final = 2**31
"""Movies of more bytes are written as BigTIFF; compressed they might fit, but nobody knows before."""

HYPERSTACK_BYTES: Final = 2**35
"""Movies of more bytes are not tried as hyperstacks, which are classic TIFF files: labels shrink to a tenth or less."""
_FULL_TIFF_BYTES: Final = 2**32 - 2**20


def write_ome_tiff(path: Path, movie: LabelMovie) -> None:
    """Write an OME-TIFF, compressed without loss, frame by frame.

    Parameters
    ----------
    path
        The file, which does not exist yet.
    movie
        What is written; pixel size and frame interval are, where their units are known.
    """
    metadata: dict[str, Any] = {"axes": "TYX", "Name": movie.name}
    for axis, key in ((1, "PhysicalSizeY"), (2, "PhysicalSizeX")):
        if (unit := space_unit(movie.units[axis])) is not None:
            metadata |= {key: movie.scale[axis], f"{key}Unit": unit.symbol}
    if (interval := time_unit(movie.units[0])) is not None:
        metadata |= {"TimeIncrement": movie.scale[0], "TimeIncrementUnit": interval.symbol}
    with tifffile.TiffWriter(path, bigtiff=_bytes(movie) > CLASSIC_TIFF_BYTES, ome=True) as tiff:
        _write(tiff, movie, metadata=metadata)


def is_hyperstack(movie: LabelMovie) -> bool:
    """Tell whether ImageJ can hold a movie: labels of 8 or 16 bits, which compressed should fit a classic TIFF file."""
    return movie.dtype.itemsize <= 2 and _bytes(movie) <= HYPERSTACK_BYTES


def write_imagej_tiff(path: Path, movie: LabelMovie) -> None:
    """Write a hyperstack of ImageJ, compressed without loss, frame by frame.

    Where :func:`is_hyperstack` says no, it is a TIFF file of the same pages, which ImageJ opens without the time axis.

    Parameters
    ----------
    path
        The file, which does not exist yet.
    movie
        What is written; pixel size and frame interval are, where their units are known.

    Raises
    ------
    FormatError
        If the compressed movie does not fit a classic TIFF file after all.
    """
    units = space_unit(movie.units[1]), space_unit(movie.units[2])
    unit = units[1] if units[0] == units[1] else None
    options: dict[str, Any] = {}
    if unit is not None:
        options["resolution"] = (1 / movie.scale[2], 1 / movie.scale[1])
    if not is_hyperstack(movie):
        with tifffile.TiffWriter(path, bigtiff=_bytes(movie) > CLASSIC_TIFF_BYTES) as tiff:
            _write(tiff, movie, metadata={"axes": "TYX"}, **options)
        return
    metadata: dict[str, Any] = {"axes": "TYX"}
    if unit is not None:
        # The one spelling that all versions of ImageJ understand.
        metadata["unit"] = "micron" if unit == space_unit("micron") else unit.name
    if (seconds := _seconds(movie)) is not None:
        metadata |= {"finterval": seconds, "tunit": "s"}
    with tifffile.TiffWriter(path, imagej=True) as tiff:
        _write(tiff, movie, metadata=metadata, **options)
    if path.stat().st_size > _FULL_TIFF_BYTES:  # its last pages are lost then
        raise FormatError("the labels are too large for a hyperstack of ImageJ: export them as ome-tiff or ome-zarr")


def _write(tiff: tifffile.TiffWriter, movie: LabelMovie, **options: Any) -> None:
    tiff.write(
        movie.frames,
        shape=movie.shape,
        dtype=movie.dtype,
        photometric="minisblack",
        compression="zlib",
        # Compressed by several threads, frames would pile up in memory.
        maxworkers=1,
        software=movie.software,
        **options,
    )


def _bytes(movie: LabelMovie) -> int:
    return math.prod(movie.shape) * np.dtype(movie.dtype).itemsize


_SECONDS: Final = {"ns": 1e-9, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}


def _seconds(movie: LabelMovie) -> float | None:
    """Return the frame interval, which ImageJ wants in seconds; None if it is unknown."""
    unit: Unit | None = time_unit(movie.units[0])
    return None if unit is None else movie.scale[0] * _SECONDS[unit.symbol]
