"""torch's private oneDNN operators: found, checked, or done without."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
import torch

from src_model.nn.compute import onednn


@pytest.fixture(autouse=True)
def asked_anew():
    """Forgets what was found out about this machine, before and after."""
    remembered = (onednn.is_usable, onednn.has_bfloat16_units)
    for question in remembered:
        question.cache_clear()
    yield
    for question in remembered:
        question.cache_clear()


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


@pytest.fixture
def capabilities(monkeypatch: pytest.MonkeyPatch) -> dict[str, bool]:
    """What the processor is said to have, all of which oneDNN may use."""
    present: dict[str, bool] = {}
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: present, raising=False)
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: True)
    monkeypatch.setattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", lambda: True)
    return present


@pytest.mark.parametrize(("unit", "has_units"), [("avx512_bf16", True), ("amx_bf16", True), ("avx512_f", False)])
def test_bfloat16_has_units_where_the_processor_has_them(capabilities: dict[str, bool], unit: str, has_units: bool):
    capabilities[unit] = True
    assert onednn.has_bfloat16_units() == has_units


def test_a_build_without_onednn_only_emulates_bfloat16(capabilities, monkeypatch: pytest.MonkeyPatch):
    capabilities["avx512_bf16"] = True
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: False)
    assert not onednn.has_bfloat16_units()


def test_units_that_onednn_may_not_use_do_not_count(repository):
    program = "from src_model.nn.compute import has_bfloat16_units; print(has_bfloat16_units())"
    limited = os.environ | {"ONEDNN_MAX_CPU_ISA": "AVX2"}
    command = [sys.executable, "-c", program]
    answer = subprocess.run(command, cwd=repository, env=limited, capture_output=True, text=True, check=False)
    assert answer.stdout.strip() == "False", answer.stderr
