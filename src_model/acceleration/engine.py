"""The seam between tracking and whatever computes the heavy parts of the network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from torch import Tensor

    from src_model.nn import ImageFeatures, MemoryTokens


class Engine(Protocol):
    """Computes the image encoder and the memory attention in a network's place.

    Attributes
    ----------
    name
        Of the backend. Features of one are not those of another, to the last bits.
    """

    @property
    def name(self) -> str:
        """``"openvino"``, say."""
        ...

    def encode_image(self, images: Tensor) -> ImageFeatures:
        """Encode ``(B, 3, S, S)``, as :meth:`Sam2Network.encode_image <src_model.nn.Sam2Network.encode_image>`."""
        ...

    def attend_memory(self, embedding: Tensor, memory: MemoryTokens) -> Tensor:
        """Condition ``(B or 1, 256, h, w)`` on memory, as ``Sam2Network.attend_memory``; ``(B, 256, h, w)``."""
        ...
