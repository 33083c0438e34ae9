"""Clips of annotated frames: a few frames of a movie, some of the objects that its first frame shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from src_model.masks import Rle
from src_model.tracking.preprocessing import mask_tensor
from src_model.training.fine_tuning.features import VIEWS, View

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from src_model.datasets import LabelledMovie
    from src_model.training.fine_tuning.material import Part

_LONGEST_STRIDE = 2


@dataclass(frozen=True, slots=True)
class AnnotatedClip:
    """What a step learns from.

    Attributes
    ----------
    movie, frames
        The movie and its frames, in the order in which they are tracked.
    view
        How they are turned.
    masks
        ``(K, T, S, S)`` bool, of K objects.
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
        What may be drawn.
    size
        Side of the network input.
    frames, objects
        Of a clip, at most.
    """

    def __init__(self, parts: Sequence[Part], size: int, *, frames: int = 4, objects: int = 4) -> None:
        self._parts = [part for part in parts if part.masks]
        masks = np.array([part.masks for part in self._parts], float)
        self._shares = masks / masks.sum()
        self._size, self._most_frames, self._most_objects = size, frames, objects

    def draw(self, rng: np.random.Generator) -> AnnotatedClip:
        """Draw a clip."""
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

    def _frames(self, part: Part, rng: np.random.Generator) -> list[int]:
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
