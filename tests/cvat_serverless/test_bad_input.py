"""Whatever a request holds: 4xx, a message to act on, a healthy worker and an unchanged store."""

from __future__ import annotations

import base64
import json

import numpy as np
import pytest

from cvat_serverless.functions import INTERACTOR, TRACKER
from cvat_serverless.images import ImageLimits
from cvat_serverless.shared_model import SharedModel
from tests.cvat_serverless.asking import MASK, RECTANGLE, Asking, base64_of, file_of, succeeded
from tests.cvat_serverless.test_images import png_of_size

GOOD = base64_of(np.zeros((40, 52, 3), np.uint8))
NOISE = np.random.default_rng(0).integers(0, 256, (40, 52), dtype=np.uint8)
NAN, HUGE = float("nan"), 10**400


def base64_file(data: bytes) -> str:
    return base64.b64encode(data).decode()


def tracker(image=GOOD, shapes=(), states=(), **more):
    return TRACKER, {"image": image, "shapes": list(shapes), "states": list(states), **more}


def interactor(image=GOOD, pos_points=((9, 9),), neg_points=(), obj_bbox=(), **more):
    return INTERACTOR, {
        "image": image,
        "pos_points": list(pos_points),
        "neg_points": list(neg_points),
        "obj_bbox": obj_bbox,
        **more,
    }


def shape(points, kind="rectangle", **more):
    return {"type": kind, "points": points, **more}


BODIES = {
    "truncated base64": tracker(GOOD[:-3], [RECTANGLE]),
    "no base64": interactor("%%%"),
    "an empty image": interactor(""),
    "no image at all": (TRACKER, {"shapes": [RECTANGLE], "states": []}),
    "an image that is a number": interactor(7),
    "not an image": tracker(base64_file(b"<svg/>"), [RECTANGLE]),
    "half an image": tracker(base64_file(file_of(NOISE)[: -len(file_of(NOISE)) // 2]), [RECTANGLE]),
    "a decompression bomb": interactor(base64_file(png_of_size(100_000, 100_000))),
    "30,000 pixels": interactor(base64_file(png_of_size(30_000, 30_000))),
    "NaN coordinates": tracker(shapes=[shape([NAN, 1, 5, 5])]),
    "NaN points": interactor(pos_points=[[NAN, NAN]]),
    "infinite coordinates": tracker(shapes=[shape([float("inf"), 1, 5, 5])]),
    "numbers no float holds": tracker(shapes=[shape([HUGE, 1, 5, 5])]),
    "points of one number": interactor(pos_points=[[5]]),
    "points of text": interactor(pos_points=[["5", "5"]]),
    "points that are true": interactor(pos_points=[[True, False]]),
    "a hundred thousand points": interactor(pos_points=[[1, 1]] * 100_000),
    "an unknown type": tracker(shapes=[shape([1, 1, 5, 5], "skeleton")]),
    "a shape without points": tracker(shapes=[{"type": "rectangle"}]),
    "a mask of too many pixels": tracker(shapes=[shape([0, 10**12, 0, 0, 5, 5], "mask")]),
    "a mask of too large a box": tracker(shapes=[shape([0, 1, 0, 0, 10**5, 10**5], "mask")]),
    "too many shapes": tracker(shapes=[RECTANGLE] * 10_000),
    "neither shapes nor states": tracker(),
    "a null shape without a state": tracker(shapes=[None]),
    "a foreign state": tracker(shapes=[None], states=[{"id": "s2"}]),
    "a pickled state": tracker(shapes=[None], states=[{"py/reduce": [{"py/type": "os.system"}, ["true"]]}]),
    "a state of 10 MB": tracker(shapes=[None], states=[{"id": "x" * 10_000_000}]),
    "10 MB of states": tracker(shapes=[], states=[{"id": "s"}] * 1_000_000),
    "states that are text": tracker(states="s2"),
    "unknown keys": tracker(shapes=[RECTANGLE], surprise=1),
    "unknown keys in a shape": tracker(shapes=[shape([1, 1, 5, 5], surprise=1)]),
    "unknown keys for the interactor": interactor(surprise=1),
}

RAW = {
    "an empty body": (b"", "application/json", 400),
    "no JSON": (b"{", "application/json", 400),
    "a list": (b"[1]", "application/json", 400),
    "text": (b'"hello"', "application/json", 400),
    "deeply nested": (b"[" * 100_000, "application/json", 400),
    "no UTF-8": (b"\xff\xfe{}", "application/json", 400),
    "another content type": (json.dumps(tracker(shapes=[RECTANGLE])[1]).encode(), "text/plain", 415),
    "a form": (b"a=b", "application/x-www-form-urlencoded", 415),
    "no content type": (b"{}", "", 415),
}


@pytest.fixture(scope="module")
def busy(predictor):
    """A service that is following an object, with what its next answer has to be."""
    from cvat_serverless.functions import FunctionService
    from cvat_serverless.state import StateCodec
    from cvat_serverless.store import LocalStore

    service = FunctionService(SharedModel(predictor), LocalStore(), StateCodec())
    asking = Asking(service)
    reply = succeeded(asking.start(np.zeros((40, 52, 3), np.uint8), MASK))
    return asking, reply["states"]


def check(busy, reply, status=None):
    assert 400 <= reply.status < 500, reply
    assert status in (None, reply.status)
    assert 10 < len(reply.body["message"]) < 400
    asking, states = busy
    assert asking.service.store.size()[0] == 1
    assert asking.service.store.get(states[0]["id"]).step == 0


@pytest.mark.parametrize("name", BODIES)
def test_a_bad_request_is_refused_with_a_reason(busy, name):
    function, body = BODIES[name]
    check(busy, busy[0].service.answer(function, json.dumps(body).encode(), "application/json"))


@pytest.mark.parametrize("name", BODIES)
def test_it_is_refused_too_where_nuclio_parsed_it_already(busy, name):
    function, body = BODIES[name]
    check(busy, busy[0].service.answer(function, body, "application/json"))


@pytest.mark.parametrize("name", RAW)
def test_a_body_that_is_no_json_object_is_refused(busy, name):
    body, content_type, status = RAW[name]
    check(busy, busy[0].service.answer(TRACKER, body, content_type), status)


def test_a_function_that_is_not_there_is_refused(busy):
    check(busy, busy[0].service.answer("other", b"{}", "application/json"), 404)


def test_after_all_this_the_worker_still_answers(busy):
    asking, states = busy
    assert asking.follow(np.zeros((40, 52, 3), np.uint8) + 9, states).status == 200


def test_the_image_limit_is_the_one_of_the_settings(make_service, predictor):
    service = make_service(model=SharedModel(predictor, limits=ImageLimits(pixels=100)))
    reply = service.answer(*tracker(shapes=[RECTANGLE]), None)
    assert reply.status == 413


def test_a_failure_of_our_own_is_500_and_logged_and_the_next_request_is_answered(service, frames, monkeypatch, caplog):
    asking = Asking(service)
    monkeypatch.setattr(service.model, "features", lambda *_: 1 / 0)
    reply = asking.start(frames[0], RECTANGLE)
    assert reply.status == 500
    assert "ZeroDivisionError" in caplog.text
    monkeypatch.undo()
    succeeded(asking.start(frames[0], RECTANGLE))


def test_a_full_gpu_is_said_so(service, frames, monkeypatch):
    def full(*_):
        raise MemoryError

    monkeypatch.setattr(service.model, "features", full)
    reply = Asking(service).start(frames[0], RECTANGLE)
    assert reply.status == 503
    assert "memory" in reply.body["message"]
