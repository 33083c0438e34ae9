"""Pictures of what the network is trained on, one of every kind of clip: frames through time, the truth outlined."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from pathlib import Path

    from training_recipe.clips.clip import BoolArray, ByteArray
    from training_recipe.clips.mixture import MixtureSource

_TILE, _FRAMES, _ROWS, _CROWD = 144, 4, 3, 6
_COLORS = np.array(
    [[0, 230, 118], [255, 64, 129], [64, 196, 255], [255, 214, 0], [213, 0, 249], [255, 109, 0]], np.uint8
)
_GAP = 2
_SHADES = 160


def outlined(image: ByteArray, masks: BoolArray) -> ByteArray:
    """Draw the border of each mask (K, S, S) in its color over an image (S, S, 3)."""
    picture = image.copy()
    for mask, color in zip(masks, _COLORS, strict=False):
        border = mask & (cv2.erode(mask.astype(np.uint8), np.ones((3, 3), np.uint8)) == 0)
        picture[border] = color
    return picture


def strip(images: ByteArray, masks: BoolArray) -> ByteArray:
    """Put frames (T, S, S, 3) with the borders of masks (K, T, S, S) side by side."""
    tiles = [outlined(image, masks[:, frame]) for frame, image in enumerate(images)]
    return np.hstack([np.pad(tile, ((0, _GAP), (0, _GAP), (0, 0)), constant_values=255) for tile in tiles])


def gallery(mixture: MixtureSource, seed: int) -> dict[str, ByteArray]:
    """Draw a picture (Y, X, 3) of a few clips of every kind in a mixture, and of its crowds."""
    pictures: dict[str, ByteArray] = {}
    for source in mixture.sources:
        rng = np.random.default_rng([seed, *source.kind.encode()])
        clips = [source.sample(rng, frames=_FRAMES, size=_TILE) for _ in range(_ROWS)]
        pictures[source.kind] = np.vstack([strip(clip.images, clip.masks[None]) for clip in clips])
    if mixture.crowds is not None:
        rng = np.random.default_rng([seed, *b"crowd"])
        drawn = [mixture.crowds.sample(rng, frames=_FRAMES, size=_TILE, objects=_CROWD) for _ in range(_ROWS)]
        pictures["crowd"] = np.vstack([strip(crowd.images, crowd.masks) for crowd in drawn])
    return pictures


def save(picture: ByteArray, path: Path) -> None:
    """Write a picture as PNG with few enough colors to stay small."""
    Image.fromarray(picture).quantize(_SHADES, dither=Image.Dither.NONE).save(path, optimize=True)
