"""Frames of one movie, read by one thread at a time and prepared for the image encoder."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from src_model.errors import DamagedFrameError, MovieError
from src_model.frames import LiveSource
from src_model.tracking.feature_identity import frame_checksum, identify
from src_model.tracking.feature_layout import FeatureLayout
from src_model.tracking.feature_store import FeatureFolder, FeatureStore

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    from src_model.frames import FrameSource, Normalization
    from src_model.nn import ImageFeatures
    from src_model.tracking.frame_features import FeatureOptions
    from src_model.tracking.network_steps import NetworkSteps


@dataclass(frozen=True, slots=True)
class PreparedFrame:
    """A frame that was read, as far as it can be brought without the network.

    Attributes
    ----------
    image
        As it was read, where windows may be cut out of it; else None.
    inputs
        ``(1, 3, S, S)`` for the network; None where that was not asked for, or features are there.
    features
        Those that a store holds of it.
    checksum
        Of its pixels, where there is a store.
    """

    image: NDArray[np.generic] | None = None
    inputs: Tensor | None = None
    features: ImageFeatures | None = None
    checksum: int = 0


class FrameReader:
    """Reads frames, for the tracker and for the thread that reads ahead of it.

    Parameters
    ----------
    steps
        The network that the frames are prepared for.
    movie
        Where frames are read.
    normalization
        Decides how pixel values become 0..1, or tells what was decided.
    options
        Where features are kept.

    Raises
    ------
    FeatureStoreError
        If features cannot be kept in the folder that was asked for.

    Attributes
    ----------
    damaged
        Frames that could not be read when they were last asked for.
    """

    def __init__(
        self,
        steps: NetworkSteps,
        movie: FrameSource,
        normalization: Callable[[], Normalization],
        options: FeatureOptions,
    ) -> None:
        self.damaged: set[int] = set()
        self._steps = steps
        self._movie = movie
        self._decide = normalization
        self._lock = threading.Lock()  # a movie need not bear two reads at once
        self._store: FeatureStore | None = None
        self._folder: FeatureFolder | None = None
        # What was seen live does not come again.
        if options.cache_dir is not None and not isinstance(movie, LiveSource):
            self._folder = FeatureFolder(options.cache_dir, options.cache_dir_bytes)

    @property
    def normalization(self) -> Normalization:
        """How pixel values become 0..1."""
        return self._decide()

    @property
    def store(self) -> FeatureStore | None:
        """Where features are kept on disk. Opened when it is first asked for, which takes the reading of a frame."""
        if self._store is None and self._folder is not None:
            identity = identify(self._steps, self._movie, self.normalization, self._first_checksum())
            self._store = FeatureStore(self._folder, identity, FeatureLayout.of(self._steps))
        return self._store

    def make_ready(self) -> None:
        """Decide all that is decided once a movie, so that frames may be prepared on another thread from now on."""
        _ = self.normalization, self.store

    def _first_checksum(self) -> int:
        try:
            return frame_checksum(self.image(0))
        except MovieError:
            return 0  # the frame may never be needed; those that are have checksums of their own

    def image(self, frame: int) -> NDArray[np.generic]:
        """Read a frame.

        Raises
        ------
        DamagedFrameError
            If this frame alone cannot be read. Its number is the one that was asked for, whatever the movie is made of.
        MovieError
            If it cannot be read (any more).
        """
        with self._lock:
            try:
                image = self._movie.read(frame)
            except DamagedFrameError as error:
                self.damaged.add(frame)
                if error.frame == frame:
                    raise
                raise DamagedFrameError(str(error), frame) from error
            self.damaged.discard(frame)
            return image

    def is_damaged(self, frame: int) -> bool:
        """Find out whether there is a frame that cannot be read while others can."""
        if not 0 <= frame < len(self._movie):
            return False
        try:
            self.image(frame)
        except DamagedFrameError:
            return True
        except MovieError:  # a live stream may have let go of it
            return False
        return False

    def prepare(self, frame: int, *, for_windows: bool = False) -> PreparedFrame:
        """Read a frame and prepare it: as a whole, or, for windows, no further than it has to be for these.

        Raises
        ------
        MovieError
            If it cannot be read (any more).
        """
        image = self.image(frame)
        if for_windows:
            return PreparedFrame(image)
        return self.whole(frame, image)

    def whole(self, frame: int, image: NDArray[np.generic]) -> PreparedFrame:
        """Find the features of a frame that was read in the store, or prepare it for the network."""
        store, checksum = self.store, 0
        if store is not None:
            checksum = frame_checksum(image)
            features = store.load(frame, checksum)
            if features is not None:
                return PreparedFrame(features=features, checksum=checksum)
        return PreparedFrame(inputs=self._steps.network_input(image, self.normalization), checksum=checksum)

    def keep(self, frame: int, prepared: PreparedFrame, features: ImageFeatures) -> None:
        """Keep features on disk that were made of a prepared frame."""
        if self._store is not None:
            self._store.save(frame, prepared.checksum, features)

    def flush(self) -> None:
        """Wait until everything is on disk."""
        if self._store is not None:
            self._store.flush()
