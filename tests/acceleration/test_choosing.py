"""Which backend computes, and why."""

from __future__ import annotations

import logging

import pytest
import torch

from src_model.acceleration import BACKENDS, backend_reason, choose_engine, choosing
from src_model.acceleration.openvino_engine import OpenVinoEngine
from src_model.errors import MissingExtraError, PromptError
from src_model.nn import MODEL_CONFIGS

CPU, CUDA = torch.device("cpu"), torch.device("cuda")


@pytest.fixture
def installed(monkeypatch):
    """OpenVINO is there, on a processor on which it was measured."""
    monkeypatch.setattr(choosing, "find_spec", lambda _: object())
    monkeypatch.setattr(choosing.platform, "machine", lambda: "x86_64")


@pytest.fixture
def missing(monkeypatch):
    monkeypatch.setattr(choosing, "find_spec", lambda _: None)


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize("backend", ["auto", "openvino"])
def test_openvino_takes_over_on_the_cpu_where_it_is_installed(network, backend):
    assert backend_reason(backend, CPU, MODEL_CONFIGS["default"]) is None
    assert isinstance(choose_engine(network, "openvino", CPU), OpenVinoEngine)


@pytest.mark.usefixtures("installed")
def test_auto_leaves_networks_to_torch_that_it_computes_as_fast(network):
    assert "hardly faster" in backend_reason("auto", CPU, network.config)
    assert choose_engine(network, "auto", CPU) is None


@pytest.mark.usefixtures("installed")
def test_torch_computes_everything_if_asked_for(network):
    assert choose_engine(network, "torch", CPU) is None


@pytest.mark.usefixtures("installed")
def test_auto_leaves_processors_alone_that_were_not_measured(monkeypatch):
    monkeypatch.setattr(choosing.platform, "machine", lambda: "arm64")
    assert "arm64" in backend_reason("auto", CPU)
    assert backend_reason("openvino", CPU) is None


@pytest.mark.usefixtures("missing")
def test_without_openvino_auto_is_torch(network):
    assert "extra 'openvino'" in backend_reason("auto", CPU)
    assert choose_engine(network, "auto", CPU) is None


@pytest.mark.usefixtures("missing")
def test_openvino_by_name_has_to_be_installed(network):
    with pytest.raises(MissingExtraError, match=r"napari-sam2v\[openvino\]"):
        choose_engine(network, "openvino", CPU)


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize(("backend", "logged"), [("auto", False), ("openvino", True)])
def test_other_devices_are_left_to_torch_and_who_asked_by_name_is_told(network, backend, logged, caplog):
    with caplog.at_level(logging.INFO):
        assert choose_engine(network, backend, CUDA) is None
    assert ("cuda" in caplog.text) == logged


def test_other_backends_are_refused(network):
    with pytest.raises(PromptError, match=r"'tensorrt' is unknown; choose one of auto, torch, openvino"):
        choose_engine(network, "tensorrt", CPU)
    assert BACKENDS == ("auto", "torch", "openvino")
