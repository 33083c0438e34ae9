"""Image features of the frames around the one that is worked on, under a byte budget: no pass encodes a frame twice."""

from __future__ import annotations

from collections import Counter, OrderedDict
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from src_model.masks.window import Window
    from src_model.nn import ImageFeatures

    FeatureKey = int | tuple[int, Window]

_Key = TypeVar("_Key", bound="FeatureKey")


def feature_bytes(features: ImageFeatures) -> int:
    """Memory that the features of one frame take."""
    return sum(x.numel() * x.element_size() for x in (features.embedding, *features.high_res))


class FeatureCache:
    """Keeps features within a byte budget, those of frames near the playhead before all others.

    Whole frames are held under their number, windows under the number of the frame and their place. What has to go is
    what lies farthest from the playhead, in either direction, and of that what was not used longest: a correction and
    the repair around it find the frames on both sides encoded, whichever way the last pass went.

    Parameters
    ----------
    byte_budget
        Bytes at most; the features in use are kept even if they alone are larger.

    Attributes
    ----------
    playhead
        The frame that is worked on. A frame that is looked at in passing, such as a prompted one of which the memory is
        made again, leaves it where it is. None: the frame that was asked for last.
    misses
        How many frames and windows were not held when they were needed.
    """

    def __init__(self, byte_budget: int) -> None:
        self.byte_budget = byte_budget
        self.bytes_used = 0
        self.misses = 0
        self.playhead: int | None = None
        self._features: OrderedDict[FeatureKey, ImageFeatures] = OrderedDict()
        self._frames: Counter[int] = Counter()

    def __contains__(self, key: FeatureKey) -> bool:
        """Whether the features of a frame, or of a window in it, are held."""
        return key in self._features

    def __len__(self) -> int:
        """Return the number of frames and windows held."""
        return len(self._features)

    def holds_frame(self, frame: int) -> bool:
        """Whether anything of a frame is held: all of it, or a window. May be asked from any thread."""
        return self._frames[frame] > 0

    def get(self, key: _Key, compute: Callable[[_Key], ImageFeatures]) -> ImageFeatures:
        """Return features, computing them only if they are not held."""
        if key in self._features:
            self._features.move_to_end(key)
            return self._features[key]
        features = compute(key)
        self.put(key, features)
        return features

    def put(self, key: FeatureKey, features: ImageFeatures) -> None:
        """Hold features that were not, and drop what is farthest from the playhead."""
        self.misses += 1
        self._drop(key)
        self._features[key] = features
        self._frames[frame_of(key)] += 1
        self.bytes_used += feature_bytes(features)
        around = frame_of(key) if self.playhead is None else self.playhead
        while self.bytes_used > self.byte_budget and len(self._features) > 1:
            # Of equally far ones max gives the first, which was not used longest.
            others = (other for other in self._features if other != key)
            self._drop(max(others, key=lambda other: abs(frame_of(other) - around)))

    def clear(self) -> None:
        """Drop everything."""
        self._features.clear()
        self._frames.clear()
        self.bytes_used = 0

    def _drop(self, key: FeatureKey) -> None:
        dropped = self._features.pop(key, None)
        if dropped is not None:
            self.bytes_used -= feature_bytes(dropped)
            frame = frame_of(key)
            self._frames[frame] -= 1
            if not self._frames[frame]:
                del self._frames[frame]


def frame_of(key: FeatureKey) -> int:
    """Return the frame that a key belongs to."""
    return key if isinstance(key, int) else key[0]
