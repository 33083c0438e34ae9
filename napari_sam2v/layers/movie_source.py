"""From the viewer's image layers to a movie that is read frame by frame, and to what the model sees of it."""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_sam2v.layers.geometry import finest, image_shape
from napari_sam2v.layers.movie_options import LayerColors, MovieOptions
from src_model.errors import MovieError
from src_model.frames import FrameSource, open_movie

if TYPE_CHECKING:
    from napari.layers import Image, Layer
    from numpy.typing import NDArray

    from src_model.frames import Normalization
    from src_model.frames.normalization import Limits


class ColorSource:
    """A movie whose red, green and blue are gray movies of the same shape.

    Parameters
    ----------
    channels
        Three movies of shape (T, Y, X) and of one dtype or several, None for a black one; at least one movie.

    Raises
    ------
    MovieError
        If there is no movie, or they differ in shape.
    """

    composite = True

    def __init__(self, channels: tuple[FrameSource | None, FrameSource | None, FrameSource | None]) -> None:
        given = [channel for channel in channels if channel is not None]
        shapes = {tuple(channel.shape) for channel in given}
        if len(shapes) != 1 or len(next(iter(shapes))) != 3:
            raise MovieError(f"layers of shapes {sorted(shapes)} cannot be mapped to colors: expected one (T, Y, X)")
        self._channels = channels
        self._shape = (*shapes.pop(), 3)
        self._dtype = np.result_type(*(channel.dtype for channel in given))
        self._name = " + ".join(channel.name for channel in given)

    @property
    def shape(self) -> tuple[int, ...]:
        """(T, Y, X, 3)."""
        return self._shape

    @property
    def dtype(self) -> np.dtype[np.generic]:
        """Type that holds the values of all channels."""
        return self._dtype

    @property
    def name(self) -> str:
        """Names of the channels."""
        return self._name

    @property
    def concurrent(self) -> bool:
        """Whether several threads may read at once: if all channels allow it."""
        return all(getattr(channel, "concurrent", False) for channel in self._channels if channel is not None)

    def __len__(self) -> int:
        """Return the number of frames."""
        return self._shape[0]

    def read(self, frame: int) -> np.ndarray:
        """Read one frame: (Y, X, 3). FrameRangeError or MovieError as the channels' own."""
        image = np.zeros(self._shape[1:], self._dtype)
        for color, channel in enumerate(self._channels):
            if channel is not None:
                image[..., color] = channel.read(frame)
        return image


def images_of(layers: Iterable[Layer]) -> list[Image]:
    """List the image layers."""
    from napari.layers import Image

    return [layer for layer in layers if isinstance(layer, Image)]


def find_image(layers: Iterable[Layer], name: str) -> Image:
    """Find an image layer by its name.

    Raises
    ------
    MovieError
        There is none of that name.
    """
    images = images_of(layers)
    for image in images:
        if image.name == name:
            return image
    known = ", ".join(f"'{image.name}'" for image in images) or "none"
    raise MovieError(f"there is no image layer '{name}'; the viewer has {known}: choose one of them")


def source_of(layers: Iterable[Layer], options: MovieOptions) -> FrameSource:
    """Open what the user chose; frames are read when asked for, of a multiscale layer from the finest level.

    Parameters
    ----------
    layers
        All layers of the viewer.
    options
        Which layer, and how it is read as a movie.

    Raises
    ------
    MovieError
        A layer is missing or has changed its shape, or lacks the channel or plane.
    """
    available = list(layers)
    if not isinstance(options.channel, LayerColors):
        return _open(find_image(available, options.layer_name), options)
    channels = [None if name is None else _open(find_image(available, name), options) for name in options.channel.names]
    return ColorSource((channels[0], channels[1], channels[2]))


