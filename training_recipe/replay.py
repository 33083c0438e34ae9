"""Batches of clips whose image features are known: while the image encoder is frozen, each is rolled out many times."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from src_model.training.rollout import ClipFeatures

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

POOL_BYTES = 3_000_000_000
"""Some 600 clips of five frames at 224 px."""


@dataclass(frozen=True, slots=True)
class EncodedBatch:
    """Clips of the same length and size, encoded.

    Attributes
    ----------
    features
        Of the C clips, in half precision.
    masks
        ``(B, T, S, S)`` bool of B objects, equally many of each clip.
    """

    features: ClipFeatures
    masks: NDArray[np.bool_]

    @property
    def bytes(self) -> int:
        """Bytes that it takes."""
        maps = (self.features.embedding, *self.features.high_res)
        return self.masks.nbytes + sum(x.numel() * x.element_size() for x in maps)


class ReplayPool:
    """The batches that were encoded last.

    Parameters
    ----------
    budget
        Bytes that are kept; the oldest batches go first, the newest one stays in any case.
    """

    def __init__(self, budget: int = POOL_BYTES) -> None:
        self._budget, self._bytes = budget, 0
        self._batches: deque[EncodedBatch] = deque()

    def __len__(self) -> int:
        return len(self._batches)

    def add(self, batch: EncodedBatch) -> None:
        """Keep a batch."""
        self._batches.append(batch)
        self._bytes += batch.bytes
        while self._bytes > self._budget and len(self._batches) > 1:
            self._bytes -= self._batches.popleft().bytes

    def draw(self, rng: np.random.Generator) -> EncodedBatch:
        """Choose any batch that is kept; the pool must not be empty."""
        return self._batches[int(rng.integers(len(self._batches)))]


def as_half(features: ClipFeatures) -> ClipFeatures:
    """Features in half precision, to be kept."""
    stride4, stride8 = features.high_res
    return ClipFeatures(features.embedding.half(), (stride4.half(), stride8.half()))


def as_float(features: ClipFeatures) -> ClipFeatures:
    """Features in single precision, to be computed with."""
    stride4, stride8 = features.high_res
    return ClipFeatures(features.embedding.float(), (stride4.float(), stride8.float()))
