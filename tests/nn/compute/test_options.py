"""Which fast ways of computing are used."""

from __future__ import annotations

import pytest
import torch

from src_model.nn.compute import PLAIN_COMPUTE, ComputeOptions, compute_dtype, compute_options, compute_with
from src_model.nn.compute.options import needs_gradient


def test_everything_is_used_unless_less_is_asked_for():
    assert compute_options() == ComputeOptions()
    with compute_with(PLAIN_COMPUTE):
        assert compute_options() == PLAIN_COMPUTE
    assert compute_options() == ComputeOptions()


def test_what_was_asked_for_ends_with_an_error_too():
    try:
        with compute_with(PLAIN_COMPUTE):
            raise RuntimeError
    except RuntimeError:
        assert compute_options() == ComputeOptions()


@pytest.mark.parametrize("tracer", [torch.jit, torch.compiler], ids=["jit", "compiler"])
def test_a_traced_graph_holds_public_operators_alone(tracer, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(tracer, "is_tracing" if tracer is torch.jit else "is_compiling", lambda: True)
    assert compute_options() == PLAIN_COMPUTE


def test_autocast_decides_in_which_type_is_computed():
    x = torch.zeros(2)
    assert compute_dtype(x) == torch.float32
    with torch.autocast("cpu", torch.bfloat16):
        assert compute_dtype(x) == torch.bfloat16


def test_a_gradient_is_needed_where_one_is_recorded():
    x, weight = torch.zeros(2), torch.zeros(2, requires_grad=True)
    assert needs_gradient(x, weight)
    assert not needs_gradient(x, None)
    with torch.no_grad():
        assert not needs_gradient(x, weight)
