"""Tracks in a real Redis."""

from __future__ import annotations

import json
import logging

import pytest
import torch

from cvat_serverless.store.serialization import pack_track
from src_model.errors import BusyError, RequestError
from tests.cvat_serverless.redis_server import redis_server
from tests.cvat_serverless.some_tracks import same, track

redis = pytest.importorskip("redis")
from cvat_serverless.store.redis import RedisStore  # noqa: E402

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    with redis_server(tmp_path_factory.mktemp("redis")) as url:
        yield url


@pytest.fixture
def client(address):
    with redis.Redis.from_url(address) as client:
        client.flushall()
        yield client


@pytest.fixture
def connect(address, client):
    """Connects a replica."""
    stores = []

    def connect(model: str = "ab" * 32, **options) -> RedisStore:
        stores.append(RedisStore(address, CPU, model, **options))
        return stores[-1]

    yield connect
    for store in stores:
        store.close()


def test_a_track_of_one_replica_is_found_by_another(connect):
    assert connect().put(track(step=3))
    assert same(connect().get("A" * 16), track(step=3))
    assert connect().get("B" * 16) is None


def test_of_two_replicas_that_go_on_from_one_frame_the_first_keeps_the_name(connect):
    first, second = connect(), connect()
    assert first.put(track(step=1))
    assert first.put(track(step=2))
    assert not second.put(track(step=2, place=9.0))
    assert second.get("A" * 16).shape == track().shape


def test_an_image_leads_to_the_places_in_it(connect):
    store = connect()
    store.put(track("A"))
    store.put(track("B", step=2))
    assert [(seen.track_id, seen.step) for seen in connect().positions_in("image 2")] == [("B", 2)]
    assert [(seen.track_id, seen.box) for seen in store.positions_in("image 0")] == [("A", (10, 5, 30, 25))]
    assert store.positions_in("image 7") == []


def test_replicas_with_other_weights_share_nothing(connect):
    connect().put(track())
    assert connect("cd" * 32).get("A" * 16) is None


def test_everything_is_forgotten_in_time(connect, client):
    connect(max_age=100).put(track())
    assert {0 < client.ttl(key) <= 100 for key in client.scan_iter()} == {True}


def key_of(client, kind: str) -> bytes:
    (key,) = [key for key in client.scan_iter() if f":{kind}:".encode() in key]
    return key


def with_header(data: bytes, **changes: object) -> bytes:
    end = 4 + int.from_bytes(data[:4], "big")
    text = json.dumps({**json.loads(data[4:end]), **changes}).encode()
    return len(text).to_bytes(4, "big") + text + data[end:]


def damaged(data: bytes) -> dict[str, bytes]:
    """What a track may have become, or have been in another version."""
    other = track("C" * 16)
    without_memory = track()
    without_memory.memory.conditioning[0].pointer = torch.zeros(3, 3, 3)
    return {
        "empty": b"",
        "truncated": data[:-20],
        "foreign": b"something else",
        "nested": b"\xff\xff\xff\xff" + b"[" * 100_000,
        "another version": with_header(pack_track(track()), version=9),
        "another track": pack_track(other),
        "other tensors": pack_track(without_memory),
        "no memories": with_header(pack_track(track()), conditioning=[]),
        "no sightings": with_header(pack_track(track()), sightings=[]),
    }


@pytest.mark.parametrize("kind", damaged(b""))
def test_a_track_that_cannot_be_read_counts_as_not_there_and_is_said_so_once(connect, client, caplog, kind):
    store = connect()
    store.put(track())
    key = key_of(client, "track")
    client.set(key, damaged(client.get(key))[kind])
    with caplog.at_level(logging.WARNING):
        assert store.get("A" * 16) is None
    assert caplog.text.count("not there") == 1
    assert store.put(track(step=1))
    assert same(store.get("A" * 16), track(step=1))


@pytest.mark.parametrize("row", [b"", b"{", b"[]", b'{"track_id": "A", "step": 0, "version": 9}', b"\xff"])
def test_a_place_that_cannot_be_read_counts_as_not_there_and_is_said_so_once(connect, client, caplog, row):
    store = connect()
    store.put(track())
    client.hset(key_of(client, "image"), "B:0", row)
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            assert [seen.track_id for seen in store.positions_in("image 0")] == ["A" * 16]
    assert caplog.text.count("cannot be read") == 1


def test_keys_that_hold_something_else_are_written_anew(connect, client):
    store = connect()
    store.put(track())
    for kind in ("track", "step", "image"):
        key = key_of(client, kind)
        client.delete(key)
        client.rpush(key, "a list")
    assert store.get("A" * 16) is None
    assert store.positions_in("image 0") == []
    assert store.put(track())
    assert same(store.get("A" * 16), track())
    assert len(store.positions_in("image 0")) == 1


def test_a_step_that_is_no_number_is_written_anew(connect, client):
    store = connect()
    store.put(track())
    client.set(key_of(client, "step"), "many")
    assert store.put(track())


def test_keys_of_earlier_versions_are_other_keys(connect, client):
    """They began with ``sam2v:`` and the model."""
    connect("ab").put(track())
    assert {key.split(b":")[1] for key in client.scan_iter()} == {b"3"}


def test_a_redis_that_does_not_answer_is_said_so():
    with pytest.raises(BusyError, match="does not answer"):
        RedisStore("redis://127.0.0.1:1/0", CPU, "", timeout=0.5)


def test_an_address_that_is_none_is_said_so():
    with pytest.raises(RequestError, match="address"):
        RedisStore("somewhere", CPU, "")
