"""Which packet of a video file becomes which frame, found out without decoding more than is needed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias
from zlib import crc32

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

    from av import Packet
    from av.video.stream import VideoStream

Place: TypeAlias = tuple[int | None, ...]

SEEN_BYTES = 4096
"""So much of a packet is looked at to recognise it."""

_UNKNOWN = np.iinfo(np.int64).min


@dataclass(frozen=True, slots=True)
class Packets:
    """What a file says of its packets, in the order in which they are decoded.

    Attributes
    ----------
    shown, decoded : np.ndarray
        (packets,) int64: when each is shown and decoded, in the stream's time base; `_UNKNOWN` where nothing is said.
    keys : np.ndarray
        (packets,) bool: decoding can start here.
    places : dict
        Position in the file and time of those where decoding can start, by which they are recognised after a jump.
    hidden : np.ndarray
        (packets,) bool: decoded for the sake of others, but outside of what an edited file shows.
    """

    shown: np.ndarray
    decoded: np.ndarray
    keys: np.ndarray
    places: dict[Place, int]
    hidden: np.ndarray

    def order_by_time(self) -> np.ndarray | None:
        """Give the packets in the order in which they are shown; None where times are missing or not unique."""
        visible = np.flatnonzero(~self.hidden)
        times = self.shown[visible]
        if (times == _UNKNOWN).any() or len(np.unique(times)) < len(times):
            return None
        return visible[np.argsort(times)]


class VideoIndex:
    """Frames by their number, packets by theirs, and where decoding can start.

    Parameters
    ----------
    packets : Packets
        All packets, in the order in which they are decoded.
    order : np.ndarray
        (frames,) int64: the packet that becomes each frame.
    """

    def __init__(self, packets: Packets, order: np.ndarray) -> None:
        self._packets = packets
        self._order = order
        self._numbers = np.full(len(packets.keys), -1, np.int64)
        self._numbers[order] = np.arange(len(order))
        keys = np.flatnonzero(packets.keys & (self._numbers >= 0))
        self._keys = keys if len(keys) and keys[0] == 0 else np.concatenate([[0], keys]).astype(np.int64)
        shown = np.argsort(self._numbers[self._keys], kind="stable")
        self._keys_as_shown = self._keys[shown]
        self._frames_of_keys = self._numbers[self._keys_as_shown]
        counted = np.count_nonzero(packets.keys)
        contents = {place[-2:]: number for place, number in packets.places.items()}
        self._by_content = contents if len(contents) == counted else None  # times and positions may change by a jump
        self._recognisable = len(packets.places) == counted

    def __len__(self) -> int:
        """Return the number of frames."""
        return len(self._order)

    @property
    def packets(self) -> int:
        """Number of packets."""
        return len(self._numbers)

    def frame_of(self, packet: int) -> int:
        """Give the frame that a packet becomes, -1 if none."""
        return int(self._numbers[packet]) if 0 <= packet < len(self._numbers) else -1

    def starts_before(self, frame: int, most: int) -> list[int]:
        """List packets where decoding can start so that a frame comes out, nearest first; at most so many."""
        at = int(np.searchsorted(self._frames_of_keys, frame, side="right"))
        return [int(key) for key in self._keys_as_shown[max(0, at - most) : at][::-1]] or [0]

    def is_open(self, start: int) -> bool:
        """Tell whether frames that are decoded after a start are shown before it."""
        end = self.start_after(start)
        frames = self._numbers[start:end]
        return bool(((frames >= 0) & (frames < self._numbers[start])).any())

    @property
    def starts(self) -> list[int]:
        """Packets where decoding can start."""
        return [int(key) for key in self._keys]

    def start_before(self, start: int) -> int:
        """Give the start before this one, or the first."""
        return int(self._keys[max(0, int(np.searchsorted(self._keys, start)) - 1)])

    def start_after(self, packet: int) -> int | None:
        """Give the next packet after this one where decoding can start."""
        at = int(np.searchsorted(self._keys, packet, side="right"))
        return int(self._keys[at]) if at < len(self._keys) else None

    def spoilt_by(self, packet: int) -> list[int]:
        """List the frames that are wrong where a packet cannot be decoded: up to the next clean start."""
        at = int(np.searchsorted(self._keys, packet, side="right"))
        if at == len(self._keys):
            return [int(frame) for frame in self._numbers[packet:] if frame >= 0]
        following = int(self._keys[at])
        end = int(self._keys[at + 1]) if at + 1 < len(self._keys) else len(self._numbers)
        frames = self._numbers[packet:end]  # those shown before the next key frame may be decoded after it
        return [int(frame) for frame in frames if 0 <= frame < self._numbers[following]]

    def number_of(self, packet: Packet[VideoStream]) -> int | None:
        """Recognise a packet where decoding can start after a jump; None for any other."""
        if not packet.is_keyframe:
            return None
        if self._by_content is not None:
            return self._by_content.get(_content(packet))
        return self._packets.places.get(_place(packet))

    def times_to_seek(self, packet: int) -> list[int]:
        """List times to jump to so as to land at a packet or not far before it, best first."""
        times = [self._packets.shown[packet], self._packets.decoded[packet]]
        at = int(np.searchsorted(self._keys, packet, side="right")) - 1
        step = 1
        while at - step >= 0:
            times.append(self._packets.decoded[self._keys[at - step]])
            step *= 2
        known = [int(time) for time in times if time != _UNKNOWN]
        return list(dict.fromkeys(known)) if self._recognisable else []


def read_packets(path: Path) -> Packets:
    """Walk through the packets of a file's video stream without decoding them.

    The file is opened for this alone: some formats hand out what belongs to the whole stream, such as a palette, only
    with the first packet that is read.
    """
    import av

    shown: list[int] = []
    decoded: list[int] = []
    keys: list[bool] = []
    hidden: list[bool] = []
    places: dict[Place, int] = {}
    with av.open(str(path)) as container:
        for packet in container.demux(container.streams.video[0]):
            if not packet.size:
                continue
            if packet.is_keyframe:
                places.setdefault(_place(packet), len(keys))
            shown.append(_known(packet.pts))
            decoded.append(_known(packet.dts))
            keys.append(packet.is_keyframe)
            hidden.append(packet.is_discard)
    times = np.array([shown, decoded], np.int64).reshape(2, -1)
    return Packets(times[0], times[1], np.array(keys, bool), places, np.array(hidden, bool))


def _place(packet: Packet[VideoStream]) -> Place:
    time = packet.pts if packet.pts is not None else packet.dts
    return packet.pos, time, *_content(packet)


def _content(packet: Packet[VideoStream]) -> tuple[int, int]:
    return packet.size, crc32(memoryview(packet)[:SEEN_BYTES])


def _known(time: int | None) -> int:
    return _UNKNOWN if time is None else time
