"""The two-way transformer of the mask decoder."""

from __future__ import annotations

import pytest
import torch

from src_model.nn.two_way_transformer import TwoWayTransformer


@pytest.fixture
def transformer() -> TwoWayTransformer:
    return TwoWayTransformer(depth=2, width=32, num_heads=4, mlp_width=64)


def test_tokens_and_image_tokens_keep_their_shapes(transformer: TwoWayTransformer):
    tokens, pixels = transformer(torch.randn(2, 32, 3, 5), torch.randn(1, 32, 3, 5), torch.randn(2, 7, 32))
    assert tokens.shape == (2, 7, 32)
    assert pixels.shape == (2, 15, 32)


def test_only_the_first_block_drops_its_shortcut(transformer: TwoWayTransformer):
    assert [layer.is_first for layer in transformer.layers] == [True, False]


def test_image_tokens_stay_in_row_order(transformer: TwoWayTransformer):
    """With silenced attention an image token is only normalised, so its place can be seen."""
    for layer in transformer.layers:
        torch.nn.init.zeros_(layer.cross_attn_image_to_token.out_proj.weight)
        torch.nn.init.zeros_(layer.cross_attn_image_to_token.out_proj.bias)
    image = torch.randn(1, 32, 3, 5)
    _, pixels = transformer(image, torch.zeros(1, 32, 3, 5), torch.randn(1, 4, 32))
    expected = torch.nn.functional.layer_norm(image[0, :, 1, 2], (32,))
    torch.testing.assert_close(pixels[0, 7], expected, atol=1e-4, rtol=1e-4)


def test_the_order_of_prompt_tokens_does_not_matter(transformer: TwoWayTransformer):
    image, places, tokens = torch.randn(1, 32, 3, 5), torch.randn(1, 32, 3, 5), torch.randn(1, 7, 32)
    order = torch.tensor([0, 1, 2, 6, 5, 4, 3])
    plain, pixels = transformer(image, places, tokens)
    shuffled, same_pixels = transformer(image, places, tokens[:, order])
    torch.testing.assert_close(shuffled, plain[:, order])
    torch.testing.assert_close(same_pixels, pixels)


def test_positions_count(transformer: TwoWayTransformer):
    image, tokens = torch.randn(1, 32, 3, 5), torch.randn(1, 7, 32)
    here, _ = transformer(image, torch.randn(1, 32, 3, 5), tokens)
    there, _ = transformer(image, torch.randn(1, 32, 3, 5), tokens)
    assert not torch.allclose(here, there, atol=1e-3)
