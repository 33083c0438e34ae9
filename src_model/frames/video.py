"""Video files: any frame by its number, fast in either direction, never the whole movie."""

from __future__ import annotations

import threading
import weakref
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from src_model.errors import MissingExtraError, MovieError
from src_model.frames.source import NamedStack

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from av import VideoFrame
    from av.container import InputContainer
    from av.video.stream import VideoStream

RECENT_BYTES = 64 * 2**20
"""Decoded frames kept behind the current place, so that going back does not decode from the key frame each time."""


@dataclass(frozen=True, slots=True)
class VideoIndex:
    """When each frame is shown, as the file's packets tell without decoding.

    Attributes
    ----------
    count : int
        Number of frames.
    times : np.ndarray
        (count,) int64 time stamps, increasing; or (0,) where they cannot be trusted: frames are counted from the start.
    keys : np.ndarray
        Numbers of the frames where decoding can start, increasing.
    """

    count: int
    times: np.ndarray
    keys: np.ndarray

    def key_before(self, frame: int) -> int:
        """Give the last frame, at or before this one, where decoding can start."""
        at = int(np.searchsorted(self.keys, frame, side="right")) - 1
        return int(self.keys[at]) if at >= 0 else 0


class VideoStack:
    """A video file as one array (T, Y, X, 3), or (T, Y, X) where it is stored as gray.

    Rotation that a camera noted is not applied: masks and coordinates belong to the stored rows and columns.

    Parameters
    ----------
    container : av.container.InputContainer
        The open file; it is closed when the stack goes.
    path : Path
        The file, for messages.
    """

    def __init__(self, container: InputContainer, path: Path) -> None:
        weakref.finalize(self, container.close)
        if not container.streams.video:
            raise MovieError(f"'{path}' has no video in it: expected a video stream, not sound alone")
        self._container = container
        self._path = path
        self._stream = container.streams.video[0]
        self._stream.thread_type = "AUTO"
        self._index = read_index(container, self._stream)
        self._format, self.dtype, colours = _pixel_format(self._stream, path)
        height, width = self._stream.codec_context.height, self._stream.codec_context.width
        self.shape: tuple[int, ...] = (self._index.count, height, width, *colours)
        self.chunks = (1, *self.shape[1:])
        self._lock = threading.Lock()  # one decoder, one place in the file
        self._recent: OrderedDict[int, VideoFrame] = OrderedDict()
        self._coming: Iterator[tuple[int, VideoFrame]] | None = None
        self._next = 0

    def __getitem__(self, index: tuple[slice, ...], /) -> np.ndarray:
        """Read a block, a frame at a time."""
        return np.stack([self._read(number)[index[1:]] for number in range(*index[0].indices(self.shape[0]))])

    def _read(self, number: int) -> np.ndarray:
        with self._lock:
            image = self._frame(number).to_ndarray(format=self._format)
        if image.shape != self.shape[1:]:
            raise MovieError(
                f"frame {number} of '{self._path}' has the shape {image.shape}: expected {self.shape[1:]} as at the "
                "start; frames of changing size are no movie"
            )
        return image

    def _frame(self, number: int) -> VideoFrame:
        if number in self._recent:
            return self._recent[number]
        key = self._index.key_before(number)
        if self._coming is None or not key <= self._next <= number:
            self._coming = self._decode_from(key)
        while True:
            found = self._advance_to(number)
            if found is not None:
                return found
            if key == 0:
                break
            key = self._index.key_before(key - 1)  # the search for a time stamp may land behind the frame
            self._coming = self._decode_from(key)
        raise MovieError(f"frame {number} of '{self._path}' cannot be decoded: the file may be damaged")

    def _advance_to(self, number: int) -> VideoFrame | None:
        coming, self._coming = self._coming, None  # not to be used again if it fails or ends
        for at, frame in coming or ():
            self._next = at + 1
            self._remember(at, frame)
            if at >= number:
                self._coming = coming
                return frame if at == number else None
        return None

    def _remember(self, number: int, frame: VideoFrame) -> None:
        self._recent[number] = frame
        self._recent.move_to_end(number)
        size = sum(plane.buffer_size for plane in frame.planes)
        while len(self._recent) > max(2, RECENT_BYTES // max(1, size)):
            self._recent.popitem(last=False)

    def _decode_from(self, key: int) -> Iterator[tuple[int, VideoFrame]]:
        """Decode from a key frame on, or from the start where time stamps cannot be trusted; give numbered frames."""
        times = self._index.times
        if len(times) == 0:
            self._container.seek(0)
            yield from enumerate(self._container.decode(self._stream))
            return
        self._container.seek(int(times[key]), stream=self._stream)
        for frame in self._container.decode(self._stream):
            at = int(np.searchsorted(times, frame.pts)) if frame.pts is not None else len(times)
            if at < len(times) and times[at] == frame.pts:
                yield at, frame


def open_video(path: Path) -> NamedStack:
    """Open a video file; its packets are looked through, its frames are not decoded.

    Raises
    ------
    MissingExtraError
        PyAV is not installed.
    MovieError
        The file is not a video, damaged or empty.
    """
    try:
        import av
    except ImportError as error:
        raise MissingExtraError("av", "video", f"reading the video '{path}'") from error
    try:
        container = av.open(str(path))
        stack = VideoStack(container, path)
    except (av.FFmpegError, OSError, ValueError) as error:
        if isinstance(error, MovieError):
            raise
        raise MovieError(f"'{path}' cannot be opened as a video ({error}): it may be damaged or truncated") from error
    return NamedStack(stack, "TYXS" if len(stack.shape) == 4 else "TYX", path.name)


def read_index(container: InputContainer, stream: VideoStream) -> VideoIndex:
    """Count the frames and list their time stamps, reading packets without decoding them."""
    shown = list(_packets(container, stream))
    times = np.array(sorted(time for time, _ in shown if time is not None), dtype=np.int64)
    # AVI files have no presentation times of their own; with reordered frames what is made up for them is wrong
    guessed = "avi" in container.format.name.split(",") and bool(stream.codec_context.has_b_frames)
    if guessed or len(times) < len(shown) or (np.diff(times) == 0).any():
        return VideoIndex(len(shown), np.empty(0, np.int64), np.zeros(1, np.int64))
    keys = np.array(sorted(time for time, is_key in shown if is_key and time is not None), dtype=np.int64)
    return VideoIndex(len(shown), times, np.searchsorted(times, keys))


def _packets(container: InputContainer, stream: VideoStream) -> Iterator[tuple[int | None, bool]]:
    for packet in container.demux(stream):
        if packet.size and not packet.is_discard:  # discarded ones lie outside of what an edited file shows
            yield packet.pts, packet.is_keyframe


def _pixel_format(stream: VideoStream, path: Path) -> tuple[str, np.dtype[np.generic], tuple[int, ...]]:
    """Choose the pixel format to decode to: gray stays gray, 16-bit RGB stays so, all else is 8-bit RGB."""
    pixel_format = stream.codec_context.format
    if pixel_format is None:
        raise MovieError(f"'{path}' is empty or damaged: it does not tell how its pixels are stored")
    deep = max(component.bits for component in pixel_format.components) > 8
    if len(pixel_format.components) == 1 and not pixel_format.has_palette:
        return ("gray16le", np.dtype(np.uint16), ()) if deep else ("gray", np.dtype(np.uint8), ())
    if pixel_format.is_rgb and deep:
        return "rgb48le", np.dtype(np.uint16), (3,)
    return "rgb24", np.dtype(np.uint8), (3,)
