"""An image trunk and its neck, and what a trunk must offer to be one."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from torch import Tensor, nn


@runtime_checkable
class ImageTrunk(Protocol):
    """A backbone that turns images into feature maps of several strides."""

    channels: tuple[int, ...]
    """Channels of the maps that ``forward`` returns, from fine to coarse."""

    def forward(self, images: Tensor) -> list[Tensor]:
        """Encode ``(B, 3, S, S)`` images as maps from fine (stride 4) to coarse."""
        ...


class TrunkConfig(Protocol):
    """Hyperparameters of a trunk, which can build it with random weights."""

    def build_trunk(self) -> nn.Module:
        """Return the trunk: a module that fulfils :class:`ImageTrunk`."""
        ...

    def build_neck(self, width: int) -> nn.Module:
        """Return the neck that turns the trunk's maps into strides 4, 8 and 16, the last with ``width`` channels."""
        ...

    @property
    def high_res_channels(self) -> tuple[int, int]:
        """Channels of the neck's maps of stride 4 and 8."""
        ...

    @property
    def size_multiple(self) -> int:
        """The side of an input image must be a multiple of this."""
        ...


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
