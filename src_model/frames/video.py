"""Video files: any frame by its number, in either direction, exactly as plain decoding from the start gives it."""

from __future__ import annotations

import threading
from collections import OrderedDict
from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from src_model.errors import DamagedFrameError, MissingExtraError, MovieError
from src_model.frames.source import NamedStack
from src_model.frames.video_decoder import DecodingError, VideoDecoder
from src_model.frames.video_index import VideoIndex, read_packets

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from av import VideoFrame
    from av.video.codeccontext import VideoCodecContext

RECENT_BYTES = 64 * 2**20
"""Decoded frames kept behind the current place, so that going back does not decode from the key frame each time."""
FRAMES_TO_COMPARE = 16
"""So many frames are decoded when a file is opened, to see whether its time stamps tell the order of its frames."""
MAY_HIDE_FRAMES = ("vp8", "mpeg4")
"""Codecs with packets of which no frame is shown; with others a frame that does not come is damaged."""
MOST_STARTS = 8
"""A frame is looked for from so many key frames: with periodic intra refresh a picture is whole some time later."""


class VideoStack:
    """A video file as one array (T, Y, X, 3), or (T, Y, X) where it is stored as gray.

    Rotation that a camera noted is not applied: masks and coordinates belong to the stored rows and columns.

    Parameters
    ----------
    path : Path
        The file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._decoder = VideoDecoder(path)
        self._strict = True
        self._warm_up = False
        self._index = self._make_index()
        codec = self._decoder.codec
        self._format, self.dtype, colors = _pixel_format(codec, path)
        self.shape: tuple[int, ...] = (len(self._index), codec.height, codec.width, *colors)
        self.chunks = (1, *self.shape[1:])
        self._lock = threading.Lock()  # one decoder, one place in the file
        self._recent: OrderedDict[int, VideoFrame] = OrderedDict()
        self._coming: Iterator[tuple[int, VideoFrame]] = iter(())
        self._next = len(self._index)
        self._lost: set[int] = set()

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
        for start in self._index.starts_before(number, MOST_STARTS):
            if number in self._lost:
                break
            found = self._look_from(start, number)
            if found is not None:
                return found
        self._lost.add(number)
        raise DamagedFrameError(f"frame {number} of '{self._path}' cannot be decoded: the file is damaged", number)

    def _look_from(self, start: int, number: int) -> VideoFrame | None:
        """Decode until a frame comes, from where the decoder is or from a key frame; None if it does not come."""
        if not self._index.frame_of(start) <= self._next <= number:
            self._coming = self._decode_from(start)
        for at, frame in self._coming:
            self._next = at + 1
            self._remember(at, frame)
            if at >= number:
                return frame if at == number else None
        self._next = len(self._index)
        return None

    def _decode_from(self, start: int) -> Iterator[tuple[int, VideoFrame]]:
        """Decode from a key frame on and give numbered frames, those excepted that damage has spoilt."""
        self._next = self._index.frame_of(start)
        is_open = self._index.is_open(start)
        earlier = self._index.start_before(start) if is_open and self._warm_up else start
        try:
            for packet, frame in self._decoder.frames_from(earlier, self._index, start):
                number = self._index.frame_of(packet)
                if number >= self._next and number not in self._lost and not frame.is_corrupt:
                    yield number, frame
        except DecodingError as error:
            if is_open and not self._warm_up:
                self._warm_up = True  # what is shown before the start lacks what lies before it, and others refer to it
            else:
                self._lost.update(self._index.spoilt_by(error.packet))
                return
            yield from self._decode_from(start)

    def _remember(self, number: int, frame: VideoFrame) -> None:
        self._recent[number] = frame
        self._recent.move_to_end(number)
        size = sum(plane.buffer_size for plane in frame.planes)
        while len(self._recent) > max(2, RECENT_BYTES // max(1, size)):
            self._recent.popitem(last=False)

    def _make_index(self) -> VideoIndex:
        """Find the order of frames by their times, or by decoding all of them where those are missing or wrong."""
        packets = read_packets(self._path)
        if len(packets.keys) == 0:
            raise MovieError(f"'{self._path}' is empty or damaged: its video has no frame")
        order = packets.order_by_time()
        plain = VideoIndex(packets, np.flatnonzero(~packets.hidden))
        first = self._first_frames(plain)
        if order is None or not self._confirmed(order.tolist(), first):
            order = np.array(self._order_by_decoding(plain), np.int64)
        if len(order) == 0:
            raise MovieError(f"'{self._path}' is empty or damaged: it has no frame that can be decoded")
        return VideoIndex(packets, order)

    def _confirmed(self, order: list[int], decoded: list[int]) -> bool:
        """Tell whether the first frames come out of the decoder as their times promise; damage may cost a few."""
        if self._decoder.codec.name in MAY_HIDE_FRAMES:
            return decoded == order[: len(decoded)]
        promised = order[: order.index(decoded[-1]) + 1] if decoded else []
        came = set(decoded)
        return decoded == [packet for packet in promised if packet in came] and 4 * len(came) >= 3 * len(promised)

    def _first_frames(self, plain: VideoIndex) -> list[int]:
        """Decode a few frames and list their packets; ease the rules where a file breaks them everywhere."""
        decoded = self._decoded_from(0, FRAMES_TO_COMPARE)
        if not decoded and not any(self._decoded_from(start, 1, plain) for start in plain.starts[1:3]):
            self._strict = False
            self._decoder = VideoDecoder(self._path, strict=False)
            decoded = self._decoded_from(0, FRAMES_TO_COMPARE)
        return decoded

    def _decoded_from(self, start: int, most: int, index: VideoIndex | None = None) -> list[int]:
        decoded: list[int] = []
        with suppress(DecodingError):
            decoded.extend(packet for packet, _ in islice(self._decoder.frames_from(start, index), most))
        return decoded

    def _order_by_decoding(self, plain: VideoIndex) -> list[int]:
        """Decode the whole file once; what damage has spoilt is counted in the order in which it would be decoded."""
        order: dict[int, None] = {}
        start: int | None = 0
        while start is not None:
            first, start = start, None
            try:
                order.update((packet, None) for packet, _ in self._decoder.frames_from(first, plain) if packet >= first)
            except DecodingError as error:
                start = plain.start_after(error.packet)
                order.update((packet, None) for packet in range(first, start or plain.packets))
        return list(order)


def open_video(path: Path) -> NamedStack:
    """Open a video file; its packets are looked through, and no more than its first frames are decoded.

    Only files whose time stamps do not tell the order of frames (H.264 in AVI, streams without a container) are
    decoded once as a whole.

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
        stack = VideoStack(path)
    except (av.FFmpegError, OSError, ValueError) as error:
        if isinstance(error, MovieError):
            raise
        raise MovieError(f"'{path}' cannot be opened as a video ({error}): it may be damaged or truncated") from error
    return NamedStack(stack, "TYXS" if len(stack.shape) == 4 else "TYX", path.name)


def _pixel_format(codec: VideoCodecContext, path: Path) -> tuple[str, np.dtype[np.generic], tuple[int, ...]]:
    """Choose the pixel format to decode to: gray stays gray, 16-bit RGB stays so, all else is 8-bit RGB."""
    pixel_format = codec.format
    if pixel_format is None:
        raise MovieError(f"'{path}' is empty or damaged: it does not tell how its pixels are stored")
    deep = max(component.bits for component in pixel_format.components) > 8
    if len(pixel_format.components) == 1 and not pixel_format.has_palette:
        return ("gray16le", np.dtype(np.uint16), ()) if deep else ("gray", np.dtype(np.uint8), ())
    if pixel_format.is_rgb and deep:
        return "rgb48le", np.dtype(np.uint16), (3,)
    return "rgb24", np.dtype(np.uint8), (3,)