def limits_of(layers: Iterable[Layer], options: MovieOptions) -> Limits | None:
    """Return the layers' contrast limits, where they decide what the model sees; None where the movie's values do.

    RGB layers have no contrast limits of their own and always go by the movie.

    Raises
    ------
    MovieError
        A layer of that name is not in the viewer.
    """
    available = list(layers)
    image = find_image(available, options.layer_name)
    if options.contrast == "percentile" or image.rgb:
        return None
    if isinstance(options.channel, LayerColors):
        red, green, blue = (
            (0.0, 1.0) if name is None else _limits(find_image(available, name)) for name in options.channel.names
        )
        return red, green, blue
    return _limits(image)


def preview_image(
    source: FrameSource, frame: int, normalization: Normalization, *, longest: int = 160
) -> NDArray[np.uint8]:
    """Make a small picture of what the model sees of a frame.

    Parameters
    ----------
    source
        The movie; one frame is read.
    frame
        Frame number, from 0.
    normalization
        As the model gets it.
    longest
        Longest side of the picture, in pixels.

    Returns
    -------
    numpy.ndarray
        (h, w, 3) uint8.

    Raises
    ------
    FrameRangeError, MovieError
        As ``source.read``.
    """
    image = source.read(frame)
    step = max(1, math.ceil(max(image.shape[:2]) / longest))
    seen = normalization.apply(image[::step, ::step])
    return np.asarray(np.round(seen * 255), np.uint8)


def _open(image: Image, options: MovieOptions) -> FrameSource:
    letters = options.axes + ("S" if image.rgb else "")
    if len(options.axes) != image.ndim:
        raise MovieError(
            f"layer '{image.name}' has {image.ndim} axes, shape {image_shape(image)}, but was chosen as "
            f"'{options.axes}': choose it again"
        )
    channel = None if isinstance(options.channel, LayerColors) else options.channel
    return open_movie(finest(image), axes=letters, channel=channel, plane=options.plane, name=image.name)


def _limits(image: Image) -> tuple[float, float]:
    low, high = image.contrast_limits
    return float(low), float(high)


_MOST_SAMPLES = 2**16
_LEAST_SAMPLES = 8
"""Along each of the last two axes of an array in memory, as far as `_MOST_SAMPLES` allow."""


class ImageWatcher:
    """Notices when an image layer is given other contrast limits or other pixels.

    An array in memory is sampled on all its frames, so that `check` notices values written into it too. Of any other
    array nothing is read: only another array in its place is noticed.

    Parameters
    ----------
    image
        The layer, as it is now.
    on_limits
        Called when its contrast limits change.
    on_pixels
        Called when it was given other pixels.
    """

    def __init__(self, image: Image, on_limits: Callable[[], object], on_pixels: Callable[[], object]) -> None:
        self._image, self._on_limits, self._on_pixels = image, on_limits, on_pixels
        self._array = finest(image)
        self._checksum = _checksum(self._array)
        image.events.contrast_limits.connect(self._limits_changed)
        image.events.data.connect(self._data_changed)

    def close(self) -> None:
        """Stop watching."""
        self._image.events.contrast_limits.disconnect(self._limits_changed)
        self._image.events.data.disconnect(self._data_changed)

    def check(self) -> None:
        """Compare the pixels with those of before, in case that they were changed without an event."""
        array = finest(self._image)
        if array is not self._array or _checksum(array) != self._checksum:
            self._on_pixels()

    def _limits_changed(self, _event: object) -> None:
        self._on_limits()

    def _data_changed(self, _event: object) -> None:
        self._on_pixels()


def _checksum(array: Any) -> int | None:
    if type(array) is not np.ndarray or array.ndim < 2 or not array.size:
        return None
    frames = int(np.prod(array.shape[:-2]))
    across = max(_LEAST_SAMPLES, int((_MOST_SAMPLES / frames) ** 0.5))
    steps = [max(1, length // across) for length in array.shape[-2:]]
    thin = array[..., :: steps[0], :: steps[1]]
    while thin.size > 4 * _MOST_SAMPLES and thin.shape[0] > 1:
        thin = thin[::2]
    return zlib.crc32(np.ascontiguousarray(thin).tobytes())
