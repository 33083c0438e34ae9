"""The Hiera trunk."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from src_model.nn.image_encoder import HieraConfig
from src_model.nn.image_encoder.hiera import _Attention, _Block, _partition, _pool, _unpartition
from src_model.nn.image_encoder.image_encoder import ImageTrunk

SMALL = HieraConfig(8, 1, (1, 2, 3, 1), (4,))


@pytest.fixture
def trunk() -> torch.nn.Module:
    trunk = SMALL.build_trunk()
    torch.nn.init.normal_(trunk.pos_embed)
    torch.nn.init.normal_(trunk.pos_embed_window)
    return trunk


def test_it_is_an_image_trunk(trunk):
    assert isinstance(trunk, ImageTrunk)
    assert trunk.channels == (8, 16, 32, 64)


@pytest.mark.parametrize("side", [32, 64, 224, 256])
def test_maps_have_strides_4_to_32_and_doubling_channels(trunk, side: int):
    maps = trunk(torch.randn(1, 3, side, side))
    assert [tuple(x.shape[1:]) for x in maps] == [(8 * 2**i, side // 4 // 2**i, side // 4 // 2**i) for i in range(4)]


def test_images_need_not_be_square(trunk):
    maps = trunk(torch.randn(1, 3, 64, 96))
    assert [tuple(x.shape[2:]) for x in maps] == [(16, 24), (8, 12), (4, 6), (2, 3)]


def test_the_block_that_opens_a_stage_has_the_window_of_the_stage_before(trunk):
    assert [block.window for block in trunk.blocks] == [8, 8, 4, 4, 0, 14, 14]
    assert [block.starts_stage for block in trunk.blocks] == [False, True, False, True, False, False, True]


def test_heads_double_with_the_channels(trunk):
    assert [block.attn.num_heads for block in trunk.blocks] == [1, 2, 2, 4, 4, 4, 8]


def test_positions_are_a_stretched_map_plus_tiled_windows(trunk):
    positions = trunk._positions(16, 24)
    coarse = F.interpolate(trunk.pos_embed, size=(16, 24), mode="bicubic").permute(0, 2, 3, 1)
    tiles = (positions - coarse)[0]
    torch.testing.assert_close(tiles[:8, :8], trunk.pos_embed_window[0].permute(1, 2, 0))
    torch.testing.assert_close(tiles[8:, 16:], tiles[:8, :8])


def test_images_of_a_batch_are_independent(trunk):
    images = torch.randn(2, 3, 64, 64)
    together = trunk(images)
    for row in range(2):
        for alone, both in zip(trunk(images[row : row + 1]), together, strict=True):
            torch.testing.assert_close(alone[0], both[row], atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("size", [(8, 8), (8, 12), (5, 9), (3, 2)])
def test_windows_are_cut_and_put_together_again(size: tuple[int, int]):
    x = torch.randn(2, *size, 3)
    windows, padded = _partition(x, 4)
    assert windows.shape == (2 * padded[0] * padded[1] // 16, 4, 4, 3)
    assert torch.equal(windows[0, : size[0], : size[1]], x[0, :4, :4])
    assert torch.equal(_unpartition(windows, padded, size), x)


def test_padding_is_zero_and_at_the_far_ends():
    windows, padded = _partition(torch.ones(1, 3, 5, 1), 4)
    assert padded == (4, 8)
    assert windows.sum() == 15
    assert windows[0, 3].sum() == 0
    assert windows[1, :, 1:].sum() == 0


def test_a_window_does_not_see_its_neighbours():
    block = _Block(8, 8, 1, window=4)
    x = torch.randn(1, 8, 8, 8)
    changed = x.clone()
    changed[:, 4:, 4:] += torch.randn(8)
    assert torch.equal(block(x)[:, :4, :4], block(changed)[:, :4, :4])
    assert not torch.allclose(block(x)[:, 4:, 4:], block(changed)[:, 4:, 4:])


def test_padding_takes_part_in_attention():
    """Zeros beyond the border are attended to, as the published weights expect."""
    attention = _Attention(8, 8, 1, pool_queries=False)
    block = _Block(8, 8, 1, window=4)
    block.attn = attention
    normed = torch.randn(1, 3, 3, 8)
    padded = F.pad(normed, (0, 0, 0, 1, 0, 1))
    torch.testing.assert_close(block._attend(normed), attention(padded)[:, :3, :3])


def test_a_global_block_sees_everything():
    block = _Block(8, 8, 1, window=0)
    x = torch.randn(1, 8, 8, 8)
    changed = x.clone()
    changed[:, 7, 7] += torch.randn(8)
    assert not torch.equal(block(x)[0, 0, 0], block(changed)[0, 0, 0])


def test_a_new_stage_shortcuts_the_normalised_projected_and_pooled_input():
    block = _Block(8, 16, 2, window=4)
    torch.nn.init.zeros_(block.attn.proj.weight)
    torch.nn.init.zeros_(block.attn.proj.bias)
    torch.nn.init.zeros_(block.mlp.layers[1].weight)
    torch.nn.init.zeros_(block.mlp.layers[1].bias)
    x = torch.randn(1, 8, 8, 8)
    torch.testing.assert_close(block(x), _pool(block.proj(block.norm1(x))))


def test_pooling_takes_the_maximum_of_two_by_two():
    x = torch.arange(16.0).view(1, 4, 4, 1)
    assert _pool(x).flatten().tolist() == [5, 7, 13, 15]


def test_every_parameter_is_trained(trunk):
    sum(x.square().mean() for x in trunk(torch.randn(1, 3, 64, 64))).backward()
    assert [name for name, p in trunk.named_parameters() if p.grad is None or not p.grad.any()] == []
