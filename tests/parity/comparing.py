"""Pairs of networks on the same parameters, inputs for them, and what counts as the same answer."""

from __future__ import annotations

from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
import torch.nn.functional as F

from src_model.nn import MODEL_CONFIGS, ImageFeatures, Sam2Network, build_network

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor, nn

SIZE, SIDE = 256, 16
"""Pixels and tokens of the networks whose prompts and memories are compared."""

TOLERANCE = 1e-3
"""Largest difference of mask logits allowed, after any number of frames."""

ROUNDING = 1e-4
"""Largest difference of a single module's results, also relative to their size, lest small numbers pass."""

SAME_PIXELS = 0.999
"""Share of the pixels that must be inside, or outside, both masks."""


def our_network(name: str, official: nn.Module) -> Sam2Network:
    """Build our network ``name`` around the parameters of an official one: a change to one is seen by both."""
    with torch.device("meta"):
        network = build_network(MODEL_CONFIGS[name])
    network.load_state_dict(official.state_dict(), strict=True, assign=True)
    return network


def make_lifelike(official: nn.Module) -> None:
    """Change random weights so that objects are present, and masks depend on memory as much as on the image.

    With random weights as they are, scores lie near zero, where objects come and go by rounding, and a memory that is
    left out or not rounded changes logits by less than `TOLERANCE`.
    """
    with torch.no_grad():
        presence_bias(official).add_(5.0)
        for layer in official.memory_attention.layers:
            layer.cross_attn_image.out_proj.weight.mul_(6.0)
            layer.cross_attn_image.q_proj.weight.mul_(3.0)
            layer.cross_attn_image.k_proj.weight.mul_(3.0)


class Pair(NamedTuple):
    """The official predictor, which is its network too, and our network, on the same parameters."""

    theirs: Any
    ours: Sam2Network


@lru_cache(maxsize=2)
def pair(name: str) -> Pair:
    """Build the official video predictor with random weights, and our network on the same."""
    from tests.parity import reference

    with torch.inference_mode(False):
        theirs = reference.official_video_predictor(name, image_size=SIZE)
        make_lifelike(theirs)
        theirs.memory_attention.register_forward_pre_hook(_in_float32, with_kwargs=True)
        return Pair(theirs, our_network(name, theirs))


def _in_float32(_: nn.Module, args: tuple[Any, ...], inputs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Spare the official code a failure: without autocast, it cannot read its bfloat16 memories without pointers."""
    return args, inputs | {"memory": inputs["memory"].float()}


@contextmanager
def shifted(parameter: Tensor, *, scale: float = 1.0, offset: float = 0.0) -> Iterator[None]:
    """Change a parameter of both networks for a while."""
    original = parameter.detach().clone()
    parameter.data.mul_(scale).add_(offset)
    try:
        yield
    finally:
        parameter.data.copy_(original)


def presence_bias(official: Any) -> Tensor:
    """Return the parameter that decides whether objects are there."""
    bias: Tensor = official.sam_mask_decoder.pred_obj_score_head.layers[-1].bias
    return bias


def smooth_images(batch: int, size: int) -> Tensor:
    """Draw normalised images ``(B, 3, size, size)`` with structure at every scale."""
    scales = [torch.randn(batch, 3, size // k, size // k) for k in (1, 8, 64) if size >= k]
    return sum(F.interpolate(x, (size, size), mode="bicubic") for x in scales) / len(scales) ** 0.5


def some_features(batch: int, side: int = SIDE) -> ImageFeatures:
    """Draw features as an image encoder could give them."""
    fine = (0.3 * torch.randn(batch, 32, 4 * side, 4 * side), 0.3 * torch.randn(batch, 64, 2 * side, 2 * side))
    return ImageFeatures(torch.randn(batch, 256, side, side), fine)


def to_sequence(image: Tensor) -> Tensor:
    """Turn ``(B, C, H, W)`` into ``(H * W, B, C)``, as the official code passes maps around."""
    return image.flatten(2).permute(2, 0, 1)


def assert_same(ours: Tensor, theirs: Tensor) -> None:
    """Compare features, pointers, memories or scores."""
    assert ours.shape == theirs.shape
    assert ours.dtype == theirs.dtype
    assert theirs.isfinite().all()
    assert theirs.min() < theirs.max(), "the reference is constant: nothing is compared"
    difference, size = (ours - theirs).abs().max().item(), theirs.square().mean().sqrt().item()
    assert difference <= ROUNDING * min(1.0, size), f"differ by {difference:.2e} (root mean square {size:.2e})"


def assert_same_masks(ours: Tensor, theirs: Tensor) -> None:
    """Compare mask logits ``(B, M, H, W)`` and the masks they stand for; each reference mask must be a real one."""
    assert_same(ours, theirs)
    covered = (theirs > 0).float().flatten(2).mean(dim=2)
    assert covered.gt(0.01).all(), f"an empty reference mask proves little: {covered.tolist()}"
    assert covered.lt(0.99).all(), f"a full reference mask proves little: {covered.tolist()}"
    agreement = ((ours > 0) == (theirs > 0)).float().flatten(2).mean(dim=2)
    assert agreement.gt(SAME_PIXELS).all(), f"masks agree on {agreement.min():.4%} of the pixels"
