"""The official implementation, built without weights, for comparison with ours.

Importing this module skips the importing test module where the official implementation is not installed. It needs no
torchvision: only the official image predictor and mask generator would import that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from unittest import mock

import pytest
import torch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor, nn

pytest.importorskip("sam2", reason="the official implementation is not installed (make parity)")

CONFIG_FILES = {
    f"{family}-{size}": f"configs/{family}/{family}_hiera_{letter}.yaml"
    for family in ("sam2", "sam2.1")
    for size, letter in (("tiny", "t"), ("small", "s"), ("base-plus", "b+"), ("large", "l"))
}
"""Our configuration names and the official files for them."""

MASK_GAIN = 30.0
"""Takes random mask logits of about 0.3 to about 10."""


def official_network(name: str, *, image_size: int, seed: int = 0, overrides: Sequence[str] = ()) -> nn.Module:
    """Build the official network (``SAM2Base``) with random weights, on the CPU, in evaluation mode.

    Parameters
    ----------
    name
        One of the keys of `CONFIG_FILES`.
    image_size
        Side of the square network input in pixels.
    seed
        Of the random weights; the same seed gives the same weights.
    overrides
        Further settings in hydra's notation, such as ``"++model.max_cond_frames_in_attn=4"``.
    """
    from sam2.build_sam import build_sam2

    return _build(build_sam2, name, image_size, seed, overrides)


def official_video_predictor(name: str, *, image_size: int, seed: int = 0, overrides: Sequence[str] = ()) -> nn.Module:
    """Build the official video predictor (``SAM2VideoPredictor``); the parameters are those of `official_network`.

    It has the settings of the official builder but for the filling of holes, which exists for CUDA alone and warns on
    every frame without it.
    """
    from sam2.build_sam import build_sam2_video_predictor

    predictor = _build(build_sam2_video_predictor, name, image_size, seed, overrides)
    predictor.fill_hole_area = 0
    return predictor


def official_state(predictor: Any, images: Tensor, video_size: tuple[int, int] | None = None) -> dict[str, Any]:
    """Start the official predictor on frames in memory, where it would read a folder of JPEG files.

    Parameters
    ----------
    predictor
        From `official_video_predictor`.
    images
        (T, 3, S, S) float32, normalised, S being the predictor's image size.
    video_size
        Height and width in pixels of the masks that come out; S x S if left out.
    """
    height, width = video_size or images.shape[-2:]
    loaded = (images.clone(), height, width)
    with mock.patch("sam2.sam2_video_predictor.load_video_frames", return_value=loaded):
        return predictor.init_state("frames in memory")


def shift_object_score(network: Any, by: float) -> None:
    """Make a network with random weights see objects everywhere (positive `by`) or nowhere (negative)."""
    network.sam_mask_decoder.pred_obj_score_head.layers[-1].bias.data.add_(by)


def _build(builder: Any, name: str, image_size: int, seed: int, overrides: Sequence[str]) -> Any:
    settings = [f"++model.image_size={image_size}", *overrides]
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(seed)
        network = builder(CONFIG_FILES[name], ckpt_path=None, device="cpu", hydra_overrides_extra=settings)
        _disturb_constants(network)
        _amplify_masks(network)
    return network.requires_grad_(False)


def _disturb_constants(network: nn.Module) -> None:
    """Add noise to parameters that start as all zeros or all ones, which could hide a missing or misplaced term."""
    for parameter in network.parameters():
        if parameter.min() == parameter.max():
            parameter.add_(torch.randn_like(parameter), alpha=0.1)


def _amplify_masks(network: Any) -> None:
    """Bring mask logits to the size they have in a trained network, so that absolute tolerances mean something."""
    for mlp in network.sam_mask_decoder.output_hypernetworks_mlps:
        mlp.layers[-1].weight.mul_(MASK_GAIN)
        mlp.layers[-1].bias.mul_(MASK_GAIN)
