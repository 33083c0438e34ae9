"""The handler as Nuclio runs it, with the requests that CVAT sends."""

from __future__ import annotations

import json

import pytest

pytest.importorskip("nuclio_sdk")
from cvat_serverless.functions import INTERACTOR, TRACKER
from cvat_serverless.nuclio import main
from src_model.tracking import StreamingPredictor
from tests.cvat_serverless.asking import base64_of
from tests.cvat_serverless.nuclio_worker import Worker

pytestmark = pytest.mark.filterwarnings("ignore:datetime.datetime.utcfromtimestamp:DeprecationWarning")


@pytest.fixture
def worker(predictor, monkeypatch):
    """Starts a worker of a function."""
    asked = []

    def load(cls, name="default", *, device="auto", precision="exact", image_size=None, threads=None):
        asked.append((name, device, precision, image_size, threads))
        return predictor

    monkeypatch.setattr(StreamingPredictor, "load", classmethod(load))

    def start(function: str, **environment: str) -> Worker:
        monkeypatch.setenv("SAM2V_FUNCTION", function)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        started = Worker(main)
        started.asked = asked
        return started

    return start


def post(worker: Worker, **body):
    return worker.post(json.dumps(body).encode())


def test_the_model_is_loaded_as_the_environment_says(worker):
    model = {"SAM2V_MODEL": "sam2.1-hiera-tiny", "SAM2V_DEVICE": "cpu", "SAM2V_IMAGE_SIZE": "512"}
    started = worker(TRACKER, **model, SAM2V_PRECISION="fast", SAM2V_THREADS="3")
    assert started.asked == [("sam2.1-hiera-tiny", "cpu", "fast", 512, 3)]


def test_an_interactor_request_of_cvat_is_answered(worker, frames):
    answer = post(worker(INTERACTOR), image=base64_of(frames[0]), pos_points=[[29.9, 19.5]], neg_points=[], obj_bbox=[])
    assert (answer.status, answer.content_type) == (200, "application/json")
    (shape,) = answer.body["shapes"]
    assert set(shape) == {"type", "points", "attributes"}
    assert all(isinstance(point, int) for point in shape["points"])
    assert [set(attribute) for attribute in shape["attributes"]] == [{"spec_id", "value"}]


def test_a_tracker_request_of_cvat_is_answered_with_a_state_for_each_shape(worker, frames):
    tracker = worker(TRACKER)
    started = post(
        tracker,
        image=base64_of(frames[0]),
        shapes=[{"type": "rectangle", "points": [9.7, 9.7, 29.6, 30.2]}],
        states=[],
    )
    assert started.status == 200
    followed = post(tracker, image=base64_of(frames[1]), shapes=[None], states=started.body["states"])
    assert followed.status == 200
    assert [shape["type"] for shape in followed.body["shapes"]] == ["rectangle"]
    assert [state["n"] for state in followed.body["states"]] == [1]


def test_a_body_with_a_charset_that_nuclio_does_not_parse_is_read(worker, frames):
    body = json.dumps({"image": base64_of(frames[0]), "pos_points": [[9, 9]]}).encode()
    assert worker(INTERACTOR).post(body, "application/json; charset=utf-8").status == 200


def test_each_function_answers_its_own_requests_alone(worker, frames):
    answer = post(worker(TRACKER), image=base64_of(frames[0]), pos_points=[[9, 9]])
    assert answer.status == 400
    assert "pos_points" in answer.body["message"]


def test_a_setting_that_is_no_number_is_said_before_the_worker_starts(worker):
    with pytest.raises(ValueError, match="SAM2V_CACHE_MB is 'much'"):
        worker(TRACKER, SAM2V_CACHE_MB="much")
