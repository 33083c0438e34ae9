"""A movie that grows while it is being watched."""

from __future__ import annotations

import threading
from collections import deque

import numpy as np

from src_model.errors import MovieError
from src_model.frames.source import check_dtype, check_frame


class LiveSource:
    """Frames from a camera, appended as they come; the first one fixes shape and type.

    Parameters
    ----------
    name : str
        What a user would call the stream.
    keep : int or None
        How many of the latest frames stay readable; memory is bounded by them. None keeps all.

    Raises
    ------
    MovieError
        ``keep`` is not positive.
    """

    def __init__(self, name: str = "live", *, keep: int | None = None) -> None:
        if keep is not None and keep < 1:
            raise MovieError(f"keep={keep} of the live movie '{name}' must be at least 1, or None to keep all frames")
        self._name = name
        self._kept: deque[np.ndarray] = deque(maxlen=keep)
        self._count = 0
        self._lock = threading.Lock()  # one thread appends while another reads

    @property
    def shape(self) -> tuple[int, ...]:
        """(T, Y, X) or (T, Y, X, 3) so far; MovieError before the first frame."""
        return (self._count, *self._latest().shape)

    @property
    def dtype(self) -> np.dtype[np.generic]:
        """Type of the frames' values; MovieError before the first frame."""
        return self._latest().dtype

    @property
    def name(self) -> str:
        """What a user would call the stream."""
        return self._name

    def __len__(self) -> int:
        """Return the number of frames appended so far."""
        return self._count

    @property
    def oldest(self) -> int:
        """Number of the first frame that is still kept."""
        return self._count - len(self._kept)

    def append(self, image: np.ndarray) -> int:
        """Add a frame.

        Parameters
        ----------
        image : np.ndarray
            (Y, X) or (Y, X, 3), as the first one; an alpha channel (Y, X, 4) is dropped. It is copied.

        Returns
        -------
        int
            Its frame number.

        Raises
        ------
        MovieError
            Not an image, or of another shape or type than the first frame.
        """
        frame = self._check(np.asarray(image))
        with self._lock:
            if self._kept and (frame.shape != self._kept[-1].shape or frame.dtype != self._kept[-1].dtype):
                raise MovieError(
                    f"frame {self._count} of the live movie '{self._name}' has the shape {frame.shape} and type "
                    f"{frame.dtype}: expected {self._kept[-1].shape} and {self._kept[-1].dtype} as in the frames before"
                )
            self._kept.append(frame)
            self._count += 1
            return self._count - 1

    def read(self, frame: int) -> np.ndarray:
        """Read a frame: (Y, X) or (Y, X, 3), the caller's own copy.

        Raises
        ------
        FrameRangeError
            No such frame yet.
        MovieError
            The frame is older than those kept.
        """
        with self._lock:
            check_frame(frame, self._count, self._name)
            oldest = self.oldest
            if frame < oldest:
                raise MovieError(
                    f"frame {frame} of the live movie '{self._name}' is gone: the last {len(self._kept)} frames are "
                    f"kept, {oldest} to {self._count - 1}; make the source with a larger keep"
                )
            return self._kept[frame - oldest].copy()

    def _latest(self) -> np.ndarray:
        if not self._kept:
            raise MovieError(f"the live movie '{self._name}' has no frame yet, so no shape and type: append one first")
        return self._kept[-1]

    def _check(self, image: np.ndarray) -> np.ndarray:
        dtype = check_dtype(image.dtype, self._name)
        color = image.ndim == 3 and image.shape[2] in (3, 4)
        if not (image.ndim == 2 or color) or image.size == 0:
            raise MovieError(
                f"an image of shape {image.shape} cannot be appended to the live movie '{self._name}': "
                "expected (Y, X) or (Y, X, 3)"
            )
        return np.array(image[..., :3] if color else image, dtype=dtype, order="C")
