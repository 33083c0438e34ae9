"""Image features of recently seen frames, under a byte budget, so that no pass encodes a frame twice."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from src_model.nn import ImageFeatures


def feature_bytes(features: ImageFeatures) -> int:
    """Memory that the features of one frame take."""
    return sum(x.numel() * x.element_size() for x in (features.embedding, *features.high_res))


class FeatureCache:
    """Keeps the most recently used features within a byte budget.

    Parameters
    ----------
    byte_budget
        Bytes at most; the frame in use is kept even if it alone is larger.
    """

    def __init__(self, byte_budget: int) -> None:
        self.byte_budget = byte_budget
        self.bytes_used = 0
        self.misses = 0
        self._features: OrderedDict[int, ImageFeatures] = OrderedDict()

    def __contains__(self, frame: int) -> bool:
        """Whether the features of a frame are held."""
        return frame in self._features

    def __len__(self) -> int:
        """Return the number of frames held."""
        return len(self._features)

    def get(self, frame: int, compute: Callable[[int], ImageFeatures]) -> ImageFeatures:
        """Return a frame's features, computing them only if they are not held."""
        if frame in self._features:
            self._features.move_to_end(frame)
            return self._features[frame]
        self.misses += 1
        features = compute(frame)
        self._features[frame] = features
        self.bytes_used += feature_bytes(features)
        while self.bytes_used > self.byte_budget and len(self._features) > 1:
            _, oldest = self._features.popitem(last=False)
            self.bytes_used -= feature_bytes(oldest)
        return features

    def clear(self) -> None:
        """Drop everything."""
        self._features.clear()
        self.bytes_used = 0
