"""What the engine hands to compiled programs, and what it leaves to torch; no OpenVINO is needed for that."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from src_model.acceleration import openvino_engine
from src_model.acceleration.openvino_engine import OpenVinoEngine
from tests.acceleration.conftest import noise, remember
from tests.tracking import tiny

pytestmark = pytest.mark.usefixtures("any_size")


@pytest.fixture
def made(monkeypatch):
    """Programs are the modules themselves; holds what was made."""
    requests = []

    def load(request, dtype, threads, folder):
        requests.append((request.label, dtype, threads))
        module = request.make()

        def program(*inputs):
            results = module(*(x.float() for x in inputs))
            return list(results) if isinstance(results, tuple) else [results]

        return program

    monkeypatch.setattr(openvino_engine, "load_program", load)
    return requests


@pytest.fixture
def movie():
    return tiny.make_movie(6)


@pytest.fixture
def broken(monkeypatch):
    """No program can be made."""

    def load(*_):
        raise RuntimeError("no such\n  operator")

    monkeypatch.setattr(openvino_engine, "load_program", load)


@pytest.fixture
def engine(network):
    return OpenVinoEngine(network)


@torch.no_grad()
def test_images_are_encoded_as_the_network_does(engine, network, made):
    images = noise(2, 3, 64, 64)
    features, expected = engine.encode_image(images), network.encode_image(images)
    torch.testing.assert_close(features.embedding, expected.embedding)
    torch.testing.assert_close(features.high_res, expected.high_res)
    assert [label for label, *_ in made] == ["image encoder"]
    assert engine.parts == ["image encoder at 64 px"]


@pytest.mark.parametrize("rows", [1, 3])
@pytest.mark.parametrize("pointers", [0, 2])
@torch.no_grad()
def test_objects_attend_to_their_memory_whether_they_share_an_image_or_not(engine, network, made, rows, pointers):
    embedding, memory = noise(rows, 256, 4, 4), remember(objects=3, pointers=pointers)
    result = engine.attend_memory(embedding, memory)
    torch.testing.assert_close(result, network.attend_memory(embedding, memory), atol=2e-5, rtol=1e-4)
    assert [label for label, *_ in made] == ["first self-attention", "memory attention"]


@torch.no_grad()
def test_objects_of_different_ages_attend_too(engine, network, made):
    memory = replace(remember(objects=2), ages=((0, 2, 1), (0, 3, 1)), pointer_offsets=((2, 1), (3, 1)))
    embedding = noise(1, 256, 4, 4)
    expected = network.attend_memory(embedding, memory)
    torch.testing.assert_close(engine.attend_memory(embedding, memory), expected, atol=2e-5, rtol=1e-4)
    assert made


@torch.no_grad()
def test_padded_memories_are_left_to_torch(engine, network, made):
    memory = replace(remember(objects=2), ages=((0, 2, 1), (0,)), pointer_offsets=((2, 1), (1,)))
    embedding = noise(1, 256, 4, 4)
    assert torch.equal(engine.attend_memory(embedding, memory), network.attend_memory(embedding, memory))


@torch.no_grad()
def test_attention_that_torch_does_faster_is_left_to_it(engine, network, made, monkeypatch):
    monkeypatch.setattr(openvino_engine, "_MOST_SCORES", 16 * (3 * 16 + 8) - 1)
    embedding, memory = noise(1, 256, 4, 4), remember()
    assert torch.equal(engine.attend_memory(embedding, memory), network.attend_memory(embedding, memory))
    assert made == []


@torch.no_grad()
def test_padded_images_are_left_to_torch_in_float32(engine, network, made, monkeypatch):
    monkeypatch.setattr(openvino_engine, "_WINDOWS", 224)
    images = noise(1, 3, 64, 64)
    assert torch.equal(engine.encode_image(images).embedding, network.encode_image(images).embedding)
    assert made == []
    with torch.autocast("cpu", torch.bfloat16):
        engine.encode_image(images)
    engine.encode_image(noise(1, 3, 224, 224))
    assert [dtype for _, dtype, _ in made] == [torch.bfloat16, torch.float32]


@torch.no_grad()
def test_a_program_is_made_once_for_each_size_precision_and_number_of_threads(engine, made):
    threads = torch.get_num_threads()
    for side in (64, 96, 64):
        engine.encode_image(noise(1, 3, side, side))
    with torch.autocast("cpu", torch.bfloat16):
        engine.encode_image(noise(1, 3, 64, 64))
    assert made == [("image encoder", torch.float32, threads)] * 2 + [("image encoder", torch.bfloat16, threads)]


@torch.no_grad()
def test_what_cannot_be_compiled_is_logged_once_and_left_to_torch(engine, network, broken, caplog):
    images, embedding, memory = noise(1, 3, 64, 64), noise(1, 256, 4, 4), remember()
    for _ in range(2):
        assert torch.equal(engine.encode_image(images).embedding, network.encode_image(images).embedding)
        assert torch.equal(engine.attend_memory(embedding, memory), network.attend_memory(embedding, memory))
    assert len(caplog.records) == len(engine.failures) == 3
    assert engine.parts == []
    assert (
        "torch computes the image encoder at 64 px, since OpenVINO cannot: RuntimeError: no such operator"
        in caplog.text
    )


def test_a_session_tracks_through_the_engine(network, made, movie):
    results = {}
    for name, engine in (("torch", None), ("engine", OpenVinoEngine(network))):
        predictor = tiny.predictor(network, engine=engine)
        session = predictor.with_settings(predictor.steps.settings).start(movie)
        session.prompt(0, 1, points=[tiny.CLICK])
        session.prompt(0, 2, points=[tiny.OTHER_CLICK])
        results[name] = [result.logits[1] for result in session.propagate() if 1 in result.logits]
    torch.testing.assert_close(results["engine"], results["torch"], atol=1e-3, rtol=1e-4)
    assert {label for label, *_ in made} == {"image encoder", "first self-attention", "memory attention"}
