"""Attention, whichever way it is computed."""

from __future__ import annotations

import importlib

import pytest
import torch

from src_model.nn.compute import PLAIN_COMPUTE, attend, compute_with, onednn

module = importlib.import_module("src_model.nn.compute.attend")


@pytest.fixture(params=["as it is", "streamed", "streamed without oneDNN", "never streamed"], autouse=True)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Small sizes would otherwise take one way alone."""
    if request.param.startswith("streamed"):
        monkeypatch.setattr(module, "_STREAMED_FROM", 1)
        monkeypatch.setattr(module, "_BLOCK", 8)
    if request.param == "streamed without oneDNN":
        monkeypatch.setattr(onednn, "is_usable", lambda dtype: False)
    if request.param == "never streamed":
        monkeypatch.setattr(module, "_STREAMED_FROM", 2**60)


def parts(batch: int = 2, heads: int = 3, queries: int = 21, keys: int = 37, width: int = 16, value_width: int = 16):
    sizes = ((queries, width), (keys, width), (keys, value_width))
    return tuple(torch.randn(batch, heads, *size) for size in sizes)


def written_out(query, key, value, bias=None):
    scores = query.double() @ key.double().transpose(-1, -2) / query.shape[-1] ** 0.5
    return ((scores if bias is None else scores + bias.double()).softmax(dim=-1) @ value.double()).to(value.dtype)


def biases() -> dict[str, torch.Tensor | None]:
    hidden = torch.zeros(2, 1, 1, 37)
    hidden[0, ..., 30:] = -torch.inf
    return {"none": None, "for each pair": torch.randn(3, 21, 37), "hiding some keys": hidden}


@pytest.mark.parametrize("kind", biases())
@pytest.mark.parametrize("value_width", [16, 5])
def test_it_is_the_softmax_of_the_products_times_the_values(kind: str, value_width: int):
    q, k, v = parts(value_width=value_width)
    bias = biases()[kind]
    torch.testing.assert_close(attend(q, k, v, bias), written_out(q, k, v, bias), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("kind", biases())
def test_autocast_computes_it_in_bfloat16(kind: str):
    q, k, v = parts()
    bias = biases()[kind]
    with torch.autocast("cpu", torch.bfloat16):
        result = attend(q, k, v, bias)
    assert result.dtype == torch.bfloat16
    torch.testing.assert_close(result.float(), written_out(q, k, v, bias), atol=3e-2, rtol=3e-2)


def test_few_keys_are_attended_to_as_many_are():
    q, k, v = parts(keys=3)
    torch.testing.assert_close(attend(q, k, v), written_out(q, k, v), atol=1e-5, rtol=1e-5)


def test_one_query_map_may_serve_all_rows():
    q, k, v = parts()
    torch.testing.assert_close(attend(q[:1], k, v), written_out(q[:1], k, v), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("size", [30.0, 1000.0])
@pytest.mark.parametrize("sign", [1, -1])
def test_scores_of_any_size_are_safe(size: float, sign: int):
    """Far beyond what an exponential can hold: all large, all small, or of both kinds."""
    q, k, v = parts()
    k = sign * size * k.abs()
    q[:1] = q[:1].abs()
    torch.testing.assert_close(attend(q, k, v), written_out(q, k, v), atol=2e-2, rtol=2e-2)


@pytest.mark.parametrize("heads_first", [True, False])
def test_the_order_of_the_input_in_memory_does_not_matter(heads_first: bool):
    q, k, v = parts()
    views = [x.transpose(1, 2).contiguous().transpose(1, 2) if heads_first else x.mT.contiguous().mT for x in (q, k, v)]
    torch.testing.assert_close(attend(*views), attend(q, k, v), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("kind", biases())
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_it_can_be_trained(kind: str, dtype: torch.dtype):
    inputs, bias = parts(), biases()[kind]
    gradients = []
    for function in (attend, written_out):
        q, k, v = (x.clone().requires_grad_() for x in inputs)
        with torch.autocast("cpu", torch.bfloat16, enabled=dtype == torch.bfloat16 and function is attend):
            function(q, k, v, bias).float().square().sum().backward()
        gradients.append((q.grad, k.grad, v.grad))
    tolerance = 1e-4 if dtype == torch.float32 else 0.3
    torch.testing.assert_close(*gradients, atol=tolerance, rtol=tolerance)


def test_with_plain_compute_it_is_torchs_own_kernel():
    q, k, v = parts()
    with compute_with(PLAIN_COMPUTE):
        torch.testing.assert_close(
            attend(q, k, v), torch.nn.functional.scaled_dot_product_attention(q, k, v), atol=0, rtol=0
        )
