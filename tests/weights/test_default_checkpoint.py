"""The checkpoint that ships with the package."""

from __future__ import annotations

import hashlib

import pytest
import torch
from safetensors import safe_open

from src_model.nn import MODEL_CONFIGS
from src_model.weights import get_checkpoint, load_network
from src_model.weights.registry import REGISTRY


@pytest.fixture(scope="module")
def path():
    return get_checkpoint("default", offline=True)


def test_it_is_in_the_package_and_under_thirty_megabytes(path):
    assert path.stat().st_size < 30e6


def test_the_registry_knows_its_size_and_hash(path):
    info = REGISTRY["default"]
    assert info.size == path.stat().st_size
    assert info.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_it_holds_half_floats_and_says_what_it_is(path):
    with safe_open(path, framework="pt") as file:
        assert file.metadata()["config"] == "default"
        kinds = {file.get_tensor(name).dtype for name in file.keys()}  # noqa: SIM118 (a file is no dict)
    assert kinds == {torch.float16}


def test_it_loads_by_name_as_the_default_architecture_in_full_precision():
    loaded = load_network("default", device=torch.device("cpu"))
    assert loaded.network.config == MODEL_CONFIGS["default"]
    assert {tensor.dtype for tensor in loaded.network.state_dict().values()} == {torch.float32}


def test_its_model_card_lies_beside_it(path):
    card = path.with_suffix(".md").read_text(encoding="utf-8")
    for topic in ("MobileSAM", "Apache", "Limits"):
        assert topic in card
