"""A label movie as an array that napari shows and paints into; frames are decoded one by one."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import numpy as np

from src_model.errors import MovieError

if TYPE_CHECKING:
    from numpy.typing import DTypeLike, NDArray

    from napari_sam2v.layers.geometry import LayerGeometry
    from src_model.masks import Mask

LabelImage: TypeAlias = "NDArray[np.integer[Any]]"

CACHE_BYTES = 64 * 2**20
"""Decoded frames that are kept: 32 of 1,024 squared pixels."""

MOST_BYTES = 2**30
"""Largest piece that is handed out at once, so that a switch to 3-D does not take all memory there is."""


def label_type(largest: int) -> np.dtype[Any]:
    """Choose the type of a label image by its largest id.

    The smallest one: for each change of a color napari goes through all values of an 8-bit or 16-bit type, which takes
    a tenth of a second with 16 bits.
    """
    return np.dtype(np.uint8 if largest < 2**8 else np.uint16 if largest < 2**16 else np.int32)


class FrameLabels(Protocol):
    """What label layers need to know of a document. Nothing is remembered of it but decoded frames."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """Integer type that holds all object ids, best made by `label_type`."""

    def labels(self, frame: int) -> LabelImage:
        """Return the ``(Y, X)`` label image of a frame, of ``dtype``; 0 is background."""

    def mask(self, object_id: int, frame: int) -> Mask | None:
        """Return the whole mask of an object on a frame, what others cover included; None if there is none."""

    def refusal(self, object_id: int, frame: int) -> str | None:
        """Say in a sentence why an object must not be painted on a frame (it is locked), None if it may."""


@dataclass(slots=True)
class Stroke:
    """What was painted on a frame and has not been taken over yet.

    Attributes
    ----------
    before, after
        ``(Y, X)`` label images, before and after painting.
    """

    before: LabelImage
    after: LabelImage


class LabelStack:
    """The label images of a movie as an array: decoded when looked at, written to when painted on.

    Has the image's shape. Along channels and projected planes all entries are the same frame; where one plane is
    annotated, the others are empty and cannot be painted on. What is painted stays in `strokes` until it is dropped.

    Parameters
    ----------
    geometry
        Axes and lengths of the movie.
    labels
        Gives the label image of each frame.
    written
        Called after each write into the array.
    dtype
        Integer type of the array, if it is to be another than that of ``labels``.
    cache_bytes
        How much is kept of what was decoded; at least one frame is.
    """

    def __init__(
        self,
        geometry: LayerGeometry,
        labels: FrameLabels,
        written: Callable[[], None] = lambda: None,
        *,
        dtype: DTypeLike | None = None,
        cache_bytes: int = CACHE_BYTES,
    ) -> None:
        self._geometry = geometry
        self._labels = labels
        self._written = written
        self.shape = geometry.lengths
        self.dtype: np.dtype[Any] = np.dtype(labels.dtype if dtype is None else dtype)
        frame_bytes = self.shape[-1] * self.shape[-2] * self.dtype.itemsize
        self._most_frames = max(1, cache_bytes // frame_bytes)
        self._cache: OrderedDict[int, LabelImage] = OrderedDict()
        self.strokes: dict[int, Stroke] = {}

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """Number of pixels."""
        return int(np.prod(self.shape, dtype=object))

    def __len__(self) -> int:
        """Return the length of the first axis."""
        return self.shape[0]

    def __repr__(self) -> str:
        return f"<label movie {self.shape}, {self.dtype}>"

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        """Decode everything, as saving a layer does."""
        everything = self._read(tuple(range(length) for length in self.shape))
        return everything.astype(dtype or self.dtype, copy=False)

    def __getitem__(self, key: Any) -> Any:
        """Read slices and numbers, or one array of numbers an axis; a copy, the caller's own."""
        entries = _full_key(key, self.ndim)
        if _is_pointwise(entries):
            return self._read_points(entries)
        ranges, kept = _ranges(entries, self.shape)
        sizes = [len(numbers) for numbers in ranges]
        if max(sizes[:-2], default=1) > 1 and np.prod(sizes, dtype=object) * self.dtype.itemsize > MOST_BYTES:
            raise MovieError(
                f"the whole label movie {self.shape} is too large to be shown at once: switch back to 2-D (Ctrl+Y)"
            )
        result = self._read(ranges).reshape([size for size, keep in zip(sizes, kept, strict=True) if keep])
        return result if result.ndim else result[()]

    def __setitem__(self, key: Any, value: Any) -> None:
        """Write as `__getitem__` reads; what a read-only plane is given is ignored."""
        entries = _full_key(key, self.ndim)
        if _is_pointwise(entries):
            self._write_points(entries, np.asarray(value))
        else:
            ranges, kept = _ranges(entries, self.shape)
            sizes = [len(numbers) for numbers in ranges]
            given = np.broadcast_to(value, [size for size, keep in zip(sizes, kept, strict=True) if keep])
            self._write(ranges, given.reshape(sizes))
        self._written()

    def forget(self, frames: Iterable[int] | None = None) -> None:
        """Decode frames anew the next time, all if None; strokes stay."""
        if frames is None:
            self._cache.clear()
            return
        for frame in frames:
            self._cache.pop(frame, None)

    def take_strokes(self) -> dict[int, Stroke]:
        """Return what was painted since the last time, by frame, and go back to what the document says."""
        taken, self.strokes = self.strokes, {}
        self.forget(taken)
        return taken

    def _frame(self, frame: int) -> LabelImage:
        """Return a frame to look at, not to keep or change."""
        if frame in self.strokes:
            return self.strokes[frame].after
        known = self._cache.get(frame)
        if known is None:
            known = np.asarray(self._labels.labels(frame), self.dtype)
            self._cache[frame] = known
            while len(self._cache) > self._most_frames:
                self._cache.popitem(last=False)
        self._cache.move_to_end(frame)
        return known

    def _writable(self, frame: int) -> LabelImage:
        if frame not in self.strokes:
            before = self._frame(frame)
            self.strokes[frame] = Stroke(before, before.copy())
        return self.strokes[frame].after

    def _frames_in(self, ranges: tuple[range, ...]) -> Iterator[tuple[tuple[Any, ...], int]]:
        """Yield where in a block, before its last two axes, each frame goes; read-only planes are left out."""
        places: list[list[tuple[Any, int]]] = []
        for axis, entries in enumerate(ranges[:-2]):
            if axis == self._geometry.time_axis:
                places.append([(number, frame) for number, frame in enumerate(entries)])
            elif axis in self._geometry.fixed:
                plane = self._geometry.fixed[axis]
                places.append([(entries.index(plane), 0)] if plane in entries else [])
            else:
                places.append([(slice(None), 0)])
        for combination in product(*places):
            yield tuple(place for place, _ in combination), sum(frame for _, frame in combination)

    def _read(self, ranges: tuple[range, ...]) -> LabelImage:
        block = np.zeros([len(entries) for entries in ranges], self.dtype)
        if block.size:
            rows, columns = _as_slice(ranges[-2]), _as_slice(ranges[-1])
            for place, frame in self._frames_in(ranges):
                block[place] = self._frame(frame)[rows, columns]
        return block

    def _write(self, ranges: tuple[range, ...], given: NDArray[Any]) -> None:
        if not given.size:
            return
        rows, columns = _as_slice(ranges[-2]), _as_slice(ranges[-1])
        for place, frame in self._frames_in(ranges):
            piece = given[place]
            while piece.ndim > 2:  # along channels the last one counts: napari paints on one at a time
                piece = piece[-1]
            self._writable(frame)[rows, columns] = piece

    def _points(self, entries: tuple[Any, ...]) -> tuple[NDArray[np.intp], ...]:
        arrays = np.broadcast_arrays(*(np.asarray(entry, np.intp) for entry in entries))
        return tuple(np.where(a < 0, a + n, a) for a, n in zip(arrays, self.shape, strict=True))

    def _by_frame(self, points: tuple[NDArray[np.intp], ...]) -> Iterator[tuple[int, NDArray[np.bool_]]]:
        time = self._geometry.time_axis
        frames = np.zeros_like(points[-1]) if time is None else points[time]
        usable = np.ones(frames.shape, bool)
        for axis, plane in self._geometry.fixed.items():
            usable &= points[axis] == plane
        for frame in np.unique(frames[usable]):
            yield int(frame), usable & (frames == frame)

    def _read_points(self, entries: tuple[Any, ...]) -> Any:
        points = self._points(entries)
        result = np.zeros(points[-1].shape, self.dtype)
        for frame, chosen in self._by_frame(points):
            result[chosen] = self._frame(frame)[points[-2][chosen], points[-1][chosen]]
        return result if result.ndim else result[()]

    def _write_points(self, entries: tuple[Any, ...], value: NDArray[Any]) -> None:
        points = self._points(entries)
        given = np.broadcast_to(value, points[-1].shape)
        for frame, chosen in self._by_frame(points):
            self._writable(frame)[points[-2][chosen], points[-1][chosen]] = given[chosen]


