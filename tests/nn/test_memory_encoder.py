"""The memory encoder."""

from __future__ import annotations

import pytest
import torch

from src_model.nn.memory_encoder import ConvNeXtBlock, Fuser, MaskDownsampler, MemoryEncoder


def test_a_mask_shrinks_sixteenfold():
    assert MaskDownsampler(32)(torch.randn(2, 1, 64, 96)).shape == (2, 32, 4, 6)


def test_a_fresh_block_hardly_changes_its_input():
    x = torch.randn(1, 8, 6, 6)
    torch.testing.assert_close(ConvNeXtBlock(8)(x), x, atol=1e-4, rtol=0)


def test_a_block_adds_its_scaled_inner_part():
    block = ConvNeXtBlock(8)
    x = torch.randn(1, 8, 6, 6)
    torch.nn.init.constant_(block.gamma, 1.0)
    once = block(x) - x
    torch.nn.init.constant_(block.gamma, 2.0)
    torch.testing.assert_close(block(x) - x, 2 * once, atol=1e-5, rtol=1e-4)


def test_a_block_sees_three_pixels_around():
    block = ConvNeXtBlock(4)
    torch.nn.init.constant_(block.gamma, 1.0)
    x = torch.randn(1, 4, 9, 9)
    moved = x.clone()
    moved[..., 4, 4] += 1
    changed = (block(moved) != block(x)).any(dim=1)[0]
    assert changed[1:8, 1:8].all()
    assert changed.sum() == 49


def test_a_fuser_applies_its_blocks_in_order():
    fuser = Fuser(8, depth=2)
    for layer in fuser.layers:
        torch.nn.init.normal_(layer.gamma)
    x = torch.randn(1, 8, 5, 5)
    torch.testing.assert_close(fuser(x), fuser.layers[1](fuser.layers[0](x)))


@pytest.fixture
def encoder() -> MemoryEncoder:
    return MemoryEncoder(32, 16)


def test_a_memory_has_the_size_of_the_embedding_and_fewer_channels(encoder: MemoryEncoder):
    assert encoder(torch.randn(2, 32, 4, 6), torch.randn(2, 1, 64, 96)).shape == (2, 16, 4, 6)


def test_both_image_and_mask_are_remembered(encoder: MemoryEncoder):
    image, mask = torch.randn(1, 32, 4, 4), torch.zeros(1, 1, 64, 64)
    base = encoder(image, mask - 10)
    assert not torch.allclose(encoder(image, mask + 10), base, atol=1e-3)
    assert not torch.allclose(encoder(image + 1, mask - 10), base, atol=1e-3)
