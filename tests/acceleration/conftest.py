"""Fixtures of the acceleration tests: the tiny network of the tracking tests, and inputs for it."""

from __future__ import annotations

from importlib.util import find_spec

import pytest
import torch

from src_model.acceleration import openvino_engine
from src_model.nn import MemoryTokens
from tests.tracking import tiny


@pytest.fixture(scope="session")
def network():
    return tiny.build()


@pytest.fixture
def any_size(monkeypatch):
    """Images of any size are encoded by OpenVINO, so that tests can do with small ones."""
    monkeypatch.setattr(openvino_engine, "_WINDOWS", 1)


@pytest.fixture
def openvino():
    if find_spec("openvino") is None:
        pytest.skip("OpenVINO is not installed")


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def remember(objects: int = 1, maps: int = 3, pointers: int = 2, side: int = 4) -> MemoryTokens:
    """Memory of objects at 64 pixels."""
    ages, offsets = (0, *range(maps - 1, 0, -1)), tuple(range(pointers, 0, -1))
    memories, rows = noise(objects, maps, 64, side, side, seed=1), noise(objects, pointers, 256, seed=2)
    return MemoryTokens(memories, (ages,), rows, (offsets,), 16)
