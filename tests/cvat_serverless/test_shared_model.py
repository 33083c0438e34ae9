"""The shared model: who has the turn decodes, the others wait as files; and features by image hash."""

from __future__ import annotations

import base64
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from cvat_serverless import shared_model as module
from cvat_serverless.functions import INTERACTOR, TRACKER, model_fingerprint
from cvat_serverless.images import ImageLimits
from cvat_serverless.shared_model import EncodedImage, ImageCache, SharedModel
from src_model.errors import RequestError
from src_model.nn import ImageFeatures
from tests.cvat_serverless.asking import RECTANGLE, base64_of, movie, succeeded
from tests.cvat_serverless.test_images import png_of_size
from tests.tracking import tiny


def request(number: int, image: str):
    if number % 2:
        return INTERACTOR, {"image": image, "pos_points": [[15.5, 20.5]], "neg_points": [], "obj_bbox": []}
    return TRACKER, {"image": image, "shapes": [RECTANGLE], "states": []}


def test_of_many_requests_at_once_only_the_one_whose_turn_it_is_holds_pixels(make_service, monkeypatch):
    service = make_service()
    steps = type(service.model.steps)
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
        with service.model.turn():
            replies = [
                pool.submit(service.answer, *request(number, image), None) for number, image in enumerate(images)
            ]
            assert not any(reply.done() for reply in replies)
            assert most == [0]
        for reply in replies:
            succeeded(reply.result(60))
    assert most == [1]


def test_an_image_that_is_too_large_or_none_at_all_is_refused_while_others_have_the_turn(predictor):
    model = SharedModel(predictor, limits=ImageLimits(pixels=10_000))
    with model.turn():
        for data, words in ((png_of_size(200, 200), "at most"), (b"no image", "is no PNG")):
            with pytest.raises(RequestError, match=words):
                model.receive(base64.b64encode(data).decode())


def test_an_image_in_the_cache_is_not_decoded(service, frames, monkeypatch):
    succeeded(service.answer(*request(1, base64_of(frames[0])), None))
    monkeypatch.setattr(module, "decode_image", lambda *_: pytest.fail("it was decoded"))
    succeeded(service.answer(*request(1, base64_of(frames[0])), None))


def test_memories_of_another_model_or_input_size_are_of_another_kind(predictor, network):
    assert model_fingerprint(SharedModel(predictor)) == model_fingerprint(SharedModel(tiny.predictor(network)))
    assert model_fingerprint(SharedModel(predictor)) != model_fingerprint(
        SharedModel(tiny.predictor(network, image_size=128))
    )


# Features by image hash ----------------------------------------------------------------------------------------------


def encoded(numbers: int) -> EncodedImage:
    """An image whose features take four bytes a number."""
    return EncodedImage((4, 4), ImageFeatures(torch.zeros(1, numbers, 1, 1), ()))


def test_an_image_that_was_put_there_is_found_again():
    cache, image = ImageCache(1000), encoded(10)
    cache.put("a", image)
    assert cache.get("a") is image
    assert cache.get("b") is None


def test_the_least_recently_used_images_make_room():
    cache = ImageCache(100)
    for name in "ab":
        cache.put(name, encoded(10))
    cache.get("a")
    cache.put("c", encoded(10))
    assert [name for name in "abc" if cache.get(name)] == ["a", "c"]
    assert cache.bytes_used == 80


def test_the_image_in_use_is_kept_even_if_it_is_too_large():
    cache = ImageCache(100)
    cache.put("a", encoded(10))
    cache.put("b", encoded(1000))
    assert cache.get("b") is not None
    assert len(cache) == 1


def test_an_image_put_there_twice_counts_once():
    cache = ImageCache(100)
    cache.put("a", encoded(10))
    cache.put("a", encoded(10))
    assert cache.bytes_used == 40
