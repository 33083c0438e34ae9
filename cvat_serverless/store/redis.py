"""Tracks in Redis, for several replicas behind one address."""

from __future__ import annotations

import logging
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, cast

from pydantic import BaseModel, ConfigDict, ValidationError

from cvat_serverless.shapes import ShapeType
from cvat_serverless.store.serialization import pack_track, unpack_track
from cvat_serverless.stored_track import TrackPosition
from src_model.errors import BusyError, MissingExtraError, RequestError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import torch

    from cvat_serverless.stored_track import StoredTrack

_log = logging.getLogger(__name__)

_LAYOUT = 3
"""Counts the ways in which tracks and positions were written; part of every key, so that versions never meet."""

_PUT = """
local function is_free_or_a(key, kind)
    local held = redis.call('TYPE', key).ok
    if held == 'none' or held == kind then return true end
    redis.call('DEL', key)
    return false
end
local held = -1
if is_free_or_a(KEYS[1], 'string') then held = tonumber(redis.call('GET', KEYS[1]) or '-1') or -1 end
is_free_or_a(KEYS[3], 'hash')
if held >= tonumber(ARGV[1]) then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[3])
redis.call('SET', KEYS[2], ARGV[2], 'EX', ARGV[3])
redis.call('HSET', KEYS[3], ARGV[4], ARGV[5])
redis.call('EXPIRE', KEYS[3], ARGV[3])
return 1
"""
"""Keeps a track only if none of its name is as far: Redis runs a script as one step, whoever else writes.

What somebody else left under a key of ours is replaced.
"""


class _PositionRecord(BaseModel):
    """Where a track was in an image, written when it was there."""

    model_config = ConfigDict(extra="forbid")

    track_id: str
    step: int
    kind: ShapeType
    box: tuple[float, float, float, float]
    fingerprint: str
    at: float


class RedisStore:
    """Keeps tracks in Redis; how many bytes it may take is Redis' own setting (``maxmemory``, ``allkeys-lru``).

    Whoever can write to that Redis can make tracks up. It holds tensors, never code. What cannot be read there counts
    as not there.

    Parameters
    ----------
    url
        Address of the Redis, such as ``redis://host:6379/0``.
    device
        Device on which tensors are wanted.
    model
        Name of the network and its settings: replicas with others do not share memories.
    max_age
        Seconds after its last change at which a track is dropped.
    timeout
        Seconds that Redis has for an answer.

    Raises
    ------
    MissingExtraError
        If redis-py is not installed.
    BusyError
        If nothing answers at the address.
    """

    def __init__(
        self, url: str, device: torch.device, model: str, *, max_age: float = 12 * 3600.0, timeout: float = 10.0
    ) -> None:
        try:
            import redis
        except ImportError as error:
            raise MissingExtraError("redis", "serve", "sharing tracks between replicas") from error
        self._failures = (redis.RedisError,)
        self._refusal = redis.ResponseError
        try:
            self._redis = redis.Redis.from_url(url, socket_timeout=timeout, socket_connect_timeout=timeout)
        except ValueError as error:
            raise RequestError(f"the Redis address cannot be used: {error}") from error
        self._device = device
        self._prefix = f"sam2v:{_LAYOUT}:{model or 'unnamed'}"
        self._seconds = max(1, int(max_age))
        self._put = self._redis.register_script(_PUT)
        with self._reachable():
            self._redis.ping()

    def get(self, track_id: str) -> StoredTrack | None:
        """Return a track if it is still there."""
        data = cast("bytes | None", self._read(self._redis.get, f"{self._prefix}:track:{track_id}"))
        return None if data is None else self._unpacked(track_id, data)

    def put(self, track: StoredTrack) -> bool:
        """Keep a track under its name, unless there is one of that name that is as far or farther."""
        names = [f"{self._prefix}:{kind}:{track.track_id}" for kind in ("step", "track")]
        last = track.sightings[-1]
        position = _PositionRecord(
            track_id=track.track_id,
            step=track.step,
            kind=track.shape.type,
            box=last.box,
            fingerprint=last.fingerprint,
            at=time.time(),
        )
        with self._reachable():
            kept = self._put(
                keys=[*names, f"{self._prefix}:image:{last.image}"],
                args=[
                    track.step,
                    pack_track(track),
                    self._seconds,
                    f"{track.track_id}:{track.step}",
                    position.model_dump_json(),
                ],
            )
        return bool(kept)

    def positions_in(self, image: str) -> list[TrackPosition]:
        """List where tracks were in an image, the last one there first; some may be gone meanwhile."""
        key = f"{self._prefix}:image:{image}"
        rows = cast("dict[bytes, bytes]", self._read(self._redis.hgetall, key) or {})
        read = {name: _read_position(row) for name, row in rows.items()}
        foreign = [name for name, position in read.items() if position is None]
        if foreign:
            _log.warning("%d positions of objects in Redis cannot be read; they are removed", len(foreign))
            with self._reachable():
                self._redis.hdel(key, *foreign)
        newest_first = sorted((row for row in read.values() if row is not None), key=lambda row: -row.at)
        return [TrackPosition(row.track_id, row.step, row.kind, row.box, row.fingerprint) for row in newest_first]

    def size(self) -> tuple[int, int]:
        """Return nothing: no track is held in this process."""
        return 0, 0

    def close(self) -> None:
        """Close the connections."""
        self._redis.close()

    def _read(self, command: Callable[[str], object], key: str) -> object:
        """Ask for a key; one that holds another kind of value than ours counts as not there."""
        with self._reachable():
            try:
                return command(key)
            except self._refusal as error:
                if not str(error).startswith("WRONGTYPE"):
                    raise
                _log.warning("%s in Redis holds something else and counts as not there", key)
                return None

    def _unpacked(self, track_id: str, data: bytes) -> StoredTrack | None:
        try:
            track = unpack_track(data, self._device)
        except ValueError as error:
            _log.warning("track %s in Redis cannot be read and counts as not there: %s", track_id, error)
            return None
        if track.track_id != track_id:
            _log.warning("track %s in Redis is another one and counts as not there", track_id)
            return None
        return track

    @contextmanager
    def _reachable(self) -> Iterator[None]:
        try:
            yield
        except self._failures as error:
            raise BusyError(f"the track store does not answer ({type(error).__name__}); try again") from error


def _read_position(row: bytes) -> _PositionRecord | None:
    try:
        return _PositionRecord.model_validate_json(row)
    except ValidationError:
        return None
