"""A network and clips small enough to train within a test."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch

from src_model.nn import ModelConfig, Sam2Network, build_network
from src_model.nn.image_encoder.tiny_vit import TinyViTConfig

if TYPE_CHECKING:
    from numpy.typing import NDArray

SIZE = 64


def tiny_network(seed: int = 0) -> Sam2Network:
    torch.manual_seed(seed)
    trunk = TinyViTConfig(widths=(16, 32, 32, 64), depths=(1, 1, 1, 1), heads=(1, 1, 1, 2), windows=(7, 7, 14, 7))
    return build_network(
        ModelConfig("tiny", trunk, image_size=SIZE, memory_layers=1, memory_hidden=64, iou_sigmoid=False)
    )


class DiscClip(NamedTuple):
    """Images (T, S, S, 3) and the masks (T, S, S) of one object."""

    images: NDArray[np.uint8]
    masks: NDArray[np.bool_]


def disc_clip(frames: int, *, absent: int | None = None, seed: int = 0, size: int = SIZE) -> DiscClip:
    """A bright disc that moves four pixels a frame to the right; in frame ``absent`` it is missing."""
    rng = np.random.default_rng(seed)
    y0, x0 = (30, 16) if seed == 0 else rng.integers(12, size - 24, 2)
    y, x = np.mgrid[:size, :size]
    masks = np.stack([(y - y0) ** 2 + (x - x0 - 4 * t) ** 2 < 100 for t in range(frames)])
    if absent is not None:
        masks[absent] = False
    noise = rng.integers(0, 40, (frames, size, size, 3))
    return DiscClip((noise + 180 * masks[..., None]).astype(np.uint8), masks)
