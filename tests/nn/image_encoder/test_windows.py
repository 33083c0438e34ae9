"""Attention within windows whose padding is counted, not computed."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from src_model.nn.compute import PLAIN_COMPUTE, compute_with
from src_model.nn.image_encoder.windows import attend_in_windows, cut, edge_bias, join, skips_padding

HEADS, WIDTH, SIDE = 2, 8, 4
SIZES = [(8, 8), (8, 12), (6, 10), (2, 2), (4, 6)]


def padded_reference(query, key_value, outside, bias):
    """Compute the padding as well, one window after the other."""
    height, width = key_value.shape[1:3]
    scale = height // query.shape[1]
    pad = (-height % SIDE, -width % SIDE)
    full = outside.expand(len(query), height + pad[0], width + pad[1], -1, -1, -1).clone()
    full[:, :height, :width] = key_value
    result = torch.zeros(*query.shape[:3], HEADS * WIDTH)
    for y in range(0, height, SIDE):
        for x in range(0, width, SIDE):
            keys, values = full[:, y : y + SIDE, x : x + SIDE].flatten(1, 2).permute(2, 0, 3, 1, 4)
            rows, columns = (slice(start // scale, (start + SIDE) // scale) for start in (y, x))
            part = query[:, rows, columns]
            inside = torch.zeros(SIDE, SIDE, dtype=torch.bool)
            inside[: height - y, : width - x] = True
            mask = bias if bias is None or bias.shape[1] == 1 else bias[:, inside.flatten()]
            found = F.scaled_dot_product_attention(part.flatten(1, 2).transpose(1, 2), keys, values, attn_mask=mask)
            result[:, rows, columns] = found.transpose(1, 2).reshape(*part.shape[:3], -1)
    return result


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("kind", ["biased", "unbiased", "pooled"])
def test_it_gives_what_computing_the_padding_gives(size: tuple[int, int], kind: str):
    scale = 2 if kind == "pooled" else 1
    query = torch.randn(2, size[0] // scale, size[1] // scale, HEADS, WIDTH)
    key_value, outside = torch.randn(2, *size, 2, HEADS, WIDTH), torch.randn(2, HEADS, WIDTH)
    bias = torch.randn(HEADS, SIDE**2, SIDE**2) if kind == "biased" else torch.zeros(1, 1, SIDE**2)
    result = attend_in_windows(query, key_value, outside, SIDE, lambda h, w: edge_bias(bias, SIDE, h, w))
    expected = padded_reference(query, key_value, outside, bias if kind == "biased" else None)
    torch.testing.assert_close(result, expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("size", [(4, 4), (8, 4), (8, 12)])
def test_maps_are_cut_into_windows_and_put_together_again(size: tuple[int, int]):
    x = torch.randn(2, *size, 3, HEADS, WIDTH)
    windows = cut(x, 4, 2)
    assert windows.shape == (3, 2 * size[0] // 4 * size[1] // 2, HEADS, 8, WIDTH)
    assert torch.equal(windows[1, 0, :, 0], x[0, 0, 0, 1])
    assert torch.equal(join(windows[2], (2, *size), 4, 2), x[..., 2, :, :].flatten(3))


def test_the_key_outside_counts_for_all_that_it_stands_for():
    assert edge_bias(torch.zeros(1, 1, 16), 4, 4, 4).shape == (1, 1, 16)
    merged = edge_bias(torch.zeros(1, 1, 16), 4, 3, 2).exp()
    torch.testing.assert_close(merged[0, 0], torch.tensor([1.0] * 6 + [10.0]))


def test_padding_is_skipped_without_gradients_and_with_the_lever_alone():
    x = torch.zeros(1)
    assert not skips_padding(x)
    with torch.no_grad():
        assert skips_padding(x)
        with compute_with(PLAIN_COMPUTE):
            assert not skips_padding(x)
