"""The engine: who has the turn decodes, the others wait as files."""

from __future__ import annotations

import base64
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from cvat_serverless import engine as module
from cvat_serverless.engine import SharedModel
from cvat_serverless.functions import INTERACTOR, TRACKER, memory_kind
from cvat_serverless.images import ImageLimits
from src_model.errors import RequestError
from tests.cvat_serverless.asking import RECTANGLE, base64_of, movie, succeeded
from tests.cvat_serverless.test_images import png_of_size
from tests.tracking import tiny


def request(number: int, image: str):
    if number % 2:
        return INTERACTOR, {"image": image, "pos_points": [[15.5, 20.5]], "neg_points": [], "obj_bbox": []}
    return TRACKER, {"image": image, "shapes": [RECTANGLE], "states": []}


def test_of_many_requests_at_once_only_the_one_whose_turn_it_is_holds_pixels(make_service, monkeypatch):
    service = make_service()
    steps = type(service.engine.steps)
    decode, encode = module.decode_image, steps.encode_image
    lock, alive, most = threading.Lock(), [0], [0]

    def decoded(*args):
        with lock:
            alive[0] += 1
            most[0] = max(most[0], alive[0])
        return decode(*args)

    def encoded(*args):
        features = encode(*args)
        with lock:
            alive[0] -= 1
        return features

    monkeypatch.setattr(module, "decode_image", decoded)
    monkeypatch.setattr(steps, "encode_image", encoded)
    images = [base64_of(frame) for frame in movie(8)]
    with ThreadPoolExecutor(8) as pool:
        with service.engine.turn():
            replies = [
                pool.submit(service.answer, *request(number, image), None) for number, image in enumerate(images)
            ]
            assert not any(reply.done() for reply in replies)
            assert most == [0]
        for reply in replies:
            succeeded(reply.result(60))
    assert most == [1]


def test_an_image_that_is_too_large_or_none_at_all_is_refused_while_others_have_the_turn(predictor):
    engine = SharedModel(predictor, limits=ImageLimits(pixels=10_000))
    with engine.turn():
        for data, words in ((png_of_size(200, 200), "at most"), (b"no image", "is no PNG")):
            with pytest.raises(RequestError, match=words):
                engine.receive(base64.b64encode(data).decode())


def test_an_image_in_the_cache_is_not_decoded(service, frames, monkeypatch):
    succeeded(service.answer(*request(1, base64_of(frames[0])), None))
    monkeypatch.setattr(module, "decode_image", lambda *_: pytest.fail("it was decoded"))
    succeeded(service.answer(*request(1, base64_of(frames[0])), None))


def test_memories_of_another_model_or_input_size_are_of_another_kind(predictor, network):
    assert memory_kind(SharedModel(predictor)) == memory_kind(SharedModel(tiny.predictor(network)))
    assert memory_kind(SharedModel(predictor)) != memory_kind(SharedModel(tiny.predictor(network, image_size=128)))
