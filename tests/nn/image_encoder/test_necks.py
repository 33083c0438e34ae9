"""The feature pyramid behind Hiera."""

from __future__ import annotations

import pytest
import torch

from src_model.nn.image_encoder.necks import FpnNeck

CHANNELS = (2, 4, 8, 16)


@pytest.fixture
def neck() -> FpnNeck:
    return FpnNeck(CHANNELS, 6)


@pytest.fixture
def maps() -> list[torch.Tensor]:
    return [torch.randn(1, count, 16 // 2**i, 16 // 2**i) for i, count in enumerate(CHANNELS)]


def test_three_maps_of_one_width_come_out_from_fine_to_coarse(neck, maps):
    assert [tuple(x.shape) for x in neck(maps)] == [(1, 6, 16, 16), (1, 6, 8, 8), (1, 6, 4, 4)]


def test_projections_are_numbered_from_coarse_to_fine(neck):
    assert [conv.conv.in_channels for conv in neck.convs] == [16, 8, 4, 2]
    assert {name.rsplit(".", 1)[0] for name, _ in neck.named_parameters()} == {f"convs.{i}.conv" for i in range(4)}


def test_only_stride_16_receives_the_coarsest_map(neck, maps):
    base = neck(maps)
    changed = neck([*maps[:3], maps[3] + 1])
    assert torch.equal(changed[0], base[0])
    assert torch.equal(changed[1], base[1])
    assert not torch.allclose(changed[2], base[2])


def test_the_coarsest_map_is_repeated_not_blended(neck, maps):
    stride16 = neck(maps)[2]
    added = stride16 - neck.convs[1](maps[2])
    torch.testing.assert_close(added, neck.convs[0](maps[3]).repeat_interleave(2, 2).repeat_interleave(2, 3))


def test_fine_maps_are_projected_and_nothing_else(neck, maps):
    stride4, stride8, _ = neck(maps)
    assert torch.equal(stride4, neck.convs[3](maps[0]))
    assert torch.equal(stride8, neck.convs[2](maps[1]))
