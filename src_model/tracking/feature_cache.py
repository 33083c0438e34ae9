"""Image features of recently seen frames, under a byte budget, so that no pass encodes a frame twice."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from src_model.nn import ImageFeatures
    from src_model.tracking.windows.window import Window

    FeatureKey = int | tuple[int, Window]

_Key = TypeVar("_Key", bound="FeatureKey")


def feature_bytes(features: ImageFeatures) -> int:
    """Memory that the features of one frame take."""
    return sum(x.numel() * x.element_size() for x in (features.embedding, *features.high_res))


class FeatureCache:
    """Keeps the most recently used features within a byte budget.

    Whole frames are held under their number, windows under the number of the frame and their place.

    Parameters
    ----------
    byte_budget
        Bytes at most; the features in use are kept even if they alone are larger.
    """

    def __init__(self, byte_budget: int) -> None:
        self.byte_budget = byte_budget
        self.bytes_used = 0
        self.misses = 0
        self._features: OrderedDict[FeatureKey, ImageFeatures] = OrderedDict()

    def __contains__(self, key: FeatureKey) -> bool:
        """Whether the features of a frame, or of a window in it, are held."""
        return key in self._features

    def __len__(self) -> int:
        """Return the number of frames and windows held."""
        return len(self._features)

    def get(self, key: _Key, compute: Callable[[_Key], ImageFeatures]) -> ImageFeatures:
        """Return features, computing them only if they are not held."""
        if key in self._features:
            self._features.move_to_end(key)
            return self._features[key]
        features = compute(key)
        self.put(key, features)
        return features

    def put(self, key: FeatureKey, features: ImageFeatures) -> None:
        """Hold features that were computed just now, and drop what was not used longest."""
        self.misses += 1
        self._features[key] = features
        self.bytes_used += feature_bytes(features)
        while self.bytes_used > self.byte_budget and len(self._features) > 1:
            _, oldest = self._features.popitem(last=False)
            self.bytes_used -= feature_bytes(oldest)

    def clear(self) -> None:
        """Drop everything."""
        self._features.clear()
        self.bytes_used = 0
