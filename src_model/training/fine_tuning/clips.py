"""Clips of annotated frames, and the image features of those frames: computed once, kept in half precision."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from src_model.frames import Normalization, decide_normalization
from src_model.masks import Rle
from src_model.tracking.preprocessing import image_tensor, mask_tensor
from src_model.tracking.settings import PRESETS
from src_model.training.rollout import ClipFeatures

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from src_model.datasets import LabelledMovie
    from src_model.nn import Sam2Network
    from src_model.training.fine_tuning.material import AnnotatedPart

DEFAULT_BYTES = 1_500_000_000
"""Some 900 frames at 448 px: what most annotations have, within the memory of a laptop."""

_LONGEST_STRIDE = 2
"""Labelled frames from one frame of a clip to the next, at most."""


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


class FrameFeatureCache:
    """Encodes frames when they are first needed.

    Parameters
    ----------
    network
        Its image encoder, and what projects fine maps for the decoder, must stay as they are.
    size
        Side of the square network input in pixels.
    budget
        Bytes of features that are kept; what was not used for longest is dropped.
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


@dataclass(frozen=True, slots=True)
class AnnotatedClip:
    """What a step learns from.

    Attributes
    ----------
    movie, frames
        The movie and T numbers of its frames, in the order in which they are tracked.
    view
        How image and masks are turned.
    masks
        ``(K, T, S, S)`` bool of K objects, true inside; the first frame shows each of them.
    """

    movie: LabelledMovie
    frames: list[int]
    view: View
    masks: NDArray[np.bool_]


class AnnotatedClips:
    """Draws clips, movies with many masks more often.

    Parameters
    ----------
    parts
        What may be drawn; at least one has a mask.
    size
        Side of the square network input in pixels.
    frames, objects
        Most frames and most objects of a clip.
    """

    def __init__(self, parts: Sequence[AnnotatedPart], size: int, *, frames: int = 4, objects: int = 4) -> None:
        self._parts = [part for part in parts if part.masks]
        masks = np.array([part.masks for part in self._parts], float)
        self._shares = masks / masks.sum()
        self._size, self._most_frames, self._most_objects = size, frames, objects

    def draw(self, rng: np.random.Generator) -> AnnotatedClip:
        """Draw a clip; the state of the generator alone decides which."""
        part = self._parts[int(rng.choice(len(self._parts), p=self._shares))]
        frames = self._frames(part, rng)
        shown = part.shown[frames[0]]
        count = min(len(shown), self._most_objects)
        objects = rng.choice(shown, count, replace=False).tolist()
        views = VIEWS[part.movie.kind]
        view = views[int(rng.integers(len(views)))]
        masks = np.stack(
            [[self._mask(part.movie, frame, object_id, view) for frame in frames] for object_id in objects]
        )
        kept = masks[:, 0].any(axis=(1, 2))
        # A thin object may vanish at the size of the network input.
        return AnnotatedClip(part.movie, frames, view, masks[kept]) if kept.any() else self.draw(rng)

    def _frames(self, part: AnnotatedPart, rng: np.random.Generator) -> list[int]:
        """Draw neighbouring labelled frames, the first of which shows something; backwards half of the time."""
        labelled = part.frames
        first = int(rng.choice([index for index, frame in enumerate(labelled) if part.shown[frame]]))
        step = int(rng.integers(1, _LONGEST_STRIDE + 1)) * (1 if rng.random() < 0.5 else -1)
        if not 0 <= first + step < len(labelled):
            step = -step
        indices = [first + step * turn for turn in range(self._most_frames)]
        return [labelled[index] for index in indices if 0 <= index < len(labelled)]

    def _mask(self, movie: LabelledMovie, frame: int, object_id: int, view: View) -> NDArray[np.bool_]:
        mask = mask_tensor(Rle.encode(movie.mask(object_id, frame)), self._size, torch.device("cpu"))
        turned: NDArray[np.bool_] = np.ascontiguousarray((view.of(mask[0, 0]) > 0).numpy())
        return turned
