"""Image features of annotated frames: computed once, kept in half precision."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from src_model.frames import Normalization, decide_normalization
from src_model.tracking.preprocessing import image_tensor
from src_model.tracking.settings import PRESETS
from src_model.training.clip_features import ClipFeatures

if TYPE_CHECKING:
    from src_model.datasets import LabelledMovie
    from src_model.nn import Sam2Network

DEFAULT_BYTES = 1_500_000_000


@dataclass(frozen=True, slots=True)
class View:
    """How a square picture is turned: axes exchanged first, then mirrored."""

    transposed: bool = False
    upside_down: bool = False
    mirrored: bool = False

    def of(self, pixels: Tensor) -> Tensor:
        """Turn ``(..., S, S)``."""
        if self.transposed:
            pixels = pixels.transpose(-1, -2)
        axes = [axis for axis, turned in ((-2, self.upside_down), (-1, self.mirrored)) if turned]
        return pixels.flip(axes) if axes else pixels


VIEWS = {
    "microscopy": (View(), View(mirrored=True), View(upside_down=True), View(transposed=True)),
    "natural": (View(), View(mirrored=True)),
}
"""Ways up that are as likely as the one that was recorded, by kind of movie."""


class FeatureStore:
    """Encodes frames when they are first needed.

    Parameters
    ----------
    network
        Its image encoder, and what projects fine maps for the decoder, must stay as they are.
    size
        Side of the network input.
    budget
        Bytes that are kept; what was not used for longest is dropped.
    """

    def __init__(self, network: Sam2Network, size: int, budget: int = DEFAULT_BYTES) -> None:
        self._network, self._size, self._budget = network, size, budget
        self._kept: OrderedDict[tuple[LabelledMovie, int, View], tuple[Tensor, ...]] = OrderedDict()
        self._normalizations: dict[LabelledMovie, Normalization] = {}
        self._bytes = 0
        self.encoded = 0

    def clip(self, movie: LabelledMovie, frames: list[int], view: View) -> ClipFeatures:
        """Features of some frames as a clip."""
        maps = [self._features(movie, frame, view) for frame in frames]
        embedding, stride4, stride8 = (torch.stack(each, dim=1).float() for each in zip(*maps, strict=True))
        return ClipFeatures(embedding, (stride4, stride8))

    def _features(self, movie: LabelledMovie, frame: int, view: View) -> tuple[Tensor, ...]:
        key = (movie, frame, view)
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key]
        maps = self._encode(movie, frame, view)
        self._kept[key] = maps
        self._bytes += _size(maps)
        while self._bytes > self._budget and len(self._kept) > 1:
            self._bytes -= _size(self._kept.popitem(last=False)[1])
        return maps

    @torch.no_grad()
    def _encode(self, movie: LabelledMovie, frame: int, view: View) -> tuple[Tensor, ...]:
        if movie not in self._normalizations:
            self._normalizations[movie] = decide_normalization(movie.movie)
        image = image_tensor(
            movie.movie.read(frame), self._normalizations[movie], PRESETS["default"], self._network.config, self._size
        )
        device = self._network.no_mem_embed.device
        encoded = self._network.encode_image(view.of(image).to(device))
        self.encoded += 1
        return tuple(x.half() for x in (encoded.embedding, *encoded.high_res))


def _size(maps: tuple[Tensor, ...]) -> int:
    return sum(x.numel() * x.element_size() for x in maps)
