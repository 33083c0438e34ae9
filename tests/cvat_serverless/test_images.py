"""Images of requests: what they look like to the model, and what is refused."""

from __future__ import annotations

import base64
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from cvat_serverless.images import ImageLimits, decode_base64, decode_image, digest_of
from src_model.errors import RequestError
from tests.cvat_serverless.asking import file_of

LIMITS = ImageLimits()
COLORS = np.random.default_rng(0).integers(0, 256, (6, 9, 3), dtype=np.uint8)
GRAY = COLORS[..., 0]


def png_of_size(width: int, height: int) -> bytes:
    """The first bytes of a PNG that claims a size, with next to no pixels behind them."""
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(100))) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF"])
def test_colors_arrive_as_they_are(kind):
    assert (decode_image(file_of(COLORS, kind), LIMITS) == COLORS).all()


def test_gray_becomes_three_equal_channels():
    assert (decode_image(file_of(GRAY), LIMITS) == GRAY[..., None]).all()


def test_transparency_is_dropped():
    with_alpha = np.dstack([COLORS, np.full(GRAY.shape, 7, np.uint8)])
    assert (decode_image(file_of(with_alpha), LIMITS) == COLORS).all()


@pytest.mark.parametrize("dtype", [np.uint16, np.int32, np.float32])
def test_more_than_8_bits_are_stretched_from_the_darkest_to_the_brightest_pixel(dtype):
    values = (GRAY.astype(float) * 40 + 1000).astype(dtype)
    seen = decode_image(file_of(values, "TIFF"), LIMITS)
    expected = np.rint((values - values.min()) / float(values.max() - values.min()) * 255)
    assert (seen == expected[..., None]).all()


def test_a_16_bit_image_of_one_value_is_black():
    assert not decode_image(file_of(np.full((4, 5), 900, np.uint16)), LIMITS).any()


def test_values_that_are_no_numbers_do_not_stretch_the_others():
    values = np.array([[0.0, np.nan], [np.inf, 2.0]], np.float32)
    assert decode_image(file_of(values, "TIFF"), LIMITS)[..., 0].tolist() == [[0, 0], [255, 255]]


def test_exif_rotation_is_applied_as_cvat_shows_it():
    exif = Image.Exif()
    exif[0x0112] = 6  # a quarter turn
    rotated = decode_image(file_of(COLORS, "PNG", exif=exif), LIMITS)
    assert (rotated == np.rot90(COLORS, -1)).all()


def test_equal_files_have_equal_digests_and_others_do_not():
    assert digest_of(file_of(COLORS)) == digest_of(file_of(COLORS)) != digest_of(file_of(GRAY))


@pytest.mark.parametrize("text", ["", "no base64!", "\ud800", "ä", base64.b64encode(b"abcd").decode()[:-3]])
def test_base64_that_is_cut_off_is_refused(text):
    with pytest.raises(RequestError, match=r"base64|empty"):
        decode_base64(text)


@pytest.mark.parametrize("data", [b"hello", b"%!PS-Adobe-3.0 EPSF-3.0", b"<svg/>", b"\x89PNG"])
def test_what_is_no_image_is_refused(data):
    with pytest.raises(RequestError, match="is no PNG"):
        decode_image(data, LIMITS)


@pytest.mark.parametrize("data", [file_of(COLORS)[:60], file_of(COLORS, "TIFF")[:40], file_of(COLORS, "JPEG")[:300]])
def test_an_image_that_is_cut_off_is_refused(data):
    with pytest.raises(RequestError, match=r"cannot be decoded|is no PNG"):
        decode_image(data, LIMITS)


@pytest.mark.parametrize("size", [(30_000, 30_000), (30_000, 8), (8, 30_000), (100_000, 100_000)])
def test_images_that_claim_to_be_huge_are_refused_before_they_are_decoded(size):
    with pytest.raises(RequestError, match=r"too large|at most") as caught:
        decode_image(png_of_size(*size), LIMITS)
    assert caught.value.status == 413


def test_the_limit_can_be_set():
    with pytest.raises(RequestError, match="9 x 6 pixels"):
        decode_image(file_of(COLORS), ImageLimits(pixels=53))
    assert decode_image(file_of(COLORS), ImageLimits(pixels=54)).shape == (6, 9, 3)
