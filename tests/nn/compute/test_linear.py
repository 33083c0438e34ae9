"""Linear layers that run through oneDNN where they can."""

from __future__ import annotations

import copy
import pickle

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from src_model.nn.compute import PLAIN_COMPUTE, Linear, compute_with, linear, onednn

ACTIVATIONS = {"none": lambda x: x, "relu": F.relu, "gelu": F.gelu}


@pytest.fixture
def layer() -> Linear:
    return Linear(24, 40).requires_grad_(False)


def expected(layer: Linear, x: torch.Tensor, activation: str = "none") -> torch.Tensor:
    return ACTIVATIONS[activation](F.linear(x, layer.weight, layer.bias))


def close_in_bfloat16(result: torch.Tensor, exact: torch.Tensor) -> None:
    assert result.dtype == torch.bfloat16
    torch.testing.assert_close(result.float(), exact, atol=8e-2, rtol=2e-2)


@pytest.fixture(params=["with oneDNN", "without"], autouse=True)
def onednn_or_not(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "without":
        monkeypatch.setattr(onednn, "is_usable", lambda dtype: False)


@pytest.mark.parametrize("activation", ["none", "relu", "gelu"])
@pytest.mark.parametrize("shape", [(24,), (5, 24), (2, 3, 24), (2, 3, 4, 24), (0, 24)])
def test_it_computes_what_an_ordinary_layer_computes(layer: Linear, shape: tuple[int, ...], activation: str):
    x = torch.randn(shape)
    torch.testing.assert_close(layer(x, activation), expected(layer, x, activation), atol=1e-5, rtol=1e-5)


def test_the_order_of_the_input_in_memory_does_not_matter(layer: Linear):
    x = torch.randn(24, 6, 2)
    for view in (x.permute(2, 1, 0), x[:, :, :1].expand(-1, -1, 3).permute(2, 1, 0), x.transpose(0, 2)[:, ::2]):
        torch.testing.assert_close(layer(view), layer(view.contiguous()), atol=1e-5, rtol=1e-5)


def test_there_may_be_no_bias():
    layer = Linear(24, 40, bias=False).requires_grad_(False)
    x = torch.randn(3, 24)
    torch.testing.assert_close(layer(x), x @ layer.weight.t(), atol=1e-5, rtol=1e-5)


def test_autocast_decides_in_which_type_it_computes(layer: Linear):
    x = torch.randn(50, 24)
    exact = layer(x, "gelu")
    assert exact.dtype == torch.float32
    with torch.autocast("cpu", torch.bfloat16):
        close_in_bfloat16(layer(x, "gelu"), exact)


def in_bfloat16(layer: Linear, x: torch.Tensor) -> torch.Tensor:
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        return layer(x)


def test_changed_weights_are_taken_at_once(layer: Linear):
    x = torch.randn(3, 24)
    for change in (
        lambda: layer.weight.mul_(2),
        lambda: layer.bias.add_(1),
        lambda: layer.load_state_dict(Linear(24, 40).state_dict()),
        lambda: layer.load_state_dict(Linear(24, 40).state_dict(), assign=True),
        lambda: setattr(layer, "weight", nn.Parameter(torch.randn(40, 24))),
    ):
        in_bfloat16(layer, x)
        change()
        close_in_bfloat16(in_bfloat16(layer, x), expected(layer, x).detach())
        torch.testing.assert_close(layer(x), expected(layer, x), atol=1e-5, rtol=1e-5)


def test_it_has_the_state_of_an_ordinary_layer(layer: Linear):
    in_bfloat16(layer, torch.randn(3, 24))
    ordinary = nn.Linear(24, 40)
    assert list(layer.state_dict()) == list(ordinary.state_dict())
    ordinary.load_state_dict(layer.state_dict())


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))], ids=["copy", "pickle"])
def test_it_can_be_copied_and_pickled_when_it_has_been_used(layer: Linear, duplicate):
    x = torch.randn(3, 24)
    before = in_bfloat16(layer, x)
    other = duplicate(layer)
    assert torch.equal(in_bfloat16(other, x), before)
    other.weight.zero_()
    assert torch.equal(in_bfloat16(layer, x), before)


def test_it_can_change_its_type_when_it_has_been_used(layer: Linear):
    x = torch.randn(3, 24)
    in_bfloat16(layer, x)
    double = layer.double()
    torch.testing.assert_close(double(x.double()), F.linear(x.double(), double.weight, double.bias))


@pytest.mark.parametrize("activation", ["none", "relu", "gelu"])
def test_gradients_are_those_of_an_ordinary_layer(activation: str):
    ours = Linear(24, 40)
    theirs = copy.deepcopy(ours)
    x = torch.randn(5, 24)
    ours(x, activation).square().sum().backward()
    expected(theirs, x, activation).square().sum().backward()
    torch.testing.assert_close(ours.weight.grad, theirs.weight.grad)
    torch.testing.assert_close(ours.bias.grad, theirs.bias.grad)


def test_the_input_of_frozen_layers_gets_its_gradient(layer: Linear):
    x = torch.randn(5, 24, requires_grad=True)
    layer(x).sum().backward()
    torch.testing.assert_close(x.grad, layer.weight.sum(dim=0).expand(5, -1))


def test_weights_of_others_may_be_used_once(layer: Linear):
    x = torch.randn(2, 3, 24)
    result = linear(x, layer.weight, layer.bias, "relu")
    torch.testing.assert_close(result, expected(layer, x, "relu"), atol=1e-5, rtol=1e-5)
    with compute_with(PLAIN_COMPUTE):
        torch.testing.assert_close(result, linear(x, layer.weight, layer.bias, "relu"), atol=1e-5, rtol=1e-5)
