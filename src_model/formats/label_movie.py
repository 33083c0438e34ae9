"""Labels movies, one number a pixel and frame: what all formats that hold such a movie are given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from src_model.errors import MaskError
from src_model.formats.marks import SOFTWARE

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from numpy.typing import DTypeLike, NDArray


@dataclass(frozen=True, slots=True)
class LabelInfo:
    """What is known of the object that has a label.

    Attributes
    ----------
    label
        Number of the object in the image, from 1.
    color
        ``"#rrggbb"``; empty where it has none.
    texts
        Name, class, note and number of the parent, by what they are called in the file.
    """

    label: int
    color: str = ""
    texts: Mapping[str, str | int] | None = None


@dataclass(frozen=True, slots=True)
class LabelMovie:
    """A labels movie to be written.

    Attributes
    ----------
    name
        What a user would call it.
    shape
        ``(T, Y, X)``: frames, rows and columns.
    dtype
        Unsigned type of the labels.
    frames
        ``(Y, X)`` labels of ``dtype``, frame by frame; they are taken once, and none is kept.
    scale
        World units a frame, a row and a column.
    units
        Names of those; empty if unknown.
    labels
        What is known of the objects.
    software
        What the file says of the program that wrote it.
    """

    name: str
    shape: tuple[int, int, int]
    dtype: np.dtype[np.unsignedinteger[Any]]
    frames: Iterator[NDArray[np.integer]]
    scale: tuple[float, float, float] = (1.0, 1.0, 1.0)
    units: tuple[str, str, str] = ("", "", "")
    labels: tuple[LabelInfo, ...] = ()
    software: str = SOFTWARE


def label_dtype(labels: Collection[int], *, least: DTypeLike = np.uint8) -> np.dtype[np.unsignedinteger[Any]]:
    """Choose the smallest unsigned type that holds all labels.

    Parameters
    ----------
    labels
        Numbers of the objects, from 1.
    least
        The smallest type that may be chosen.

    Raises
    ------
    MaskError
        If one is larger than any label image can hold.
    """
    largest = max(labels, default=0)
    for kind in (np.uint8, np.uint16, np.uint32):
        if largest <= np.iinfo(kind).max and np.dtype(kind).itemsize >= np.dtype(least).itemsize:
            return np.dtype(kind)
    raise MaskError(f"object {largest} cannot be written as a label: numbers go up to {np.iinfo(np.uint32).max}")
