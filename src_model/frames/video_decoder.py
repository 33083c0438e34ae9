"""Decoding from a packet on: frames come out with the number of the packet they were made of."""

from __future__ import annotations

import weakref
from contextlib import suppress
from typing import TYPE_CHECKING

from src_model.errors import MovieError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from av import Packet, VideoFrame
    from av.container import InputContainer
    from av.video.codeccontext import VideoCodecContext
    from av.video.stream import VideoStream

    from src_model.frames.video_index import VideoIndex


class DecodingError(Exception):
    """A packet cannot be decoded.

    Parameters
    ----------
    packet : int
        Its number.
    """

    def __init__(self, packet: int) -> None:
        super().__init__(f"packet {packet} cannot be decoded")
        self.packet = packet


class VideoDecoder:
    """The decoder of a file's video stream, and its place in the file.

    Time stamps are replaced by the packet's number before decoding, because the decoder hands them on to the frame:
    so each frame is known for certain, whatever the file says about time and however frames are reordered.

    Parameters
    ----------
    path : Path
        The file.
    strict : bool
        Take any error in a packet for damage, instead of filling the gap with what may have been there. Frames are then
        decoded one after the other: where FFmpeg decodes several at once, some errors are never reported.
    """

    def __init__(self, path: Path, *, strict: bool = True) -> None:
        self._path = path
        self._strict = strict
        self._close: Callable[[], object] = lambda: None
        self._open()

    def frames_from(
        self, start: int, index: VideoIndex | None, counted: int | None = None
    ) -> Iterator[tuple[int, VideoFrame]]:
        """Decode from a packet on; give packet numbers and frames in the order in which they are shown.

        Parameters
        ----------
        start : int
            Number of a packet where decoding can start.
        index : VideoIndex or None
            What is known of the packets; None decodes from the beginning of the file.
        counted : int or None
            Packet where the frames that are wanted begin; errors in those before it do not count. None: the start.

        Raises
        ------
        DecodingError
            A packet fails; all frames decoded before it have been given.
        """
        import av

        number, wanted = start, start if counted is None else counted
        packets = self._packets_from(start, index)
        self._codec.flush_buffers()
        for number, packet in enumerate(packets, start):
            damaged = packet.is_corrupt
            packet.pts, packet.dts = number, None
            try:
                frames = [] if damaged else self._codec.decode(packet)
            except av.FFmpegError:
                damaged = True
            if damaged and number >= wanted and not _needs_more(number, wanted, index):
                with suppress(av.FFmpegError):
                    held_back = self._codec.decode(None)
                    yield from _numbered(held_back, before=number)
                raise DecodingError(number)
            yield from _numbered([] if damaged else frames)
        try:
            frames = self._codec.decode(None)
        except av.FFmpegError as error:
            raise DecodingError(number) from error
        yield from _numbered(frames)

    def _packets_from(self, start: int, index: VideoIndex | None) -> Iterator[Packet[VideoStream]]:
        for time in index.times_to_seek(start) if index is not None and not (self._fresh and start == 0) else []:
            found = self._land(time, start, index)
            if found is not None:
                return found
        return self._from_beginning(start)

    def _land(self, time: int, start: int, index: VideoIndex | None) -> Iterator[Packet[VideoStream]] | None:
        """Jump to a time and walk on to a packet; None where the jump led behind it."""
        import av

        assert index is not None
        self._fresh = False
        try:
            self._container.seek(time, stream=self._stream)
            packets = self._demux()
            for packet in packets:
                number = index.number_of(packet)
                if number == start:
                    return _with(packet, packets)
                if number is not None and number > start:
                    return None
        except av.FFmpegError:
            return None
        return None

    def _from_beginning(self, start: int) -> Iterator[Packet[VideoStream]]:
        if not self._fresh:
            self._open()
        packets = self._demux()
        self._fresh = False
        first = next(packets, None)
        if first is None or start == 0:
            return iter(()) if first is None else _with(first, packets)
        self._start_with(first)
        for _ in range(start - 1):
            next(packets, None)
        return packets

    def _start_with(self, first: Packet[VideoStream]) -> None:
        """Let the decoder see the first packet, which may bring what belongs to the whole stream, as a palette."""
        import av

        with suppress(av.FFmpegError):
            self._codec.decode(first)

    def _demux(self) -> Iterator[Packet[VideoStream]]:
        return (packet for packet in self._container.demux(self._stream) if packet.size)

    def _open(self) -> None:
        import av

        self._close()
        container: InputContainer = av.open(str(self._path))
        self._close = weakref.finalize(self, container.close)
        if not container.streams.video:
            raise MovieError(f"'{self._path}' has no video in it: expected a video stream, not sound alone")
        self._container = container
        self._stream = container.streams.video[0]
        self._codec = self._stream.codec_context
        self._codec.thread_type = "SLICE" if self._strict else "AUTO"
        self._codec.options = {"err_detect": "explode"} if self._strict else {}
        self._fresh = True

    @property
    def codec(self) -> VideoCodecContext:
        """The codec context: size and pixel format of the stream."""
        return self._codec


def _needs_more(number: int, start: int, index: VideoIndex | None) -> bool:
    """Tell whether a packet needs what lies before the start: it is decoded after it, but shown before."""
    return index is not None and 0 <= index.frame_of(number) < index.frame_of(start)


def _numbered(frames: list[VideoFrame], before: int | None = None) -> Iterator[tuple[int, VideoFrame]]:
    for frame in frames:
        if frame.pts is not None and (before is None or frame.pts < before):
            yield int(frame.pts), frame


def _with(first: Packet[VideoStream], others: Iterator[Packet[VideoStream]]) -> Iterator[Packet[VideoStream]]:
    yield first
    yield from others
