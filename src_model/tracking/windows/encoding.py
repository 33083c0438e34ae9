"""Image features of frames and of windows in them, each computed once while the cache holds it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from src_model.tracking.windows.window import Window, cut_image

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import numpy as np
    from numpy.typing import NDArray

    from src_model.frames import FrameSource, Normalization
    from src_model.nn import ImageFeatures
    from src_model.tracking.feature_cache import FeatureCache
    from src_model.tracking.network_steps import NetworkSteps


class FrameFeatures:
    """Encodes frames of one movie, and windows of a frame as batches.

    Parameters
    ----------
    steps
        The network.
    movie
        Where frames are read.
    normalization
        Called when the first frame is encoded.
    cache
        Holds whole frames under their number, windows under their number and place.
    """

    def __init__(
        self, steps: NetworkSteps, movie: FrameSource, normalization: Callable[[], Normalization], cache: FeatureCache
    ) -> None:
        self._steps = steps
        self._movie = movie
        self._normalization = normalization
        self._cache = cache
        self._open: tuple[int, NDArray[np.generic]] | None = None

    def __call__(self, frame: int, window: Window | None = None) -> ImageFeatures:
        """Return the features of a frame, or of a window in it.

        Raises
        ------
        MovieError
            If the frame cannot be read (any more).
        """
        if window is None:
            return self._cache.get(frame, self._whole)
        return self._cache.get((frame, window), lambda _: self._batch(frame, [window])[0])

    def prepare(self, frame: int, windows: Iterable[Window | None]) -> None:
        """Encode windows of a frame that are not held yet, those of one size as batches."""
        missing: dict[int, list[Window]] = {}
        for window in dict.fromkeys(windows):
            if window is not None and (frame, window) not in self._cache:
                missing.setdefault(window.size, []).append(window)
        at_once = self._steps.windows_per_batch
        for group in missing.values():
            for first in range(0, len(group), at_once):
                batch = group[first : first + at_once]
                for window, features in zip(batch, self._batch(frame, batch), strict=True):
                    self._cache.put((frame, window), features)

    def _whole(self, frame: int) -> ImageFeatures:
        return self._steps.encode_image(self._movie.read(frame), self._normalization())

    def _batch(self, frame: int, windows: list[Window]) -> list[ImageFeatures]:
        image = self._read(frame)
        pieces = [cut_image(image, window) for window in windows]
        return self._steps.encode_images(pieces, self._normalization(), windows[0].size)

    def _read(self, frame: int) -> NDArray[np.generic]:
        """Read a frame, or return it again: windows of one frame are asked for one after the other."""
        if self._open is None or self._open[0] != frame:
            self._open = (frame, self._movie.read(frame))
        return self._open[1]
