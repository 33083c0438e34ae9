"""Features of the frames of some clips, encoded now or long ago."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from src_model.nn import ImageFeatures

if TYPE_CHECKING:
    from torch import Tensor

    from src_model.nn import Sam2Network


@dataclass(frozen=True, slots=True)
class ClipFeatures:
    """What the image encoder gives for C clips of T frames.

    Attributes
    ----------
    embedding
        ``(C, T, 256, h, w)``.
    high_res
        Maps of stride 4 ``(C, T, 32, 4 h, 4 w)`` and 8 ``(C, T, 64, 2 h, 2 w)``.
    """

    embedding: Tensor
    high_res: tuple[Tensor, Tensor]

    def of_frame(self, frame: int, objects: int) -> ImageFeatures:
        """Features of one frame, those of a clip repeated for each of its objects: batch ``C * objects``."""
        stride4, stride8 = (x[:, frame].repeat_interleave(objects, dim=0) for x in self.high_res)
        return ImageFeatures(self.embedding[:, frame].repeat_interleave(objects, dim=0), (stride4, stride8))


def encode_clips(network: Sam2Network, images: Tensor) -> ClipFeatures:
    """Encode ``(C, T, 3, S, S)`` normalised images."""
    clips = images.shape[:2]
    encoded = network.encode_image(images.flatten(0, 1))
    maps = (encoded.embedding, *encoded.high_res)
    embedding, stride4, stride8 = (x.view(*clips, *x.shape[1:]) for x in maps)
    return ClipFeatures(embedding, (stride4, stride8))
