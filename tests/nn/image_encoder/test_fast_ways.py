"""Both trunks with their necks: faster ways of computing give the same maps."""

from __future__ import annotations

import copy
from dataclasses import fields, replace

import pytest
import torch

from src_model.nn.compute import PLAIN_COMPUTE, ComputeOptions, compute_with, tiling
from src_model.nn.image_encoder import HieraConfig, ImageEncoder, TinyViTConfig

TRUNKS = {
    "hiera": HieraConfig(8, 1, (1, 2, 3, 2), (4,)),
    "tiny vit": TinyViTConfig(widths=(8, 16, 32, 32), depths=(1, 1, 2, 1), heads=(1, 1, 1, 1)),
}
OPTIONS = [option.name for option in fields(ComputeOptions)]
EDGES = 160
"""Windows of 14 and of 7 reach over the edges of its maps."""


@pytest.fixture(params=TRUNKS)
def encoder(request: pytest.FixtureRequest) -> ImageEncoder:
    torch.manual_seed(0)
    made = ImageEncoder(TRUNKS[request.param], 32).eval()
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    return made


@pytest.fixture
def small_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tiling, "_TILE_BYTES", 2**15)


def plainly(encoder: ImageEncoder, images: torch.Tensor) -> list[torch.Tensor]:
    with compute_with(PLAIN_COMPUTE):
        return encoder(images)


def assert_same(maps: list[torch.Tensor], expected: list[torch.Tensor]) -> None:
    assert [x.dtype for x in maps] == [torch.float32] * 3
    for ours, theirs in zip(maps, expected, strict=True):
        torch.testing.assert_close(ours, theirs, atol=2e-5, rtol=1e-4)


@pytest.mark.parametrize("option", [*OPTIONS, "all"])
@torch.no_grad()
def test_no_option_changes_the_maps(encoder: ImageEncoder, option: str, small_tiles: None):
    images = torch.randn(2, 3, EDGES, EDGES)
    expected = plainly(encoder, images)
    with compute_with(ComputeOptions() if option == "all" else replace(PLAIN_COMPUTE, **{option: True})):
        assert_same(encoder(images), expected)


@pytest.mark.parametrize("size", [448, 512, 672, 896, 1024])
@torch.no_grad()
def test_every_size_on_offer_is_encoded(encoder: ImageEncoder, size: int):
    images = torch.randn(1, 3, size, size)
    maps = encoder(images)
    assert [x.shape[-1] for x in maps] == [size // 4, size // 8, size // 16]
    assert_same(maps, plainly(encoder, images))


@torch.no_grad()
def test_autocast_is_near(encoder: ImageEncoder, small_tiles: None):
    images = torch.randn(1, 3, EDGES, EDGES)
    with torch.autocast("cpu", torch.bfloat16):
        maps = encoder(images)
    for ours, theirs in zip(maps, plainly(encoder, images), strict=True):
        assert (ours - theirs).square().mean() < 1e-3 * theirs.square().mean()


@pytest.mark.parametrize("fast", [False, True])
@torch.no_grad()
def test_new_weights_are_used_at_once(encoder: ImageEncoder, fast: bool):
    """Also where something was derived from the old ones: packed weights, positions, biases of edges.

    Each image has a context of its own, as in a session: within one, autocast itself keeps what it has cast.
    """
    images = torch.randn(1, 3, EDGES, EDGES)

    def encoded(by: ImageEncoder) -> list[torch.Tensor]:
        with torch.autocast("cpu", torch.bfloat16, enabled=fast):
            return by(images)

    encoded(encoder)
    for parameter in encoder.parameters():
        parameter.mul_(1.5)
    for ours, theirs in zip(encoded(encoder), encoded(copy.deepcopy(encoder)), strict=True):
        assert torch.equal(ours, theirs)


@torch.no_grad()
def test_copies_and_states_hold_weights_alone(encoder: ImageEncoder):
    images = torch.randn(1, 3, EDGES, EDGES)
    names = list(encoder.state_dict())
    with torch.autocast("cpu", torch.bfloat16):
        expected = encoder(images)
        again = copy.deepcopy(encoder)
        for ours, theirs in zip(again(images), expected, strict=True):
            assert torch.equal(ours, theirs)
    assert list(encoder.state_dict()) == list(again.state_dict()) == names


def test_training_is_that_of_the_plain_network(encoder: ImageEncoder):
    images = torch.randn(2, 3, EDGES, EDGES)
    gradients = []
    for options in (PLAIN_COMPUTE, ComputeOptions()):
        encoder.zero_grad()
        with compute_with(options):
            sum(x.square().mean() for x in encoder(images)).backward()
        gradients.append([parameter.grad.clone() for parameter in encoder.parameters()])
    torch.testing.assert_close(*gradients, atol=1e-5, rtol=1e-3)
