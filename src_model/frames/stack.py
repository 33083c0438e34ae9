"""Frames out of a stack: read when asked for, each block of the stack once a pass, memory flat."""

from __future__ import annotations

from bisect import bisect_right
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from src_model.errors import DamagedFrameError, MovieError
from src_model.frames.source import DamagedBlockError, check_frame

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from src_model.frames.plan import FramePlan, Projection
    from src_model.frames.source import LazyStack

MISSING = (FileNotFoundError, NotADirectoryError, ConnectionError)
"""What a storage raises that is not there any more: no frame of it can be read."""
SLAB_BYTES = 128 * 2**20
"""How much of a block that spans several frames is kept, so that the next frames need not compute it again."""


class StackSource:
    """A movie cut out of a stack by a plan.

    Where the stack comes in blocks of several frames (dask, zarr, HDF5), the current block is kept, up to `SLAB_BYTES`:
    a pass over the movie, forward or in reverse, computes each block once.

    Parameters
    ----------
    stack : LazyStack
        The values.
    plan : FramePlan
        Which of them make a frame.
    name : str
        What a user would call the movie.
    notes : tuple of str
        What a user should know of the file.
    """

    def __init__(self, stack: LazyStack, plan: FramePlan, name: str, notes: tuple[str, ...] = ()) -> None:
        self.notes = notes
        self._stack = stack
        self._plan = plan
        self._name = name
        self._plane_edges = block_edges(stack, plan.axes, "Z", most=plan.length("Z"))
        deepest = max(stop - start for start, stop in pairwise(self._plane_edges)) if plan.projection else 1
        values = plan.shape[1] * plan.shape[2] * deepest
        values *= (plan.channels.stop - plan.channels.start) * (plan.samples.stop - plan.samples.start)
        most = max(1, SLAB_BYTES // max(1, values * plan.dtype.itemsize))
        self._time_edges = block_edges(stack, plan.axes, "T", most=most)
        self._slab: tuple[int, np.ndarray] | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        """(T, Y, X) or (T, Y, X, 3)."""
        return self._plan.shape

    @property
    def dtype(self) -> np.dtype[np.generic]:
        """Type of the frames' values, in native byte order."""
        return self._plan.dtype

    @property
    def name(self) -> str:
        """What a user would call the movie."""
        return self._name

    @property
    def composite(self) -> bool:
        """Whether the three colors are channels mapped to them, each with a range of its own."""
        return self._plan.color == "composite"

    @property
    def concurrent(self) -> bool:
        """Whether several threads may read at once: arrays and files that share a place in them see to that."""
        return True

    def __len__(self) -> int:
        """Return the number of frames."""
        return self._plan.shape[0]

    def __repr__(self) -> str:
        return f"<movie '{self._name}', shape {self.shape}, {self.dtype}>"

    def read(self, frame: int) -> np.ndarray:
        """Read one frame: (Y, X) or (Y, X, 3), the caller's own copy.

        Raises
        ------
        FrameRangeError
            No such frame.
        DamagedFrameError
            This frame cannot be read, but others may be.
        MovieError
            The movie cannot be read any more.
        """
        check_frame(frame, len(self), self._name)
        slab = self._slab  # one look: another thread may replace it
        if slab is not None and slab[0] <= frame < slab[0] + len(slab[1]):
            return np.array(slab[1][frame - slab[0]])
        self._slab = slab = None  # neither name holds the old block while the next one is computed
        at = bisect_right(self._time_edges, frame)
        start, stop = self._time_edges[at - 1], self._time_edges[at]
        try:
            images = self._load(start, stop)
        except MISSING as error:
            raise MovieError(
                f"frame {frame} of movie '{self._name}' cannot be read: the file is gone ({error})"
            ) from error
        except (MemoryError, ImportError):
            raise
        except Exception as error:  # each storage and codec has errors of its own
            if isinstance(error, MovieError) and not isinstance(error, (DamagedBlockError, DamagedFrameError)):
                raise
            images = self._alone(frame, error, blame=stop - start == 1)
            start, stop = frame, frame + 1
        if stop - start == 1:
            return np.asarray(images[0])
        self._slab = (start, images)
        return np.array(images[frame - start])

    def _alone(self, frame: int, error: Exception, *, blame: bool) -> np.ndarray:
        """Read a frame whose block cannot be read, which may be another frame's fault."""
        if not blame:
            try:
                return self._load(frame, frame + 1)
            except Exception as own:  # as above
                error = own
        if isinstance(error, DamagedFrameError) and error.frame == frame:
            raise error
        reason = str(error) if isinstance(error, MovieError) else f"{type(error).__name__}: {error}"
        raise DamagedFrameError(
            f"frame {frame} of movie '{self._name}' cannot be read ({reason}): the data may be damaged or incomplete",
            frame,
        ) from error

    def _load(self, start: int, stop: int) -> np.ndarray:
        """Read the frames start to stop as one new array (n, Y, X) or (n, Y, X, 3)."""
        plan = self._plan
        blocks = self._blocks(slice(start, stop))
        images = plan.colors(project(blocks, plan.projection))
        expected = (stop - start, *plan.shape[1:])
        if images.shape != expected:
            raise MovieError(
                f"frames {start} to {stop - 1} of movie '{self._name}' came with the shape {images.shape}: "
                f"expected {expected}; has the data changed since it was opened?"
            )
        return np.array(images, dtype=plan.dtype, order="C")

    def _blocks(self, times: slice) -> Iterator[np.ndarray]:
        plan = self._plan
        if plan.projection is None:
            yield self._block(times, slice(*plan.planes))
            return
        for start, stop in pairwise(self._plane_edges):
            yield self._block(times, slice(start, stop))

    def _block(self, times: slice, planes: slice) -> np.ndarray:
        return self._plan.arrange(np.asarray(self._stack[self._plan.index(times, planes)]))


def block_edges(stack: LazyStack, axes: str, letter: str, *, most: int) -> list[int]:
    """Give the borders of the pieces in which an axis is best read: its blocks, cut into at most ``most`` entries.

    A stack that comes without ``chunks`` is read entry by entry.
    """
    if letter not in axes:
        return [0, 1]
    axis = axes.index(letter)
    length = int(stack.shape[axis])
    chunks = getattr(stack, "chunks", None)
    sizes: Iterable[int] = (1,) * length
    if chunks is not None:
        along = chunks[axis]
        sizes = along if isinstance(along, tuple) else [along] * -(-length // along)
    edges = [0]
    for size in sizes:
        block_end = min(edges[-1] + int(size), length)
        while edges[-1] < block_end:
            edges.append(min(edges[-1] + most, block_end))
    return edges


def project(blocks: Iterable[np.ndarray], projection: Projection | None) -> np.ndarray:
    """Turn blocks (n, Z, ...) that follow each other along Z into one (n, ...).

    NaN is left out of "max" and "mean" unless there is nothing else; "mean" gives float32.
    """
    if projection == "mean":
        return _mean(blocks)
    result: np.ndarray | None = None
    for block in blocks:
        here = np.fmax.reduce(block, axis=1) if projection == "max" else block[:, 0]
        result = here if result is None else np.fmax(result, here)
    if result is None:
        raise ValueError("no planes to project")
    return result


def _mean(blocks: Iterable[np.ndarray]) -> np.ndarray:
    total: np.ndarray | float = 0.0
    count: np.ndarray | float = 0.0
    for block in blocks:
        known = ~np.isnan(block)
        total = total + np.where(known, block, 0).sum(axis=1, dtype=np.float64)
        count = count + known.sum(axis=1)
    with np.errstate(invalid="ignore", over="ignore"):
        return np.asarray(np.divide(total, count), dtype=np.float32)
