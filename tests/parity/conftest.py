"""Fixtures of the comparisons with the official implementation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch

from tests.parity.comparing import Pair, pair

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(params=["sam2.1-tiny", "sam2-tiny"])
def networks(request: pytest.FixtureRequest) -> Pair:
    """A network of each family."""
    return pair(request.param)


@pytest.fixture
def seeded_inference() -> Iterator[None]:
    """Always the same random inputs, and no gradients."""
    torch.manual_seed(0)
    with torch.inference_mode():
        yield
