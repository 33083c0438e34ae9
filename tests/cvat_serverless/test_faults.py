"""What goes wrong in a day: nothing but the documented healing may come of it."""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import threading
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch

from cvat_serverless.functions import TRACKER
from cvat_serverless.shared_model import SharedModel
from cvat_serverless.state import StateCodec
from cvat_serverless.store import LocalStore
from tests.cvat_serverless.asking import MASK, OTHER, RECTANGLE, Asking, base64_of, movie, succeeded
from tests.cvat_serverless.redis_server import redis_server

REPOSITORY = Path(__file__).resolve().parents[2]

SERVER = """
import sys, uvicorn
from cvat_serverless.functions import make_service
from cvat_serverless.server.app import FunctionServer
from cvat_serverless.settings import ServiceSettings
from tests.tracking import tiny

class Server(uvicorn.Server):
    async def startup(self, sockets=None):
        await super().startup(sockets)
        print(self.servers[0].sockets[0].getsockname()[1], flush=True)

service = make_service(ServiceSettings(), tiny.predictor(tiny.build()))
Server(uvicorn.Config(FunctionServer(service, port=1).app, port=0, log_level="warning")).run()
"""


class Process:
    """A server in a process of its own, which can be killed."""

    def __init__(self) -> None:
        pytest.importorskip("uvicorn")
        self._process = subprocess.Popen(
            [sys.executable, "-c", SERVER], cwd=REPOSITORY, stdout=subprocess.PIPE, text=True, env=os.environ
        )
        self._url = f"http://127.0.0.1:{int(self._process.stdout.readline())}/"

    def post(self, body):
        request = urllib.request.Request(
            self._url + "api/function_invocations",
            json.dumps(body).encode(),
            {"Content-Type": "application/json", "x-nuclio-function-name": TRACKER},
        )
        with urllib.request.urlopen(request, timeout=60) as reply:
            return json.load(reply)

    def end(self, how: int) -> int:
        self._process.send_signal(how)
        code = self._process.wait(60)
        self._process.stdout.close()
        return code


def expected_shapes(make_service, frames, *shapes):
    """What one undisturbed process answers."""
    return Asking(make_service()).track(frames, *shapes)


def test_a_process_that_is_killed_between_two_frames_costs_the_memory_and_nothing_else(frames):
    first = Process()
    reply = first.post({"image": base64_of(frames[0]), "shapes": [RECTANGLE], "states": []})
    reply = first.post({"image": base64_of(frames[1]), "shapes": [None], "states": reply["states"]})
    first.end(signal.SIGKILL)
    second = Process()
    try:
        recovered = second.post({"image": base64_of(frames[2]), "shapes": [None], "states": reply["states"]})
        assert recovered["shapes"][0]["type"] == "rectangle"
        after = second.post({"image": base64_of(frames[3]), "shapes": [None], "states": recovered["states"]})
        assert after["states"][0]["id"] == recovered["states"][0]["id"]
    finally:
        assert second.end(signal.SIGTERM) in (0, -signal.SIGTERM)


def test_two_replicas_with_stores_of_their_own_heal_at_each_turn(make_service, frames, caplog):
    replicas = [Asking(make_service()), Asking(make_service())]
    reply = succeeded(replicas[0].start(frames[0], RECTANGLE))
    with caplog.at_level(logging.WARNING):
        for number, frame in enumerate(frames[1:], 1):
            reply = succeeded(replicas[number % 2].follow(frame, reply["states"]))
    recoveries = sum(replica.service.model.counts.recoveries for replica in replicas)
    assert recoveries == len(frames) - 1 == caplog.text.count("is not here")


def test_two_replicas_that_share_redis_answer_as_one(make_service, predictor, frames, tmp_path):
    expected = expected_shapes(make_service, frames, MASK, OTHER)
    with redis_server(tmp_path) as url:
        from cvat_serverless.store.redis import RedisStore

        stores = [RedisStore(url, torch.device("cpu"), predictor.sha256) for _ in range(2)]
        replicas = [Asking(make_service(store=store)) for store in stores]
        reply = succeeded(replicas[0].start(frames[0], MASK, OTHER))
        for number, frame in enumerate(frames[1:], 1):
            reply = succeeded(replicas[number % 2].follow(frame, reply["states"]))
            assert reply["shapes"] == expected[number]
        x0, y0, x1, y1 = reply["shapes"][1]["points"]
        corrected = {"type": "rectangle", "points": [x0 + 1, y0 + 1, x1 - 1, y1 - 1]}
        assert succeeded(replicas[0].start(frames[-1], corrected))["states"][0]["n"] == len(frames) - 1
        assert sum(replica.service.model.counts.recoveries for replica in replicas) == 0
        for store in stores:
            store.close()


