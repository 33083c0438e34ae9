"""Many masks as three flat arrays: how they are stored, and read back hundreds of thousands at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from src_model.errors import MaskError
from src_model.masks.rle import Rle, check_shape

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class PackedMasks:
    """Masks of one shape, without what can be told from it.

    Attributes
    ----------
    runs
        ``(N,)`` uint32, how many run lengths each mask has.
    first
        ``(N,)`` uint32, the first run length of each.
    middle
        ``(M,)`` uint16 or uint32, the run lengths between the first and the last of all masks one after the other. The
        last is what is left of the image.
    """

    runs: NDArray[np.uint32]
    first: NDArray[np.uint32]
    middle: NDArray[np.unsignedinteger]


def pack_masks(masks: Sequence[Rle]) -> PackedMasks:
    """Pack masks of one shape.

    Raises
    ------
    MaskError
        If they differ in shape.
    """
    shapes = {mask.shape for mask in masks}
    if len(shapes) > 1:
        raise MaskError(f"masks of several shapes cannot be packed together: {sorted(shapes)}")
    runs = np.fromiter((mask.counts.size for mask in masks), np.uint32, len(masks))
    first = np.fromiter((mask.counts[0] for mask in masks), np.uint32, len(masks))
    middle = np.concatenate([np.empty(0, np.uint32), *(mask.counts[1:-1] for mask in masks)])
    narrow = np.uint16 if not middle.size or int(middle.max()) < 2**16 else np.uint32
    return PackedMasks(runs, first, middle.astype(narrow))


def join_packed(parts: Sequence[PackedMasks]) -> PackedMasks:
    """Return the masks of several packs, in order, as one pack."""
    wide = any(part.middle.dtype == np.uint32 for part in parts)
    empty = PackedMasks(np.empty(0, np.uint32), np.empty(0, np.uint32), np.empty(0, np.uint32 if wide else np.uint16))
    everything = [empty, *parts]
    return PackedMasks(
        np.concatenate([part.runs for part in everything]),
        np.concatenate([part.first for part in everything]),
        np.concatenate([part.middle for part in everything]),
    )


def unpack_masks(packed: PackedMasks, shape: Sequence[int]) -> list[Rle]:
    """Take a pack apart; all masks are checked together, so that this costs a microsecond each.

    The masks share one array, which stays in memory as long as one of them does.

    Parameters
    ----------
    packed
        May come from outside.
    shape
        ``(Y, X)`` of the masks.

    Raises
    ------
    MaskError
        If the arrays do not describe masks of that shape.
    """
    size = check_shape(shape)
    counts, stops = _counts(packed, size[0] * size[1])
    counts.flags.writeable = False
    masks, start = [], 0
    for stop in stops.tolist():
        # What the constructor checks and copies was checked for all masks at once.
        mask = Rle.__new__(Rle)
        object.__setattr__(mask, "shape", size)
        object.__setattr__(mask, "counts", counts[start:stop])
        masks.append(mask)
        start = stop
    return masks


def _counts(packed: PackedMasks, pixels: int) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """Return the run lengths of all masks one after the other, and where each mask has ended."""
    runs, first, middle = (np.asarray(part) for part in (packed.runs, packed.first, packed.middle))
    for part in (runs, first, middle):
        if part.ndim != 1 or part.dtype.kind != "u":
            raise MaskError(f"packed masks hold unsigned whole numbers in a row, got {part.dtype} {part.shape}")
    lengths = runs.astype(np.int64)
    inner = np.maximum(lengths - 2, 0)
    if first.size != runs.size or (lengths < 1).any() or int(inner.sum()) != middle.size:
        raise MaskError(f"packed masks are damaged: {runs.size} masks, {first.size} starts, {middle.size} runs")
    if middle.size and (int(middle.min()) < 1 or int(middle.max()) > pixels):
        raise MaskError(f"packed masks are damaged: a run is not of 1 to {pixels} pixels")
    before = np.concatenate(([0], np.cumsum(middle, dtype=np.int64)))
    ends = np.cumsum(inner)
    last = pixels - first.astype(np.int64) - (before[ends] - before[ends - inner])
    # A mask of one run is empty: the run is the whole image. Any other ends with a run of at least one pixel.
    if (last[lengths > 1] < 1).any() or (last[lengths == 1] != 0).any():
        raise MaskError(f"packed masks are damaged: runs do not sum to the {pixels} pixels of the image")
    stops = np.cumsum(lengths)
    counts = np.empty(int(lengths.sum()), np.uint32)
    is_middle = np.ones(counts.size, bool)
    is_middle[stops - lengths] = False
    is_middle[stops - 1] = False
    counts[is_middle] = middle
    counts[stops - 1] = last
    counts[stops - lengths] = first  # after the last ones: in a mask of one run they are the same
    return counts, stops
