"""An image trunk and its neck."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor, nn

if TYPE_CHECKING:
    from src_model.nn.image_encoder.trunk import TrunkConfig


class ImageEncoder(nn.Module):
    """Trunk and neck: images to maps of stride 4, 8 and 16.

    Parameters
    ----------
    config
        The trunk's hyperparameters; they decide which trunk and neck are built.
    width
        Channels of the stride-16 embedding.
    """

    def __init__(self, config: TrunkConfig, width: int) -> None:
        super().__init__()
        self.trunk = config.build_trunk()
        self.neck = config.build_neck(width)

    def forward(self, images: Tensor) -> list[Tensor]:
        """Encode ``(B, 3, S, S)`` normalised images as three maps, from fine to coarse."""
        maps: list[Tensor] = self.neck(self.trunk(images))
        return maps
