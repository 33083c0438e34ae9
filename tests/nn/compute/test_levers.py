"""Which fast ways of computing are used."""

from __future__ import annotations

import pytest
import torch

from src_model.nn.compute import NO_LEVERS, Levers, compute_dtype, levers, using
from src_model.nn.compute.levers import needs_gradient


def test_everything_is_used_unless_less_is_asked_for():
    assert levers() == Levers()
    with using(NO_LEVERS):
        assert levers() == NO_LEVERS
    assert levers() == Levers()


def test_what_was_asked_for_ends_with_an_error_too():
    try:
        with using(NO_LEVERS):
            raise RuntimeError
    except RuntimeError:
        assert levers() == Levers()


@pytest.mark.parametrize("tracer", [torch.jit, torch.compiler], ids=["jit", "compiler"])
def test_a_traced_graph_holds_public_operators_alone(tracer, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(tracer, "is_tracing" if tracer is torch.jit else "is_compiling", lambda: True)
    assert levers() == NO_LEVERS


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
