"""Animated pictures: GIF, PNG and WebP, whose frames are painted over one another."""

from __future__ import annotations

import threading
import weakref
from collections import OrderedDict
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from src_model.errors import MovieError
from src_model.frames.source import DamagedBlockError, NamedStack

if TYPE_CHECKING:
    from pathlib import Path

RECENT_BYTES = 64 * 2**20
"""Frames kept behind the current place: a frame is made from the ones before it, so going back starts anew."""
_AS_STORED = ("L", "I;16")


class AnimatedStack:
    """An animated picture as one array (T, Y, X, 3), or (T, Y, X) where it is stored as gray.

    Parameters
    ----------
    picture : PIL.Image.Image
        The open file; it is closed when the stack goes.
    path : Path
        The file, for messages.
    """

    def __init__(self, picture: Image.Image, path: Path) -> None:
        weakref.finalize(self, picture.close)
        self._picture = picture
        self._path = path
        self._gray = picture.mode in _AS_STORED and picture.format != "GIF"  # later frames of a GIF may have colors
        self._lock = threading.Lock()  # one place in the file
        self._recent: OrderedDict[int, np.ndarray] = OrderedDict()
        first = self._frame(0)
        self.dtype = first.dtype
        self.shape: tuple[int, ...] = (_count(picture), *first.shape)
        self.chunks = (1, *first.shape)

    def __getitem__(self, index: tuple[slice, ...], /) -> np.ndarray:
        """Read a block, a frame at a time."""
        with self._lock:
            return np.stack([self._frame(number)[index[1:]] for number in range(*index[0].indices(self.shape[0]))])

    def _frame(self, number: int) -> np.ndarray:
        if number in self._recent:
            return self._recent[number]
        at = self._picture.tell()
        try:
            for step in range(at if at < number else 0, number + 1):
                self._picture.seek(step)
                self._remember(step)
        except (OSError, SyntaxError, ValueError, EOFError) as error:
            self._picture.seek(0)
            raise DamagedBlockError(f"image {number} of '{self._path}' cannot be decoded ({error})") from error
        return self._recent[number]

    def _remember(self, number: int) -> None:
        image = np.array(self._picture if self._gray else self._picture.convert("RGBA").convert("RGB"))
        self._recent[number] = image.astype(image.dtype.newbyteorder("="), copy=False)
        self._recent.move_to_end(number)
        while len(self._recent) > max(2, RECENT_BYTES // max(1, image.nbytes)):
            self._recent.popitem(last=False)


def open_animation(path: Path) -> NamedStack | None:
    """Open an animated picture; None if the file holds a single image.

    Raises
    ------
    MovieError
        The file is damaged, or no picture.
    """
    try:
        picture = Image.open(path)
        if _count(picture) == 1 and picture.format != "GIF":
            picture.close()
            return None
        stack = AnimatedStack(picture, path)
    except (OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError) as error:
        if isinstance(error, MovieError):
            raise
        raise MovieError(f"'{path}' cannot be read as a picture ({error}): it may be damaged") from error
    return NamedStack(stack, "TYX" if len(stack.shape) == 3 else "TYXS", path.name)


def _count(picture: Image.Image) -> int:
    return int(getattr(picture, "n_frames", 1))
