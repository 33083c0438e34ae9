"""Which frames a caller means."""

from __future__ import annotations

from typing import TYPE_CHECKING

from src_model.errors import FrameRangeError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from src_model.tracking.tracked_object import TrackedObject


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
        Of the movie.
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
