"""torch's private oneDNN operators: found, checked, or done without."""

from __future__ import annotations

import pytest
import torch

from src_model.nn.compute import onednn


@pytest.fixture(autouse=True)
def asked_anew():
    """Forgets what was found out about this machine, before and after."""
    onednn.is_usable.cache_clear()
    yield
    onednn.is_usable.cache_clear()


def test_types_that_nobody_checked_are_not_used():
    assert not onednn.is_usable(torch.float64)


def test_builds_without_onednn_do_without(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: False)
    assert not onednn.is_usable(torch.float32)


@pytest.mark.parametrize("error", [AttributeError, RuntimeError, NotImplementedError])
def test_operators_that_are_gone_are_not_used(monkeypatch: pytest.MonkeyPatch, error: type[Exception]):
    def gone(*_: object) -> torch.Tensor:
        raise error("no such operator")

    monkeypatch.setattr(onednn, "product", gone)
    assert not onednn.is_usable(torch.float32)


def test_operators_that_compute_something_else_are_not_used(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(onednn, "product", lambda x, weight, bias, activation: x.new_zeros(len(x), len(bias)))
    assert not onednn.is_usable(torch.float32)
