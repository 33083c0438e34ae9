"""A movie of which some frames cannot be read."""

from __future__ import annotations

from src_model.errors import DamagedFrameError


class DamagedMovie:
    """A frame source with holes.

    Parameters
    ----------
    frames
        ``(T, Y, X)``.
    damaged
        Numbers of frames that cannot be read; may be changed at any time.
    concurrent
        Whether it may be read ahead.
    """

    def __init__(self, frames, damaged, *, concurrent=True):
        self._frames, self.damaged, self.concurrent = frames, set(damaged), concurrent
        self.shape, self.dtype, self.name = frames.shape, frames.dtype, "holes"

    def __len__(self):
        return len(self._frames)

    def read(self, frame):
        if frame in self.damaged:
            raise DamagedFrameError(f"frame {frame} of 'holes' is damaged", frame)
        return self._frames[frame].copy()
