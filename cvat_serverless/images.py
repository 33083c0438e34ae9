"""Images as CVAT sends them: bytes from outside, checked before they take memory, shown to the model as to a person."""

from __future__ import annotations

import binascii
import hashlib
import io
from base64 import b64decode
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from src_model.errors import RequestError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

_FORMATS = ("PNG", "JPEG", "TIFF", "BMP", "WEBP", "GIF", "PPM")
"""What CVAT takes as images. Pillow knows more, some of which start other programs."""

_BAND_ROWS = 256
"""Rows that are stretched at a time: as float64 a whole 16-bit image would take four times its size."""

_PILLOW_LIMIT = 2 * (Image.MAX_IMAGE_PIXELS or 0)
"""Pixels from which Pillow itself refuses an image as a decompression bomb."""


@dataclass(frozen=True, slots=True)
class ImageLimits:
    """The largest image that is decoded.

    Attributes
    ----------
    pixels
        Width times height, in pixels.
    side
        Width or height, in pixels.
    """

    pixels: int = 80_000_000
    side: int = 20_000


def decode_base64(text: str) -> bytes:
    """Decode the field ``image`` of a request.

    Raises
    ------
    RequestError
        If it is cut off, empty, or no base64.
    """
    try:
        data = b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise RequestError(f"the image is no valid base64 ({error}); was the request cut off on its way?") from error
    if not data:
        raise RequestError("the image is empty; expected a PNG, JPEG, TIFF, BMP or WebP file in base64")
    return data


def digest_of(data: bytes) -> str:
    """Return what an image is recognised by: CVAT says neither which frame it is nor of which task."""
    return hashlib.blake2b(data, digest_size=16).hexdigest()


def decode_image(data: bytes, limits: ImageLimits) -> NDArray[np.uint8]:
    """Decode an image file as CVAT shows it.

    EXIF rotation is applied. Values of more than 8 bits are stretched from the darkest to the brightest pixel, gray
    becomes three equal channels, transparency is dropped.

    Parameters
    ----------
    data
        A file in one of the formats that CVAT takes.
    limits
        Checked before any pixel is decoded.

    Returns
    -------
    numpy.ndarray
        ``(Y, X, 3)`` uint8.

    Raises
    ------
    RequestError
        If this is no image, a damaged one, or one that is too large.
    """
    with _opened(data, limits) as image:
        return as_shown(image)


def check_image(data: bytes, limits: ImageLimits) -> None:
    """Refuse by its header what :func:`decode_image` would refuse, apart from damage further on.

    Parameters
    ----------
    data
        A file in one of the formats that CVAT takes.
    limits
        The largest image that is decoded.

    Raises
    ------
    RequestError
        If this is no image, or one that is too large.
    """
    with _opened(data, limits):
        pass


@contextmanager
def _opened(data: bytes, limits: ImageLimits) -> Iterator[Image.Image]:
    """Open an image file and check its size, which takes its header alone."""
    try:
        with Image.open(io.BytesIO(data), formats=_FORMATS) as image:
            _check_size(image.size, limits)
            yield image
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise RequestError(f"the image is too large to be decoded: {error}", 413) from error
    except UnidentifiedImageError as error:
        raise RequestError("the image is no PNG, JPEG, TIFF, BMP, WebP, GIF or PPM file") from error
    except (RequestError, MemoryError):
        raise
    except Exception as error:  # decoders fail on damaged files in many ways, none of which is ours
        raise RequestError(f"the image cannot be decoded ({error}); expected a whole PNG, JPEG or TIFF file") from error


def _check_size(size: tuple[int, int], limits: ImageLimits) -> None:
    width, height = size
    if width * height > min(limits.pixels, _PILLOW_LIMIT) or max(size) > limits.side:
        raise RequestError(
            f"the image has {width} x {height} pixels; at most {limits.pixels / 1e6:g} megapixels and {limits.side} "
            "pixels along a side are taken. Scale it down, or raise the limit of the function",
            413,
        )


def as_shown(image: Image.Image) -> NDArray[np.uint8]:
    """Turn an image into ``(Y, X, 3)`` uint8 as CVAT shows it; see :func:`decode_image`."""
    image = ImageOps.exif_transpose(image)
    if image.mode.startswith(("I", "F")):
        return np.repeat(_stretched(np.asarray(image))[..., None], 3, axis=2)
    return np.array(image.convert("RGB"))


def _stretched(values: NDArray[np.generic]) -> NDArray[np.uint8]:
    """Stretch from the darkest to the brightest pixel, a band of rows at a time: float64 takes much memory."""
    bands = [slice(row, row + _BAND_ROWS) for row in range(0, len(values), _BAND_ROWS)]
    finite = (band[np.isfinite(band)] for band in (values[rows].astype(np.float64) for rows in bands))
    ends = [(float(band.min()), float(band.max())) for band in finite if band.size]
    low, high = min((low for low, _ in ends), default=0.0), max((high for _, high in ends), default=0.0)
    seen = np.zeros(values.shape, np.uint8)
    if low < high:
        for rows in bands:
            numbers = np.nan_to_num(values[rows].astype(np.float64), nan=low, posinf=high, neginf=low)
            seen[rows] = np.rint((numbers - low) * (255.0 / (high - low)))
    return seen
