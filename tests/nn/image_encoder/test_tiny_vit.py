"""TinyViT trunk and the SAM neck."""

from __future__ import annotations

import pytest
import torch

from src_model.nn.image_encoder.necks import SamNeck
from src_model.nn.image_encoder.tiny_vit import TinyViTConfig, WindowAttention, attention_offsets

SMALL = TinyViTConfig(widths=(8, 16, 32, 64), depths=(1, 1, 1, 1), heads=(1, 2, 2, 2), windows=(7, 7, 14, 7))


@pytest.mark.parametrize(("height", "width"), [(64, 64), (48, 112), (224, 16)])
def test_outputs_have_strides_4_8_16(height: int, width: int) -> None:
    trunk = SMALL.build_trunk()
    outputs = trunk(torch.randn(2, 3, height, width))
    assert trunk.channels == (8, 16, 64)
    assert [tuple(o.shape) for o in outputs] == [
        (2, channels, height // stride, width // stride)
        for channels, stride in zip(trunk.channels, (4, 8, 16), strict=True)
    ]


def test_default_config_is_tiny_vit_5m() -> None:
    trunk = TinyViTConfig().build_trunk()
    assert trunk.channels == (64, 128, 320)
    # 5.73 M with biases expanded for every pair; a bias for each offset is smaller.
    compact = sum(p.numel() for p in trunk.parameters())
    assert 5_000_000 < compact < 5_200_000


def test_bias_index_is_the_absolute_offset() -> None:
    index = attention_offsets(3)
    assert index.shape == (9, 9)
    assert index[0].tolist() == list(range(9))
    # token 8 is (2, 2), token 1 is (0, 1): 2 rows and 1 column apart
    assert index[8, 1] == 2 * 3 + 1
    assert torch.equal(index, index.T)


def test_window_attention_does_not_look_outside_its_window() -> None:
    attention = WindowAttention(width=32, heads=1, window=7)
    x = torch.randn(1, 14, 14, 32)
    changed = x.clone()
    changed[:, 7:, 7:] += 1.0
    before, after = attention(x), attention(changed)
    assert torch.equal(before[:, :7], after[:, :7])
    assert not torch.allclose(before[:, 7:, 7:], after[:, 7:, 7:])


def test_padded_tokens_take_part_in_attention() -> None:
    attention = WindowAttention(width=32, heads=1, window=7)
    torch.nn.init.normal_(attention.norm.bias)
    x = torch.randn(1, 5, 5, 32)
    padded = torch.zeros(1, 7, 7, 32)
    padded[:, :5, :5] = x
    torch.testing.assert_close(attention(x), attention(padded)[:, :5, :5])


def test_bias_changes_only_pairs_of_its_offset() -> None:
    attention = WindowAttention(width=32, heads=1, window=2)
    x = torch.randn(1, 2, 2, 32)
    with torch.no_grad():
        attention.attention_biases[0, 0] = 50.0
        tokens = x.reshape(1, 4, 32)
        value = attention.qkv(attention.norm(tokens))[..., 64:]
        # offset (0, 0) alone is favoured: each token sees itself only
        torch.testing.assert_close(attention(x).reshape(1, 4, 32), attention.proj(value))


def test_trunk_can_be_trained() -> None:
    trunk = SMALL.build_trunk()
    sum(o.square().mean() for o in trunk(torch.randn(1, 3, 64, 64))).backward()
    assert all(p.grad is not None for name, p in trunk.named_parameters())


def test_neck_projects_only_the_coarsest_map() -> None:
    neck = SamNeck(64, 256)
    fine, middle, coarse = torch.randn(1, 8, 16, 16), torch.randn(1, 16, 8, 8), torch.randn(1, 64, 4, 4)
    out = neck([fine, middle, coarse])
    assert out[0] is fine
    assert out[1] is middle
    assert out[2].shape == (1, 256, 4, 4)
    assert {name for name, _ in neck.named_parameters()} == {
        "conv1.weight", "norm1.weight", "norm1.bias", "conv2.weight", "norm2.weight", "norm2.bias",
    }  # fmt: skip
