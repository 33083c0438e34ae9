"""One object's masks through time."""

from __future__ import annotations

import math
import operator
from bisect import bisect_left, insort
from dataclasses import dataclass
from typing import TYPE_CHECKING

from src_model.errors import FrameRangeError, MaskError
from src_model.masks.rle import Mask, Rle, as_rle, check_shape

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


@dataclass(frozen=True, slots=True)
class MaskletFrame:
    """An object on one frame.

    Attributes
    ----------
    mask
        Where the object is; empty if it is absent.
    score
        Predicted IoU of the mask.
    object_score
        Probability that the object is in the frame, 0 to 1.
    """

    mask: Rle
    score: float
    object_score: float


class Masklet:
    """The masks of one object, by frame, all of one shape.

    Frames are independent values: storing, replacing or deleting one leaves every other as it was.

    Parameters
    ----------
    object_id
        1 or more: 0 is background in label images.
    shape
        ``(Y, X)`` of every mask.

    Raises
    ------
    MaskError
        If the id or the shape cannot be.
    """

    __slots__ = ("_entries", "_frames", "object_id", "shape")

    def __init__(self, object_id: int, shape: Sequence[int]) -> None:
        self.object_id = operator.index(object_id)
        if self.object_id < 1:
            raise MaskError(f"an object id must be 1 or more (0 is background), got {object_id}")
        self.shape = check_shape(shape)
        self._entries: dict[int, MaskletFrame] = {}
        self._frames: list[int] = []  # the keys, kept sorted

    def set(self, frame: int, mask: Mask, *, score: float = 1.0, object_score: float = 1.0) -> None:
        """Store the object's mask on one frame, in place of what was there.

        Parameters
        ----------
        frame
            Frame number, from 0.
        mask
            ``(Y, X)`` bool or its run lengths.
        score, object_score
            Predicted IoU, and probability that the object is in the frame, as in :class:`MaskletFrame`.

        Raises
        ------
        FrameRangeError
            If the frame is negative.
        MaskError
            If the mask has another shape than the masklet, or a score is not a number.
        """
        self.restore(frame, MaskletFrame(as_rle(mask), float(score), float(object_score)))

    def restore(self, frame: int, entry: MaskletFrame) -> None:
        """Store what :meth:`get` gave earlier, as :meth:`set` does."""
        frame = operator.index(frame)
        if frame < 0:
            raise FrameRangeError(f"frame {frame} cannot be stored; frames count from 0")
        if entry.mask.shape != self.shape:
            where = f"object {self.object_id} on frame {frame}"
            raise MaskError(f"the mask of {where} has shape {entry.mask.shape}, expected {self.shape}")
        if math.isnan(entry.score) or math.isnan(entry.object_score):
            raise MaskError(f"the scores of object {self.object_id} on frame {frame} must be numbers, got NaN")
        known = frame in self._entries
        self._entries[frame] = entry
        if not known:
            insort(self._frames, frame)

    def get(self, frame: int) -> MaskletFrame | None:
        """Return what is stored on ``frame``, or None. The value is immutable and safe to keep."""
        return self._entries.get(frame)

    def mask_at(self, frame: int) -> Rle | None:
        """Return the mask on ``frame``, or None where nothing is stored."""
        entry = self._entries.get(frame)
        return None if entry is None else entry.mask

    def delete(self, frame: int) -> None:
        """Forget one frame; nothing happens where nothing is stored."""
        if self._entries.pop(frame, None) is not None:
            del self._frames[bisect_left(self._frames, frame)]

    def entries(self, start: int = 0, stop: int | None = None) -> dict[int, MaskletFrame]:
        """Return what is stored from ``start`` up to ``stop`` (excluded; None is the end), by frame, ascending."""
        high = None if stop is None else bisect_left(self._frames, stop)
        return {frame: self._entries[frame] for frame in self._frames[bisect_left(self._frames, start) : high]}

    def copy(self) -> Masklet:
        """Return a masklet that can be edited without changing this one; masks are shared, they never change."""
        other = Masklet(self.object_id, self.shape)
        other._entries = dict(self._entries)
        other._frames = list(self._frames)
        return other

    @property
    def frames(self) -> tuple[int, ...]:
        """The stored frames, ascending."""
        return tuple(self._frames)

    def spans(self) -> list[tuple[int, int]]:
        """Return the stored frames as ``(start, stop)`` pairs without gaps inside, ascending, stop excluded."""
        spans: list[tuple[int, int]] = []
        for frame in self._frames:
            if spans and spans[-1][1] == frame:
                spans[-1] = (spans[-1][0], frame + 1)
            else:
                spans.append((frame, frame + 1))
        return spans

    def __contains__(self, frame: object) -> bool:
        """Whether ``frame`` is stored."""
        return frame in self._entries

    def __len__(self) -> int:
        """Return how many frames are stored."""
        return len(self._frames)

    def __iter__(self) -> Iterator[int]:
        """Iterate over the stored frames, ascending."""
        return iter(self.frames)

    def __eq__(self, other: object) -> bool:
        """Whether both hold the same frames of the same object."""
        if not isinstance(other, Masklet):
            return NotImplemented
        return (self.object_id, self.shape, self._entries) == (other.object_id, other.shape, other._entries)

    __hash__ = None  # type: ignore[assignment]  # it can be edited

    def __repr__(self) -> str:
        """Say which frames are stored, as spans."""
        return f"Masklet(object_id={self.object_id}, shape={self.shape}, spans={self.spans()})"
