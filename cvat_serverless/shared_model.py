"""The model that all functions of a process share: one request at a time, no image encoded twice, and counts."""

from __future__ import annotations

import threading
from collections import OrderedDict
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cvat_serverless.images import ImageLimits, check_image, decode_base64, decode_image, digest_of
from src_model.errors import BusyError
from src_model.frames import Normalization
from src_model.masks.window import cut_image
from src_model.tracking.feature_cache import feature_bytes
from src_model.tracking.frame_features import window_batches

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import numpy as np
    from numpy.typing import NDArray

    from src_model.masks.window import Window
    from src_model.nn import ImageFeatures
    from src_model.tracking import StreamingPredictor

_NORMALIZATION = Normalization("none", (0.0,), (255.0,))
"""Images arrive as 8-bit color. A rule that looked at more than one image would make equal images different."""


@dataclass(slots=True)
class Counts:
    """What happened since the process started; each is a counter in the metrics, ``sam2v_<name>``."""

    images_encoded: int = 0
    windows_encoded: int = 0
    objects_started: int = 0
    objects_tracked: int = 0
    objects_lost: int = 0
    corrections: int = 0
    recoveries: int = 0
    repeats: int = 0


@dataclass(slots=True)
class RequestImage:
    """An image of a request: a file while the request waits, pixels when it has its turn and needs them.

    Attributes
    ----------
    digest
        Its hash: the only thing that tells two requests about one frame from two about different ones.
    file
        The file, or still in base64 if its features are in the cache and it will most likely not be decoded; None if it
        came as pixels.
    pixels
        ``(Y, X, 3)`` uint8; None while they have not been needed.
    known_shape
        ``(Y, X)`` in pixels; None until the image is opened.
    """

    digest: str
    file: bytes | str | None = field(default=None, repr=False)
    pixels: NDArray[np.uint8] | None = field(default=None, repr=False)
    known_shape: tuple[int, int] | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """``(Y, X)`` in pixels, once the image was opened."""
        assert self.known_shape is not None, "an image is opened before anything is asked of it"
        return self.known_shape

    def decoded(self, limits: ImageLimits) -> NDArray[np.uint8]:
        """Return its pixels.

        Raises
        ------
        RequestError
            If the file is damaged, or larger than the limits.
        """
        if self.pixels is None:
            assert self.file is not None, "an image without pixels has a file"
            data = decode_base64(self.file) if isinstance(self.file, str) else self.file
            self.pixels = decode_image(data, limits)
        return self.pixels


@dataclass(frozen=True, slots=True)
class EncodedImage:
    """An image, or a window in it, that the network has encoded.

    Attributes
    ----------
    shape
        ``(Y, X)`` of the image, in pixels.
    features
        Of the image or the window.
    """

    shape: tuple[int, int]
    features: ImageFeatures


class ImageCache:
    """Keeps the features of the most recently used images within a byte budget; safe to use from several threads.

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


class SharedModel:
    """A loaded network that answers one request at a time and encodes no image twice.

    Parameters
    ----------
    predictor
        The network, on its device.
    cache_bytes
        Bytes for the features of recent images.
    limits
        The largest image that is decoded.
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

    def receive(self, text: str) -> RequestImage:
        """Check an image file in base64 by its header; no pixel is decoded before its request has its turn.

        Raises
        ------
        RequestError
            If it is no image, or one that is too large.
        """
        digest = digest_of(text.encode("utf-8", "surrogatepass"))
        if self.cache.get(digest) is not None:
            return RequestImage(digest, text)
        data = decode_base64(text)
        check_image(data, self._limits)
        return RequestImage(digest, data)

    def open(self, image: RequestImage) -> RequestImage:
        """Decode an image unless it is in the cache; only within a turn, so that one image at a time takes memory.

        Raises
        ------
        RequestError
            If it is damaged.
        """
        known = self.cache.get(image.digest)
        height, width = image.decoded(self._limits).shape[:2] if known is None else known.shape
        image.known_shape = height, width
        return image

    def from_pixels(self, pixels: NDArray[np.uint8]) -> RequestImage:
        """Take an image that is decoded already, ``(Y, X, 3)`` uint8."""
        return self.open(RequestImage(digest_of(pixels.tobytes()), pixels=pixels))

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

    def features(self, image: RequestImage, window: Window | None = None) -> ImageFeatures:
        """Return the features of an image or of a window in it, encoded only if not in the cache; within a turn."""
        known = self.cache.get(image.digest, window)
        if known is not None:
            return known.features
        if window is not None:
            return self._encode_batch(image, [window])[0]
        features = self.steps.encode_image(image.decoded(self._limits), _NORMALIZATION)
        self.cache.put(image.digest, EncodedImage(image.shape, features))
        self.counts.images_encoded += 1
        return features

    def encode_windows(self, image: RequestImage, windows: Iterable[Window | None]) -> None:
        """Encode windows that are not in the cache, those of one size as batches; only within a turn."""
        missing = [window for window in windows if window and self.cache.get(image.digest, window) is None]
        for batch in window_batches(missing, self.steps.windows_per_batch):
            self._encode_batch(image, batch)

    def _encode_batch(self, image: RequestImage, windows: list[Window]) -> list[ImageFeatures]:
        pieces = [cut_image(image.decoded(self._limits), window) for window in windows]
        encoded = self.steps.encode_images(pieces, _NORMALIZATION, windows[0].size)
        for window, features in zip(windows, encoded, strict=True):
            self.cache.put(image.digest, EncodedImage(image.shape, features), window)
        self.counts.windows_encoded += len(windows)
        return encoded
