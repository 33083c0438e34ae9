"""What an image trunk must offer to stand behind the neck of the image encoder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
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
