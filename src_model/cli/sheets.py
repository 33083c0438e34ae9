"""Putting pictures of several frames together, each with a caption."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from src_model.cli.overlay import Picture

GAP = 10
"""Transparent pixels between two tiles."""


@dataclass(frozen=True, slots=True)
class Tile:
    """A picture with a caption, and where its top left corner goes: (y, x)."""

    picture: Picture
    caption: str
    place: tuple[int, int] = (0, 0)


def compose(tiles: Sequence[Tile], letters: float = 22) -> NDArray[np.uint8]:
    """Put tiles on one transparent sheet.

    Parameters
    ----------
    tiles
        Pictures with captions and places; the sheet is as large as they need.
    letters
        Height of the captions in pixels.

    Returns
    -------
    numpy.ndarray
        ``(height, width, 4)`` uint8, red, green, blue, opacity.
    """
    height = max(tile.place[0] + tile.picture.shape[0] for tile in tiles)
    width = max(tile.place[1] + tile.picture.shape[1] for tile in tiles)
    sheet = np.zeros((height, width, 4), np.uint8)
    for tile in tiles:
        y, x = tile.place
        region = sheet[y : y + tile.picture.shape[0], x : x + tile.picture.shape[1]]
        region[..., :3] = captioned(tile.picture, tile.caption, letters)
        region[..., 3] = 255
    return sheet


def captioned(picture: Picture, caption: str, letters: float = 22) -> Picture:
    """Write a caption into the lower left corner, on a dark ground; its letters are at most a tenth of the height."""
    size = min(letters, picture.shape[0] / 10)
    if not caption or size < 5:
        return picture
    image = Image.fromarray(picture).convert("RGBA")
    font = ImageFont.load_default(size=size)
    ground = Image.new("RGBA", image.size, (0, 0, 0, 0))
    draw = ImageDraw.Draw(ground)
    left, _, right, _ = draw.textbbox((0, 0), caption, font=font)
    # The same height for every caption, whether its letters go below the line or not.
    _, cap_top, _, base = draw.textbbox((0, 0), "M0", font=font)
    pad, inset = size * 0.5, size * 0.55
    box_top = image.height - inset - 2 * pad - (base - cap_top)
    box = (inset, box_top, inset + 2 * pad + right - left, image.height - inset)
    draw.rounded_rectangle(box, radius=size * 0.4, fill=(0, 0, 0, 165))
    draw.text((inset + pad - left, box_top + pad - cap_top), caption, font=font, fill=(255, 255, 255, 255))
    return np.asarray(Image.alpha_composite(image, ground).convert("RGB"))


def save_sheet(path: Path, sheet: NDArray[np.uint8]) -> None:
    """Write a sheet as PNG, or on white as JPEG; it appears when it is complete."""
    from src_model.files import replacing
    from src_model.formats.marks import picture_mark

    image = Image.fromarray(sheet)
    kind = "PNG" if path.suffix.lower() == ".png" else "JPEG"
    if kind == "JPEG":
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
    with replacing(path) as part:
        image.save(part, format=kind, quality=92, **picture_mark(kind))
