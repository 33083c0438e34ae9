"""Several pictures on one sheet."""

from __future__ import annotations

import numpy as np
from PIL import Image

from src_model.cli.sheets import Tile, captioned, compose, save_sheet


def gray(height, width, value=100):
    return np.full((height, width, 3), value, np.uint8)


def test_tiles_lie_where_they_belong_and_the_rest_is_transparent():
    sheet = compose([Tile(gray(20, 30), ""), Tile(gray(10, 30, 200), "", (0, 40))])
    assert sheet.shape == (20, 70, 4)
    assert (sheet[:20, :30] == (100, 100, 100, 255)).all()
    assert (sheet[:10, 40:] == (200, 200, 200, 255)).all()
    assert not sheet[:, 30:40].any()
    assert not sheet[10:, 40:].any()


def test_a_caption_stands_in_the_lower_left_corner():
    picture = captioned(gray(200, 300), "frame 5")
    assert (picture != 100).any()
    assert (picture[:150] == 100).all()
    assert (picture[:, 150:] == 100).all()
    assert picture.max() > 200


def test_captions_are_left_out_where_they_could_not_be_read():
    assert (captioned(gray(20, 30), "frame 5") == 100).all()
    assert (captioned(gray(200, 300), "") == 100).all()


def test_all_captions_have_a_ground_of_one_height():
    heights = {
        len(np.flatnonzero((captioned(gray(200, 300), text) != 100).any(axis=(1, 2)))) for text in ("ace", "gyp", "5")
    }
    assert len(heights) == 1


def test_png_keeps_transparency_and_jpeg_is_on_white(tmp_path):
    sheet = compose([Tile(gray(16, 16), ""), Tile(gray(16, 16), "", (0, 32))])
    for name in ("a.png", "a.jpg"):
        save_sheet(tmp_path / name, sheet)
    with Image.open(tmp_path / "a.png") as png, Image.open(tmp_path / "a.jpg") as jpeg:
        assert png.mode == "RGBA"
        assert jpeg.format == "JPEG"
        assert jpeg.getpixel((24, 8)) == (255, 255, 255)
