"""Images as CVAT sends them: bytes from outside, checked before they take memory, shown to the model as to a person."""

from __future__ import annotations

import binascii
import hashlib
import io
from base64 import b64decode
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from src_model.errors import RequestError

if TYPE_CHECKING:
    from numpy.typing import NDArray

_FORMATS = ("PNG", "JPEG", "TIFF", "BMP", "WEBP", "GIF", "PPM")
"""What CVAT takes as images. Pillow knows more, some of which start other programs."""

_PILLOW_LIMIT = 2 * (Image.MAX_IMAGE_PIXELS or 0)


@dataclass(frozen=True, slots=True)
class ImageLimits:
    """The largest image that is decoded.

    Attributes
    ----------
    pixels
        Pixels in all.
    side
        Pixels along a side.
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
    try:
        with Image.open(io.BytesIO(data), formats=_FORMATS) as image:
            _check_size(image.size, limits)
            return as_shown(image)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise RequestError(f"the image is too large to be decoded: {error}", 413) from error
    except UnidentifiedImageError as error:
        raise RequestError("the image is no PNG, JPEG, TIFF, BMP, WebP, GIF or PPM file") from error
    except RequestError:
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
    numbers = values.astype(np.float64)
    finite = numbers[np.isfinite(numbers)]
    if not finite.size or finite.min() == finite.max():
        return np.zeros(values.shape, np.uint8)
    low, high = float(finite.min()), float(finite.max())
    scaled = (np.nan_to_num(numbers, nan=low, posinf=high, neginf=low) - low) * (255.0 / (high - low))
    return np.rint(scaled).astype(np.uint8)
