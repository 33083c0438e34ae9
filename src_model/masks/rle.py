"""Masks as the lengths of their runs: a few kilobytes each, whatever the size of the image."""

from __future__ import annotations

import operator
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias, TypedDict

import numpy as np
from numpy.typing import ArrayLike, NDArray

from src_model.errors import MaskError
from src_model.masks.coco import counts_from_string, counts_to_string

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MAX_PIXELS = 2**30
"""Largest image a mask may have; larger ones are refused before memory is taken for them."""

Box: TypeAlias = tuple[int, int, int, int]
"""``(y0, x0, y1, x1)`` in pixels, ``y1`` and ``x1`` excluded."""


class CocoRle(TypedDict):
    """A COCO segmentation of the compressed kind: ``size`` is ``[Y, X]``, ``counts`` run down the columns."""

    size: list[int]
    counts: str


@dataclass(frozen=True, slots=True, eq=False, repr=False, init=False)
class Rle:
    """A mask as the lengths of its runs along the rows, the first of them background.

    Equal masks have equal counts: runs of no length are merged away, except a first one before foreground at the
    first pixel.

    Parameters
    ----------
    shape
        ``(Y, X)``, at least ``(1, 1)``, at most ``MAX_PIXELS`` pixels.
    counts
        ``(N,)`` integers, in turn background and foreground, that sum to ``Y * X``. Copied.

    Raises
    ------
    MaskError
        If shape and counts do not describe a mask. Values from files may be passed as they are.
    """

    shape: tuple[int, int]
    counts: NDArray[np.uint32]

    def __init__(self, shape: Sequence[int], counts: ArrayLike) -> None:
        size = check_shape(shape)
        object.__setattr__(self, "shape", size)
        object.__setattr__(self, "counts", _canonical_counts(counts, size))

    @classmethod
    def empty(cls, shape: Sequence[int]) -> Rle:
        """Return a mask of ``shape`` ``(Y, X)`` without foreground."""
        height, width = check_shape(shape)
        return cls((height, width), [height * width])

    @classmethod
    def encode(cls, mask: NDArray[np.bool_]) -> Rle:
        """Encode a ``(Y, X)`` bool array.

        Raises
        ------
        MaskError
            If the array is not 2-D bool or holds no pixel.
        """
        check_mask(mask)
        check_shape(mask.shape)
        # Most objects are small: only the rows between the first and the last with foreground are searched for runs.
        rows = np.flatnonzero(mask.any(axis=1))
        if rows.size == 0:
            return cls.empty(mask.shape)
        return cls.from_crop(mask[rows[0] : rows[-1] + 1], (int(rows[0]), 0), mask.shape)

    @classmethod
    def from_crop(cls, crop: NDArray[np.bool_], origin: tuple[int, int], shape: Sequence[int]) -> Rle:
        """Encode a piece of a mask; everything around the piece is background.

        Parameters
        ----------
        crop
            ``(H, W)`` bool, True inside the object.
        origin
            ``(y, x)`` of the crop's first pixel in the image.
        shape
            ``(Y, X)`` of the image.

        Raises
        ------
        MaskError
            If the crop is not 2-D bool or does not lie inside the image.
        """
        check_mask(crop)
        height, width = check_shape(shape)
        y, x = origin
        check_box((y, x, y + crop.shape[0], x + crop.shape[1]), (height, width))
        edges = _edges(crop)
        # Edges count within the crop, whose rows have one more pixel than the crop is wide.
        edges += edges // (crop.shape[1] + 1) * (width - crop.shape[1] - 1) + (y * width + x)
        return cls.from_runs((height, width), edges[::2], edges[1::2])

    @classmethod
    def from_box(cls, box: Box, shape: Sequence[int]) -> Rle:
        """Fill a box ``(y0, x0, y1, x1)``, stops excluded; the work grows with its rows, not with its pixels.

        Raises
        ------
        MaskError
            If the box does not lie inside the image of ``shape`` ``(Y, X)``, or holds no pixel.
        """
        height, width = check_shape(shape)
        check_box(box, (height, width))
        y0, x0, y1, x1 = box
        rows = np.arange(y0, y1, dtype=np.int64) * width
        return cls.from_runs((height, width), rows + x0, rows + x1)

    @classmethod
    def from_runs(cls, shape: Sequence[int], starts: NDArray[np.integer], stops: NDArray[np.integer]) -> Rle:
        """Build a mask from its foreground runs.

        Parameters
        ----------
        shape
            ``(Y, X)`` of the image.
        starts, stops
            ``(N,)`` pixel numbers ``y * X + x``, ascending, stops excluded. Runs may touch but not overlap.

        Raises
        ------
        MaskError
            If the runs overlap, are out of order, or reach over the end of the image.
        """
        height, width = check_shape(shape)
        if np.ndim(starts) != 1 or np.shape(starts) != np.shape(stops):
            raise MaskError(f"runs need one stop for each start, got shapes {np.shape(starts)} and {np.shape(stops)}")
        bounds = np.zeros(2 * len(starts) + 2, np.int64)
        bounds[1:-1:2] = starts
        bounds[2:-1:2] = stops
        bounds[-1] = height * width
        return cls((height, width), np.diff(bounds))

    @classmethod
    def from_coco(cls, coco: Mapping[str, object]) -> Rle:
        """Read a COCO run-length segmentation, compressed (text) or not (numbers).

        Parameters
        ----------
        coco
            ``{"size": [Y, X], "counts": ...}``; COCO's runs go down the columns.

        Raises
        ------
        MaskError
            If a key is missing or the counts do not describe a mask of that size.
        """
        for key in ("size", "counts"):
            if key not in coco:
                raise MaskError(f"a COCO run-length mask needs 'size' and 'counts', {key!r} is missing")
        height, width = check_shape(coco["size"])
        counts = coco["counts"]
        runs = counts_from_string(counts) if isinstance(counts, str | bytes) else counts
        return cls((width, height), runs).transpose()  # type: ignore[arg-type]  # checked by the constructor

    def to_coco(self) -> CocoRle:
        """Return the mask as COCO's compressed segmentation, ready for JSON."""
        return {"size": list(self.shape), "counts": counts_to_string(self.transpose().counts)}

    def decode(self) -> NDArray[np.bool_]:
        """Return the mask as a new ``(Y, X)`` bool array."""
        return np.repeat(_alternating(self.counts.size, first=0), self.counts).reshape(self.shape)

    def crop(self, box: Box) -> NDArray[np.bool_]:
        """Decode one part of the mask.

        Parameters
        ----------
        box
            ``(y0, x0, y1, x1)``, inside the image; ``rle.crop(rle.box)`` is the object alone.

        Returns
        -------
        numpy.ndarray
            ``(y1 - y0, x1 - x0)`` bool.

        Raises
        ------
        MaskError
            If the box reaches over the image or holds no pixel.
        """
        y0, x0, y1, x1 = check_box(box, self.shape)
        width = self.shape[1]
        ends = np.cumsum(self.counts, dtype=np.int64)
        first = int(np.searchsorted(ends, y0 * width, side="right"))
        last = int(np.searchsorted(ends, y1 * width, side="left"))
        lengths = np.diff(np.concatenate(([y0 * width], ends[first:last], [y1 * width])))
        return np.repeat(_alternating(lengths.size, first), lengths).reshape(-1, width)[:, x0:x1]

    def runs(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return starts and excluded stops of the foreground runs, as ``(N,)`` pixel numbers ``y * X + x``."""
        ends = np.cumsum(self.counts, dtype=np.int64)
        stops = ends[1::2]
        return ends[::2][: stops.size], stops

    def transpose(self) -> Rle:
        """Return the mask with rows and columns exchanged: its counts are this mask's runs down the columns."""
        box = self.box
        if box is None:
            return Rle.empty(self.shape[::-1])
        return Rle.from_crop(self.crop(box).T, (box[1], box[0]), self.shape[::-1])

    @property
    def area(self) -> int:
        """Number of foreground pixels."""
        return int(self.counts[1::2].sum(dtype=np.int64))

    @property
    def is_empty(self) -> bool:
        """Whether there is no foreground."""
        return self.counts.size == 1

    @property
    def box(self) -> Box | None:
        """The smallest box around the foreground, or None if there is none."""
        if self.is_empty:
            return None
        width = self.shape[1]
        starts, stops = self.runs()
        first_row, first_column = np.divmod(starts, width)
        last_row, last_column = np.divmod(stops - 1, width)
        y0, y1 = int(first_row[0]), int(last_row[-1]) + 1
        # A run that goes on in the next row covers the end of one row and the beginning of the other.
        if (first_row != last_row).any():
            return (y0, 0, y1, width)
        return (y0, int(first_column.min()), y1, int(last_column.max()) + 1)

    def __eq__(self, other: object) -> bool:
        """Whether both hold the same mask of the same shape."""
        if not isinstance(other, Rle):
            return NotImplemented
        return self.shape == other.shape and np.array_equal(self.counts, other.counts)

    def __hash__(self) -> int:
        """Hash by value: equal masks have equal hashes."""
        return hash((self.shape, self.counts.tobytes()))

    def __repr__(self) -> str:
        """Say what the mask is without listing its runs."""
        return f"Rle(shape={self.shape}, area={self.area}, box={self.box})"

    def __reduce__(self) -> tuple[type[Rle], tuple[tuple[int, int], NDArray[np.uint32]]]:
        """Copy and unpickle through the constructor, so that copies are checked and read-only too."""
        return (Rle, (self.shape, self.counts))


Mask: TypeAlias = Rle | NDArray[np.bool_]
"""A mask in either form: run lengths, or a ``(Y, X)`` bool array."""


def as_rle(mask: Mask) -> Rle:
    """Return ``mask`` as run lengths; MaskError if it is no mask."""
    return mask if isinstance(mask, Rle) else Rle.encode(mask)


def as_array(mask: Mask) -> NDArray[np.bool_]:
    """Return ``mask`` as a ``(Y, X)`` bool array: the given one, or a new one if decoded; MaskError if it is none."""
    return mask.decode() if isinstance(mask, Rle) else check_mask(mask)


def check_mask(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return ``mask`` if it is a 2-D bool array, else raise MaskError."""
    if not isinstance(mask, np.ndarray) or mask.ndim != 2 or mask.dtype != np.bool_:
        found = f"{mask.dtype} {mask.shape}" if isinstance(mask, np.ndarray) else type(mask).__name__
        raise MaskError(f"a mask must be a (Y, X) bool array, got {found}; compare first, as in 'array > 0'")
    return mask


def check_shape(shape: object) -> tuple[int, int]:
    """Return ``shape`` as ``(Y, X)`` ints if an image can have it, else raise MaskError."""
    try:
        height, width = (operator.index(n) for n in shape)  # type: ignore[attr-defined]  # hostile input lands below
    except (TypeError, ValueError) as error:
        raise MaskError(f"a mask shape must be two whole numbers (Y, X), got {shape!r}") from error
    if height < 1 or width < 1 or height * width > MAX_PIXELS:
        raise MaskError(f"a mask shape must hold between 1 and {MAX_PIXELS} pixels, got ({height}, {width})")
    return height, width


def check_box(box: Box, shape: tuple[int, int]) -> Box:
    """Return ``box`` if it holds pixels and lies inside an image of ``shape`` (Y, X), else raise MaskError."""
    y0, x0, y1, x1 = box
    if not (0 <= y0 < y1 <= shape[0] and 0 <= x0 < x1 <= shape[1]):
        raise MaskError(f"box (y0, x0, y1, x1) = {box} holds no pixel or leaves the image of shape {shape}")
    return box


def _canonical_counts(counts: ArrayLike, shape: tuple[int, int]) -> NDArray[np.uint32]:
    pixels = shape[0] * shape[1]
    try:
        values = np.asarray(counts)
    except (TypeError, ValueError, OverflowError) as error:
        raise MaskError(f"run lengths must be a list of whole numbers: {error}") from error
    if values.ndim != 1 or values.size == 0 or values.dtype.kind not in "iu":
        raise MaskError(
            f"run lengths must be a non-empty 1-D list of whole numbers, got {values.dtype} of shape {values.shape}"
        )
    low, high = int(values.min()), int(values.max())
    if low < 0 or high > pixels:
        raise MaskError(f"run lengths must lie between 0 and {pixels}, got {low if low < 0 else high}")
    total = int(values.sum(dtype=np.int64))
    if total != pixels:
        raise MaskError(f"run lengths sum to {total}, but a mask of shape {shape} has {pixels} pixels")
    if not values[1:].all():
        values = _merge_empty_runs(values)
    result = np.array(values, np.uint32)
    result.flags.writeable = False
    return result


def _merge_empty_runs(counts: NDArray[np.integer]) -> NDArray[np.integer]:
    kept = counts > 0
    ends = np.cumsum(counts, dtype=np.int64)[kept]
    foreground = _alternating(counts.size, first=0)[kept]
    last_of_run = np.append(foreground[1:] != foreground[:-1], True)
    merged = np.diff(ends[last_of_run], prepend=0)
    return np.concatenate(([0], merged)) if foreground[0] else merged


def _alternating(length: int, first: int) -> NDArray[np.bool_]:
    """Return the values of ``length`` runs of which the first has number ``first``: odd runs are foreground."""
    return (np.arange(first, first + length) % 2).astype(bool)


def _edges(mask: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return in turn where each run of a row starts and where it has ended, in rows one pixel longer than the mask's.

    The additional pixel is background, so that no run goes on in the next row.
    """
    height, width = mask.shape
    padded = np.zeros((height, width + 1), bool)
    padded[:, :width] = mask
    flat = padded.ravel()
    inner = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    return np.concatenate(([0], inner)) if flat[0] else inner