def test_a_redis_that_goes_away_is_503_until_it_is_back(make_service, predictor, frames, tmp_path):
    with redis_server(tmp_path) as url:
        from cvat_serverless.store.redis import RedisStore

        store = RedisStore(url, torch.device("cpu"), predictor.sha256, timeout=1.0)
        asking = Asking(make_service(store=store))
        reply = succeeded(asking.start(frames[0], RECTANGLE))
    answer = asking.follow(frames[1], reply["states"])
    assert answer.status == 503
    assert "does not answer" in answer.body["message"]
    store.close()


def test_a_store_that_is_full_forgets_the_oldest_objects_which_heal(make_service, frames):
    one = Asking(make_service())
    succeeded(one.start(frames[0], RECTANGLE))
    _, nbytes = one.service.store.size()
    asking = Asking(make_service(store=LocalStore(3 * nbytes)))
    boxes = [{"type": "rectangle", "points": [x, 2.0, x + 8, 38.0]} for x in range(0, 44, 9)]
    states = [succeeded(asking.start(frames[0], box))["states"][0] for box in boxes]
    assert asking.service.store.size()[0] == 3
    reply = succeeded(asking.follow(frames[1], states))
    assert len(reply["shapes"]) == len(boxes)
    assert 2 <= asking.service.model.counts.recoveries <= len(boxes)


def test_a_store_without_room_for_anything_still_answers(make_service, frames):
    asking = Asking(make_service(store=LocalStore(1)))
    assert len(asking.track(frames[:4], RECTANGLE)) == 4
    assert asking.service.model.counts.recoveries == 3


def test_eight_clients_at_once_are_answered_as_if_each_were_alone(make_service):
    movies = [movie(5)[:, :, :, ::-1] // (number // 2 + 1) for number in range(8)]
    shapes = [MASK if number % 2 else RECTANGLE for number in range(8)]
    expected = [expected_shapes(make_service, m, s) for m, s in zip(movies, shapes, strict=True)]
    service = make_service()

    def client(number: int):
        return Asking(service).track(movies[number], shapes[number])

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(client, range(8))) == expected
    assert service.model.counts.recoveries == 0


def test_clients_that_go_on_from_one_state_at_once_do_not_disturb_each_other(make_service, frames):
    def followed(asking, image):
        return succeeded(asking.follow(image, start["states"]))["shapes"]

    asking = Asking(make_service())
    start = succeeded(asking.start(frames[0], MASK))
    images = [frames[1 + number % 4] for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda image: followed(asking, image), images))
    other = Asking(make_service())
    start = succeeded(other.start(frames[0], MASK))
    assert together == [followed(other, image) for image in images]


def test_after_a_time_out_in_the_middle_the_same_request_is_answered(make_service, predictor, frames):
    """The first request was still worked on when CVAT gave up; the second one finds it done."""
    model = SharedModel(predictor, wait_seconds=0.1)
    asking = Asking(make_service(model=model))
    reply = succeeded(asking.start(frames[0], RECTANGLE))
    go_on, working = threading.Event(), threading.Event()
    features = model.features

    def slow(image, window):
        working.set()
        assert go_on.wait(30)
        return features(image, window)

    model.features = slow
    given_up = threading.Thread(target=asking.follow, args=(frames[1], reply["states"]))
    given_up.start()
    assert working.wait(30)
    again = asking.follow(frames[1], reply["states"])
    assert again.status == 503
    assert "busy" in again.body["message"]
    go_on.set()
    given_up.join(30)
    answer = succeeded(asking.follow(frames[1], reply["states"]))
    assert answer["states"][0]["n"] == 1
    assert model.counts.repeats == 1
    assert model.counts.recoveries == 0


def test_a_state_from_before_a_change_of_the_secret_is_refused_and_does_not_heal(make_service, frames):
    before = Asking(make_service(codec=StateCodec("old")))
    reply = succeeded(before.start(frames[0], RECTANGLE))
    after = Asking(make_service(codec=StateCodec("new")))
    assert after.follow(frames[1], reply["states"]).status == 400
    assert after.service.model.counts.recoveries == 0