def _full_key(key: Any, ndim: int) -> tuple[Any, ...]:
    """Write out an index with one entry an axis."""
    entries = key if isinstance(key, tuple) else (key,)
    dots = [number for number, entry in enumerate(entries) if entry is Ellipsis]
    if len(dots) > 1 or len(entries) - len(dots) > ndim:
        raise IndexError(f"index {key!r:.200} does not fit an array of {ndim} axes")
    at = dots[0] if dots else len(entries)
    filling = (slice(None),) * (ndim - len(entries) + len(dots))
    return (*entries[:at], *filling, *entries[at + 1 :])


def _is_pointwise(entries: tuple[Any, ...]) -> bool:
    """Tell whether an index holds arrays of numbers; raises IndexError for kinds that napari does not use."""
    simple = [isinstance(entry, slice) or np.ndim(entry) == 0 for entry in entries]
    if all(simple):
        return False
    if any(isinstance(entry, slice) or np.asarray(entry).dtype.kind not in "iu" for entry in entries):
        raise IndexError("a label movie takes slices and numbers, or one array of whole numbers an axis, as an index")
    return True


def _ranges(entries: tuple[Any, ...], shape: tuple[int, ...]) -> tuple[tuple[range, ...], list[bool]]:
    """Turn slices and numbers into ranges, and say which axes are kept."""
    ranges = []
    for entry, length in zip(entries, shape, strict=True):
        if isinstance(entry, slice):
            ranges.append(range(length)[entry])
        else:
            number = range(length)[int(entry)]
            ranges.append(range(number, number + 1))
    return tuple(ranges), [isinstance(entry, slice) for entry in entries]


def _as_slice(entries: range) -> slice:
    stop = entries.stop if entries.stop >= 0 else None
    return slice(entries.start, stop, entries.step)
