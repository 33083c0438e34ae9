"""Which frames a caller means."""

from __future__ import annotations

from typing import TYPE_CHECKING

from src_model.errors import DamagedFrameError, FrameRangeError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from src_model.tracking.tracked_object import TrackedObject

_NEAR = 8
"""How far from a damaged frame others are looked for that can be named instead."""


def checked_frame(frame: int, length: int) -> int:
    """Return the number of a frame that is there.

    Raises
    ------
    FrameRangeError
        If the movie, which has ``length`` frames, does not have this one.
    """
    if not length:
        raise FrameRangeError("the live stream has no frame yet; push an image before prompting")
    if not 0 <= frame < length or frame != int(frame):
        raise FrameRangeError(f"frame {frame} is outside the movie: it must be in 0..{length - 1}")
    return int(frame)


def frame_range(
    items: Sequence[TrackedObject], length: int, start: int | None, stop: int | None, *, reverse: bool
) -> range:
    """Return the frames of a propagation, with start and stop as in ``range``.

    Parameters
    ----------
    items
        The objects, each with a prompt.
    length
        Number of frames of the movie.
    start, stop, reverse
        As in :meth:`Session.propagate <src_model.tracking.session.Session.propagate>`.

    Raises
    ------
    FrameRangeError
        If start or stop lie outside of the movie.
    """
    for value, name, highest in ((start, "start", length - 1), (stop, "stop", length)):
        if value is not None and not 0 <= value <= highest:
            raise FrameRangeError(f"{name}={value} is outside the movie: it must be in 0..{highest}")
    if reverse:
        first = length - 1 if start is None else start
        return range(first, -1 if stop is None else stop, -1)
    first = min(item.prompted_frames[0] for item in items) if start is None else start
    return range(first, length if stop is None else stop)


def with_advice(
    error: DamagedFrameError, frame: int, length: int, is_damaged: Callable[[int], bool]
) -> DamagedFrameError:
    """Name the nearest frames on either side of a damaged one that can be prompted in its place."""
    if error.frame != frame:  # one that the answer depends on; those beside ``frame`` would not help
        return error
    sides = (range(frame - 1, max(-1, frame - 1 - _NEAR), -1), range(frame + 1, min(length, frame + 1 + _NEAR)))
    nearest = (next((number for number in side if not is_damaged(number)), None) for side in sides)
    near = " or ".join(str(number) for number in nearest if number is not None)
    advice = f"prompt frame {near} instead" if near else "those around it are damaged too; prompt one farther away"
    return DamagedFrameError(f"{error}; {advice}", frame)
