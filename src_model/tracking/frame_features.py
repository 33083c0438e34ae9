"""Image features of frames and of windows in them, each computed once while a cache holds it."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Protocol

from src_model.frames import LiveSource
from src_model.masks.window import Window, cut_image
from src_model.tracking.feature_cache import FeatureCache
from src_model.tracking.feature_layout import FeatureLayout
from src_model.tracking.feature_store import DEFAULT_STORE_BYTES
from src_model.tracking.frame_reader import FrameReader, PreparedFrame
from src_model.tracking.reading_ahead import ReadAhead

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Iterator
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from src_model.frames import FrameSource, Normalization
    from src_model.nn import ImageFeatures
    from src_model.tracking.network_steps import NetworkSteps

DEFAULT_CACHE_BYTES = 512 * 2**20
_FRAMES_AHEAD = 3
"""Frames that are prepared before they are worked on, besides those that the encoder takes at once."""


@dataclass(frozen=True, slots=True)
class FeatureOptions:
    """Choices that change how fast a session is, and never what it computes.

    Attributes
    ----------
    cache_bytes
        Memory for features that are kept for corrections and later passes.
    cache_dir
        Folder in which features are kept for later sessions too. None: nowhere.
    cache_dir_bytes
        Size of that folder at most; what was not used longest goes first.
    read_ahead
        Whether propagation reads and prepares the frames to come in a background thread. None: for movies that may be
        read from several threads, as all those that are opened by path or from an array.
    """

    cache_bytes: int = DEFAULT_CACHE_BYTES
    cache_dir: Path | None = None
    cache_dir_bytes: int = DEFAULT_STORE_BYTES
    read_ahead: bool | None = None


class WindowEncoder(Protocol):
    """Makes image features of several windows at once, for them to be there when they are asked for."""

    def prepare(self, frame: int, windows: Iterable[Window | None]) -> None:
        """Encode windows of a frame; None, the whole frame, is left for later."""
        ...


def window_batches(windows: Iterable[Window], most: int) -> Iterator[list[Window]]:
    """Group windows of one input size, each once, into batches of at most so many."""
    groups: dict[int, list[Window]] = {}
    for window in dict.fromkeys(windows):
        groups.setdefault(window.size, []).append(window)
    for group in groups.values():
        for first in range(0, len(group), most):
            yield group[first : first + most]


class FrameFeatures:
    """Encodes frames of one movie, and windows of a frame as batches.

    Parameters
    ----------
    steps
        The network that encodes them.
    movie
        Where frames are read.
    normalization
        Called when the first frame is encoded.
    options
        How features are kept, and whether frames are read ahead.

    Raises
    ------
    FeatureStoreError
        If features cannot be kept in the folder that was asked for.

    Attributes
    ----------
    cache
        Holds whole frames under their number, windows under their number and place.
    """

    def __init__(
        self,
        steps: NetworkSteps,
        movie: FrameSource,
        normalization: Callable[[], Normalization],
        options: FeatureOptions | None = None,
    ) -> None:
        options = options or FeatureOptions()
        self.cache = FeatureCache(options.cache_bytes)
        self._steps = steps
        self._movie = movie
        self._reader = FrameReader(steps, movie, normalization, options)
        self._open: tuple[int, NDArray[np.generic]] | None = None
        self._ahead: list[ReadAhead[PreparedFrame]] = []
        wanted = options.read_ahead
        may_share = bool(getattr(movie, "concurrent", False)) if wanted is None else wanted
        self._reads_ahead = may_share and not isinstance(movie, LiveSource)

    def __call__(self, frame: int, window: Window | None = None) -> ImageFeatures:
        """Return the features of a frame, or of a window in it.

        Raises
        ------
        MovieError
            If the frame cannot be read (any more).
        """
        if window is None:
            return self.cache.get(frame, self._whole)
        return self.cache.get((frame, window), lambda _: self._batch(frame, [window])[0])

    def prepare(self, frame: int, windows: Iterable[Window | None]) -> None:
        """Encode windows of a frame that are not held yet, those of one size as batches."""
        missing = [window for window in windows if window is not None and (frame, window) not in self.cache]
        for batch in window_batches(missing, self._steps.windows_per_batch):
            for window, features in zip(batch, self._batch(frame, batch), strict=True):
                self.cache.put((frame, window), features)

    def set_current_frame(self, frame: int) -> None:
        """Say which frame is tracked or prompted; the features of those around it are those that stay in memory."""
        self.cache.playhead = frame

    @contextmanager
    def reading_ahead(self, frames: range) -> Iterator[Callable[[int], None]]:
        """Read a range of frames ahead of its use, where that is wanted.

        Yields a function to call with each frame before it is tracked.
        """
        if not self._reads_ahead or len(frames) < 2:
            yield self.set_current_frame
            return
        self._reader.make_ready()
        prepare = partial(self._reader.prepare, for_windows=self._uses_windows)
        depth = _FRAMES_AHEAD + self._steps.frames_per_batch
        ahead = ReadAhead(frames, prepare, skip=self.cache.holds_frame, depth=depth)
        self._ahead.append(ahead)

        def advance(frame: int) -> None:
            self.set_current_frame(frame)
            ahead.advance(frame)

        try:
            yield advance
        finally:
            self._ahead.remove(ahead)
            ahead.close()

    @property
    def damaged(self) -> Container[int]:
        """Frames that could not be read when they were last asked for."""
        return self._reader.damaged

    def is_damaged(self, frame: int) -> bool:
        """Find out whether a frame cannot be read while others can; it is read for that if nothing is known of it."""
        return not self.cache.holds_frame(frame) and self._reader.is_damaged(frame)

    def is_gone(self, frame: int) -> bool:
        """Whether neither the image nor the features of a frame can be had: a live stream keeps its latest frames."""
        movie = self._movie
        return isinstance(movie, LiveSource) and frame < movie.oldest and not self.cache.holds_frame(frame)

    def flush(self) -> None:
        """Wait until all features are on disk that are to be kept there."""
        self._reader.flush()

    @property
    def _uses_windows(self) -> bool:
        return self._steps.settings.window != "off"

    def _whole(self, frame: int) -> ImageFeatures:
        prepared = self._prepared(frame)
        if prepared.features is not None:
            return self._steps.on_device(prepared.features)
        assert prepared.inputs is not None, "a frame without features was prepared for the network"
        coming = self._encoded_with(frame)
        inputs = [prepared.inputs, *(each.inputs for each in coming.values() if each.inputs is not None)]
        features, *others = self._steps.encode_inputs(inputs)
        self._reader.keep(frame, prepared, features)
        for (later, each), its_features in zip(coming.items(), others, strict=True):
            self._reader.keep(later, each, its_features)
            self.cache.put(later, its_features)
        return features

    def _prepared(self, frame: int) -> PreparedFrame:
        """Take a frame that was read ahead, or read it now."""
        for ahead in self._ahead:
            prepared = ahead.get(frame)
            if prepared is not None:
                return prepared if prepared.image is None else self._reader.whole(frame, prepared.image)
        return self._reader.prepare(frame)

    def _encoded_with(self, frame: int) -> dict[int, PreparedFrame]:
        """Choose frames to come that are encoded in one batch with this one, as far as the cache has room for them."""
        room = self.cache.byte_budget // (2 * FeatureLayout.of(self._steps).feature_bytes)
        most = min(self._steps.frames_per_batch, room) - 1
        coming: dict[int, PreparedFrame] = {}
        for ahead in self._ahead if most > 0 else ():
            for later, prepared in ahead.prepared_after(frame).items():
                if len(coming) < most and prepared.inputs is not None and later not in self.cache:
                    coming[later] = prepared
        return coming

    def _batch(self, frame: int, windows: list[Window]) -> list[ImageFeatures]:
        image = self._image(frame)
        pieces = [cut_image(image, window) for window in windows]
        return self._steps.encode_images(pieces, self._reader.normalization, windows[0].size)

    def _image(self, frame: int) -> NDArray[np.generic]:
        """Read a frame, or return it again: windows of one frame are asked for one after the other."""
        if self._open is None or self._open[0] != frame:
            self._open = (frame, self._read(frame))
        return self._open[1]

    def _read(self, frame: int) -> NDArray[np.generic]:
        for ahead in self._ahead:
            prepared = ahead.get(frame)
            if prepared is not None and prepared.image is not None:
                return prepared.image
        return self._reader.image(frame)
