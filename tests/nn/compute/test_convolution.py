"""Convolutions that run through oneDNN where nothing is trained."""

from __future__ import annotations

import copy
import importlib
import pickle

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from src_model.nn.compute import Conv2d

module = importlib.import_module("src_model.nn.compute.layers")
is_usable = module._convolution_is_usable.__wrapped__

KINDS = {
    "pointwise": ((8, 12, 1), {}),
    "pointwise without bias": ((8, 12, 1), {"bias": False}),
    "pointwise with a stride": ((8, 12, 1), {"stride": 2}),
    "depthwise": ((8, 8, 3), {"padding": 1, "groups": 8}),
    "depthwise with a stride": ((8, 8, 3), {"padding": 1, "groups": 8, "stride": 2}),
    "dense": ((8, 12, 3), {"padding": 1, "bias": False}),
    "patches": ((8, 12, 7), {"padding": 3, "stride": 4}),
}


@pytest.fixture(params=["oneDNN", "public operators"], autouse=True)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "public operators":
        monkeypatch.setattr(module, "_convolution_is_usable", lambda dtype: False)


@pytest.fixture(params=[torch.contiguous_format, torch.channels_last], ids=["rows", "channels last"])
def images(request: pytest.FixtureRequest) -> torch.Tensor:
    return torch.randn(2, 8, 13, 10).contiguous(memory_format=request.param)


def both(kind: str) -> tuple[nn.Conv2d, Conv2d]:
    arguments, settings = KINDS[kind]
    plain, ours = nn.Conv2d(*arguments, **settings), Conv2d(*arguments, **settings)
    ours.load_state_dict(plain.state_dict())
    return plain, ours


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("activation", "function"), [("none", lambda x: x), ("gelu", F.gelu), ("relu", F.relu)])
@torch.no_grad()
def test_it_is_torchs_convolution_followed_by_the_activation(kind: str, activation, function, images):
    plain, ours = both(kind)
    torch.testing.assert_close(ours(images, activation), function(plain(images)), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
@torch.no_grad()
def test_autocast_computes_it_in_bfloat16(kind: str, images):
    plain, ours = both(kind)
    with torch.autocast("cpu", torch.bfloat16):
        result = ours(images, "gelu")
    assert result.dtype == torch.bfloat16
    torch.testing.assert_close(result.float(), F.gelu(plain(images)), atol=3e-2, rtol=3e-2)


@pytest.mark.parametrize("fast", [False, True])
@pytest.mark.parametrize("kind", ["pointwise", "depthwise"])
@torch.no_grad()
def test_it_sees_that_its_weights_have_changed(kind: str, fast: bool, images):
    plain, ours = both(kind)
    with torch.autocast("cpu", torch.bfloat16, enabled=fast):
        ours(images)
    for layer in (plain, ours):
        layer.weight.mul_(-2)
        layer.bias.add_(1)
    with torch.autocast("cpu", torch.bfloat16, enabled=fast):
        result = ours(images).float()
    torch.testing.assert_close(result, plain(images), atol=5e-2 if fast else 1e-5, rtol=5e-2 if fast else 1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_trained_as_torchs_is(kind: str, images):
    plain, ours = both(kind)
    F.gelu(plain(images)).square().sum().backward()
    ours(images, "gelu").square().sum().backward()
    torch.testing.assert_close(ours.weight.grad, plain.weight.grad, atol=1e-3, rtol=1e-4)


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda layer: pickle.loads(pickle.dumps(layer))])
@torch.no_grad()
def test_what_it_keeps_is_neither_copied_nor_saved(duplicate, images):
    _, ours = both("pointwise")
    with torch.autocast("cpu", torch.bfloat16):
        expected = ours(images)
        again = duplicate(ours)
        assert torch.equal(again(images), expected)
    assert list(again.state_dict()) == ["weight", "bias"]


def test_operators_that_compute_something_else_are_not_used(monkeypatch: pytest.MonkeyPatch):
    convolve = module._convolve
    if not torch.backends.mkldnn.is_available():
        pytest.skip("this build of torch has no oneDNN")
    assert is_usable(torch.float32)
    monkeypatch.setattr(module, "_convolve", lambda *arguments: 1.1 * convolve(*arguments))
    assert not is_usable(torch.float32)
