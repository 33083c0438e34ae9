"""Image features by image hash, so that no image is encoded twice while it is in use, whichever function asks."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from src_model.tracking.feature_cache import feature_bytes

if TYPE_CHECKING:
    from src_model.masks.window import Window
    from src_model.nn import ImageFeatures


@dataclass(frozen=True, slots=True)
class EncodedImage:
    """An image, or a window in it, that the network has seen.

    Attributes
    ----------
    shape
        ``(Y, X)`` of the image.
    features
        What the image encoder made of it.
    """

    shape: tuple[int, int]
    features: ImageFeatures


class ImageCache:
    """Keeps the most recently used images within a byte budget; safe to use from several threads.

    Parameters
    ----------
    byte_budget
        Bytes at most; the last image is kept even if it alone is larger.
    """

    def __init__(self, byte_budget: int) -> None:
        self.byte_budget = byte_budget
        self.bytes_used = 0
        self._lock = threading.Lock()
        self._images: OrderedDict[tuple[str, Window | None], EncodedImage] = OrderedDict()

    def __len__(self) -> int:
        """Return the number of images and windows held."""
        return len(self._images)

    def get(self, digest: str, window: Window | None = None) -> EncodedImage | None:
        """Return an image, or a window in it, if it is held."""
        key = digest, window
        with self._lock:
            if key in self._images:
                self._images.move_to_end(key)
            return self._images.get(key)

    def put(self, digest: str, image: EncodedImage, window: Window | None = None) -> None:
        """Keep an image, or a window in it, and drop the least recently used ones over the budget."""
        key = digest, window
        with self._lock:
            if key not in self._images:
                self.bytes_used += feature_bytes(image.features)
            self._images[key] = image
            while self.bytes_used > self.byte_budget and len(self._images) > 1:
                _, oldest = self._images.popitem(last=False)
                self.bytes_used -= feature_bytes(oldest.features)
