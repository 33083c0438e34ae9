"""What small data sets are made of."""

from __future__ import annotations

import numpy as np
import tifffile
from PIL import Image

SHAPE = (20, 30)


def squares(frame, ids=(1, 2)):
    """Labels of objects that move a pixel a frame, each a square of 4 pixels."""
    labels = np.zeros(SHAPE, np.uint8)
    for place, number in enumerate(ids):
        labels[2 + 8 * place : 6 + 8 * place, 3 + frame : 7 + frame] = number
    return labels


def picture(frame):
    """An RGB frame that tells its number."""
    return np.full((*SHAPE, 3), 10 * frame, np.uint8)


def save_picture(path, values):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(values).save(path)


def save_palette(path, labels):
    """Save labels as DAVIS does: numbers of colors that say nothing by themselves."""
    path.parent.mkdir(parents=True, exist_ok=True)
    indexed = Image.new("P", labels.shape[::-1])
    indexed.putdata(labels.ravel().tolist())
    indexed.putpalette([value for number in range(256) for value in (255 - number, 7, number)])
    indexed.save(path)


def save_tiff(path, values):
    path.parent.mkdir(parents=True, exist_ok=True)
    tifffile.imwrite(path, values, photometric="minisblack")
