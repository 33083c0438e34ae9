"""The model and what all functions of a process share: its turn, the image cache, and counts of what happened."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cvat_serverless.image_cache import EncodedImage, ImageCache
from cvat_serverless.images import ImageLimits, check_image, decode_base64, decode_image, digest_of
from src_model.errors import BusyError
from src_model.frames import Normalization
from src_model.masks.window import cut_image
from src_model.tracking.windows.encoding import window_batches

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import numpy as np
    from numpy.typing import NDArray

    from src_model.masks.window import Window
    from src_model.nn import ImageFeatures
    from src_model.tracking import StreamingPredictor

_AS_SHOWN = Normalization("none", (0.0,), (255.0,))
"""Images arrive as 8-bit colour: a rule that looked at more than the image would make equal images different."""


@dataclass(slots=True)
class Counts:
    """What happened since the process started."""

    images_encoded: int = 0
    windows_encoded: int = 0
    objects_started: int = 0
    objects_tracked: int = 0
    objects_lost: int = 0
    corrections: int = 0
    healings: int = 0
    repeats: int = 0


@dataclass(frozen=True, slots=True)
class SentImage:
    """An image of a request that waits for its turn as the file that it is.

    Attributes
    ----------
    digest
        Its hash.
    text
        The file in base64.
    data
        The file; None if the image is in the cache, and the file most likely not needed.
    """

    digest: str
    text: str = field(repr=False)
    data: bytes | None = field(repr=False)

    def file(self) -> bytes:
        """Return the file.

        Raises
        ------
        RequestError
            If it is cut off, empty, or no base64.
        """
        return decode_base64(self.text) if self.data is None else self.data


@dataclass(slots=True)
class SeenImage:
    """An image of a request, known to be sound.

    Attributes
    ----------
    digest
        Its hash.
    shape
        ``(Y, X)``.
    pixels
        ``(Y, X, 3)`` uint8; None as long as it is in the cache and has not been decoded.
    sent
        What it can be decoded from.
    """

    digest: str
    shape: tuple[int, int]
    pixels: NDArray[np.uint8] | None = field(repr=False)
    sent: SentImage | None = field(default=None, repr=False)


class SharedModel:
    """A loaded network that answers one request at a time and encodes no image twice.

    Parameters
    ----------
    predictor
        The network.
    cache_bytes
        Budget of the image cache.
    limits
        Largest image.
    wait_seconds
        How long a request waits for its turn.
    """

    def __init__(
        self,
        predictor: StreamingPredictor,
        *,
        cache_bytes: int = 512 * 2**20,
        limits: ImageLimits | None = None,
        wait_seconds: float = 100.0,
    ) -> None:
        self.predictor = predictor
        self.steps = predictor.steps
        self.cache = ImageCache(cache_bytes)
        self.counts = Counts()
        self._limits = limits or ImageLimits()
        self._wait_seconds = wait_seconds
        self._turn = threading.Lock()

    def receive(self, text: str) -> SentImage:
        """Check an image file in base64 by its header; no pixel is decoded before its request has the turn.

        Raises
        ------
        RequestError
            If it is no image, or one that is too large.
        """
        digest = digest_of(text.encode("utf-8", "surrogatepass"))
        if self.cache.get(digest) is not None:
            return SentImage(digest, text, None)
        data = decode_base64(text)
        check_image(data, self._limits)
        return SentImage(digest, text, data)

    def open(self, sent: SentImage) -> SeenImage:
        """Decode an image unless it is in the cache; only within a turn, so that one image at a time takes memory.

        Raises
        ------
        RequestError
            If it is damaged.
        """
        known = self.cache.get(sent.digest)
        if known is not None:
            return SeenImage(sent.digest, known.shape, None, sent)
        pixels = decode_image(sent.file(), self._limits)
        return SeenImage(sent.digest, (pixels.shape[0], pixels.shape[1]), pixels, sent)

    def look_at(self, pixels: NDArray[np.uint8]) -> SeenImage:
        """Take an image that is decoded already, ``(Y, X, 3)`` uint8."""
        return SeenImage(digest_of(pixels.tobytes()), (pixels.shape[0], pixels.shape[1]), pixels)

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait until no other request uses the model, and keep it for this one.

        Raises
        ------
        BusyError
            If that takes too long.
        """
        if not self._turn.acquire(timeout=self._wait_seconds):
            raise BusyError(
                f"the model was busy for {self._wait_seconds:g} seconds; try again, or serve a replica more"
            )
        try:
            yield
        finally:
            self._turn.release()

    def features(self, image: SeenImage, window: Window | None = None) -> ImageFeatures:
        """Return the features of an image or of a window in it, encoded only if not in the cache; within a turn."""
        known = self.cache.get(image.digest, window)
        if known is not None:
            return known.features
        if window is not None:
            return self._encoded(image, [window])[0]
        features = self.steps.encode_image(self._pixels(image), _AS_SHOWN)
        self.cache.put(image.digest, EncodedImage(image.shape, features))
        self.counts.images_encoded += 1
        return features

    def prepare(self, image: SeenImage, windows: Iterable[Window | None]) -> None:
        """Encode windows that are not in the cache, those of one size as batches; only within a turn."""
        missing = [window for window in windows if window and self.cache.get(image.digest, window) is None]
        for batch in window_batches(missing, self.steps.windows_per_batch):
            self._encoded(image, batch)

    def _encoded(self, image: SeenImage, windows: list[Window]) -> list[ImageFeatures]:
        pieces = [cut_image(self._pixels(image), window) for window in windows]
        found = self.steps.encode_images(pieces, _AS_SHOWN, windows[0].size)
        for window, features in zip(windows, found, strict=True):
            self.cache.put(image.digest, EncodedImage(image.shape, features), window)
        self.counts.windows_encoded += len(windows)
        return found

    def _pixels(self, image: SeenImage) -> NDArray[np.uint8]:
        if image.pixels is None:
            assert image.sent is not None, "an image without pixels has a file"
            image.pixels = decode_image(image.sent.file(), self._limits)
        return image.pixels
