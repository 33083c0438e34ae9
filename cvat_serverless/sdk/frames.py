"""The frames of a task as a movie: each is fetched once and kept on disk while the task is tracked."""

from __future__ import annotations

import threading
from collections import OrderedDict
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np

from cvat_serverless.images import ImageLimits, decode_image
from src_model.errors import DamagedFrameError, MovieError, RequestError
from src_model.files import replacing
from src_model.frames.source import check_frame

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from cvat_serverless.sdk.task import TaskOrJob

_TOO_LARGE = 413
"""HTTP's status of what is too large."""

_FILE_BUDGET = 8 * 2**30
"""Bytes of fetched frames on disk: about 4,000 frames of 1,920 x 1,080 pixels as PNG."""


class FrameFileCache:
    """Image files as they were fetched, on disk; the oldest are removed when they take too much room.

    Parameters
    ----------
    folder
        Where to keep them; made when needed.
    budget
        Bytes at most; the newest file is kept even if it alone is larger.
    """

    def __init__(self, folder: Path, budget: int = _FILE_BUDGET) -> None:
        self._folder = folder
        self._budget = budget
        self._sizes: OrderedDict[int, int] = OrderedDict()
        self._total = 0
        for path in sorted(folder.glob("*.frame"), key=lambda path: path.stat().st_mtime) if folder.is_dir() else ():
            with suppress(ValueError, OSError):
                self._count(int(path.stem), path.stat().st_size)

    def get(self, frame: int) -> bytes | None:
        """Return the file of a frame, by CVAT's number; None if it is not there."""
        try:
            return self._path(frame).read_bytes() if frame in self._sizes else None
        except OSError:
            return None

    def put(self, frame: int, data: bytes) -> None:
        """Keep a file; a full disk only means that it is fetched again when it is needed again."""
        with suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)
            with replacing(self._path(frame)) as part:
                part.write_bytes(data)
            self._count(frame, len(data))
            while self._total > self._budget and len(self._sizes) > 1:
                oldest, size = self._sizes.popitem(last=False)
                self._total -= size
                self._path(oldest).unlink(missing_ok=True)

    def clear(self) -> None:
        """Remove them all."""
        with suppress(OSError):  # what is left is found, and counted, the next time
            for frame in self._sizes:
                self._path(frame).unlink(missing_ok=True)
            self._folder.rmdir()
        self._sizes.clear()
        self._total = 0

    def _count(self, frame: int, size: int) -> None:
        self._total += size - self._sizes.get(frame, 0)
        self._sizes[frame] = size

    def _path(self, frame: int) -> Path:
        return self._folder / f"{frame:08d}.frame"


class TaskMovie:
    """Frames of a task as a :class:`~src_model.frames.FrameSource`: frame 0 is the first of ``frames``.

    Parameters
    ----------
    task
        The task or job whose frames they are.
    frames
        Numbers of the frames, as CVAT counts them.
    files
        Keeps the files that were fetched.
    limits
        The largest image that is decoded; the default of the functions if left out.
    """

    concurrent = True
    """So the session reads ahead: the next frames are fetched while one is tracked."""

    def __init__(
        self, task: TaskOrJob, frames: Sequence[int], files: FrameFileCache, limits: ImageLimits | None = None
    ) -> None:
        self._task = task
        self._frames = tuple(frames)
        self._files = files
        self._limits = limits or ImageLimits()
        self._size = task.frame_shape(self._frames)
        self._lock = threading.Lock()

    @property
    def shape(self) -> tuple[int, ...]:
        """``(T, Y, X, 3)``."""
        return (len(self._frames), *self._size, 3)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the values: uint8."""
        return np.dtype(np.uint8)

    @property
    def name(self) -> str:
        """The task's name."""
        return self._task.info.name or self._task.described

    def __len__(self) -> int:
        return len(self._frames)

    def read(self, frame: int) -> NDArray[np.uint8]:
        """Read a frame, as CVAT shows it.

        Raises
        ------
        FrameRangeError
            If there is no such frame.
        RemoteError
            If it cannot be fetched.
        DamagedFrameError
            If what came is no such image.
        MovieError
            If it is too large to be decoded here.
        """
        check_frame(frame, len(self), self.name)
        return self._decode(frame, self._fetch(self._frames[frame]))

    def _fetch(self, number: int) -> bytes:
        with self._lock:  # one connection, so that one person's tracking does not occupy a server
            data = self._files.get(number)
            if data is None:
                data = self._task.frame_file(number)
                self._files.put(number, data)
        return data

    def _decode(self, frame: int, data: bytes) -> NDArray[np.uint8]:
        which = f"frame {self._frames[frame]} of {self._task.described}"
        try:
            image = decode_image(data, self._limits)
        except RequestError as error:
            if error.status == _TOO_LARGE:  # so are all others, and a limit can be raised
                raise MovieError(f"{which}: {error}") from error
            raise DamagedFrameError(f"{which}: {error}", frame) from error
        if image.shape[:2] != self._size:
            raise DamagedFrameError(
                f"{which} came as {image.shape[1]} x {image.shape[0]} pixels, but CVAT calls it "
                f"{self._size[1]} x {self._size[0]}",
                frame,
            )
        return image
