"""A network small enough for unit tests: real decoder and memory, a Hiera of five thin blocks."""

from __future__ import annotations

import pytest
import torch

from src_model.nn import ModelConfig, Sam2Network, build_network
from src_model.nn.image_encoder import HieraConfig

SMALL = ModelConfig(
    "small-for-tests", HieraConfig(8, 1, (1, 1, 2, 1), (2,)), image_size=64, memory_layers=2, memory_hidden=64
)


def randomized(network: Sam2Network, seed: int = 0) -> Sam2Network:
    """Move every parameter away from its initial value, so that nothing is hidden by a zero or a one."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=generator) * 0.05)
    return network


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


@pytest.fixture(scope="session")
def small_config() -> ModelConfig:
    return SMALL


@pytest.fixture(scope="session")
def network() -> Sam2Network:
    """Shared by many tests, which must not change it."""
    torch.manual_seed(0)
    return randomized(build_network(SMALL))
