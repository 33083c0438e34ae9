"""Tracks in a real Redis."""

from __future__ import annotations

import pytest
import torch

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
    assert [(seen.track_id, seen.step) for seen in connect().seen_in("image 2")] == [("B", 2)]
    assert [(seen.track_id, seen.box) for seen in store.seen_in("image 0")] == [("A", (10, 5, 30, 25))]
    assert store.seen_in("image 7") == []


def test_replicas_with_other_weights_share_nothing(connect):
    connect().put(track())
    assert connect("cd" * 32).get("A" * 16) is None


def test_everything_is_forgotten_in_time(connect, client):
    connect(max_age=100).put(track())
    assert {0 < client.ttl(key) <= 100 for key in client.scan_iter()} == {True}


def test_what_others_wrote_there_is_left_alone(connect, client):
    store = connect()
    store.put(track())
    (key,) = [key for key in client.scan_iter() if b":track:" in key]
    client.set(key, b"something else")
    assert store.get("A" * 16) is None


def test_a_redis_that_does_not_answer_is_said_so():
    with pytest.raises(BusyError, match="does not answer"):
        RedisStore("redis://127.0.0.1:1/0", CPU, "", timeout=0.5)


def test_an_address_that_is_none_is_said_so():
    with pytest.raises(RequestError, match="address"):
        RedisStore("somewhere", CPU, "")
