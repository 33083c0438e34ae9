"""Small building blocks."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from src_model.nn.layers import LayerNorm2d, Mlp, flatten_map, merge_heads, split_heads, unflatten_map


def test_layer_norm_2d_normalises_the_channels_of_every_pixel():
    norm = LayerNorm2d(6)
    torch.nn.init.normal_(norm.weight)
    torch.nn.init.normal_(norm.bias)
    x = 3 * torch.randn(2, 6, 4, 5) + 1
    expected = F.layer_norm(x.permute(0, 2, 3, 1), (6,), norm.weight, norm.bias, eps=1e-6).permute(0, 3, 1, 2)
    torch.testing.assert_close(norm(x), expected)


def test_layer_norm_2d_of_a_constant_pixel_is_its_bias():
    norm = LayerNorm2d(4)
    assert torch.equal(norm(torch.full((1, 4, 2, 2), 7.0)), torch.zeros(1, 4, 2, 2))


@pytest.mark.parametrize("channels", [4, 32])
def test_layer_norm_2d_does_not_depend_on_the_order_in_memory(channels: int):
    norm, x = LayerNorm2d(channels), torch.randn(2, channels, 5, 3)
    with torch.no_grad():
        norm.weight.normal_()
        norm.bias.normal_()
    torch.testing.assert_close(norm(x.contiguous(memory_format=torch.channels_last)), norm(x))


def test_mlp_activates_between_its_layers_but_not_after_the_last():
    mlp = Mlp(3, 5, 2)
    x = torch.randn(4, 3)
    first, last = mlp.layers
    torch.testing.assert_close(mlp(x), last(F.relu(first(x))))


def test_mlp_uses_the_activation_it_is_given():
    mlp = Mlp(3, 5, 2, activation="gelu")
    x = torch.randn(4, 3)
    first, last = mlp.layers
    torch.testing.assert_close(mlp(x), last(F.gelu(first(x))))


def test_heads_are_split_by_neighbouring_channels_and_merged_back():
    x = torch.arange(24.0).view(1, 2, 12)
    heads = split_heads(x, 3)
    assert heads.shape == (1, 3, 2, 4)
    assert heads[0, 1, 0].tolist() == [4, 5, 6, 7]
    assert torch.equal(merge_heads(heads), x)


def test_a_map_becomes_tokens_row_by_row_and_a_map_again():
    x = torch.randn(2, 3, 4, 5)
    tokens = flatten_map(x)
    assert tokens.shape == (2, 20, 3)
    assert torch.equal(tokens[:, 7], x[:, :, 1, 2])
    assert torch.equal(unflatten_map(tokens, 4, 5), x)
