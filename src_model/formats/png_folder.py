"""A folder of PNG label images, one a frame, named and colored as in DAVIS and YouTube-VOS.

In a palette image the color's number is the object; 255 is kept free, because data sets mark regions with it that
belong to nobody. Larger numbers make 16-bit gray images.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from src_model.formats.marks import is_our_folder, is_our_picture, picture_mark
from src_model.formats.run import fitting_numbers, renumbered_labels

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from src_model.formats.run import ExportRun

MAX_COLOR: Final = 254
_MAX_GRAY: Final = 2**16 - 1
_DIGITS: Final = 5
"""As in DAVIS; more where the movie is longer."""


def write_png_folder(run: ExportRun, path: Path) -> None:
    """Write 00000.png, 00001.png, ...

    Parameters
    ----------
    run
        The document on its way, of which each frame is taken once.
    path
        The folder, which does not exist yet and is made.

    Raises
    ------
    FormatError
        If there are more objects than 16 bits can number.
    """
    from PIL import Image

    path.mkdir()
    numbers = fitting_numbers(run.seen, _MAX_GRAY)
    run.note_renumbered(numbers, _MAX_GRAY)
    palette = _palette(run, numbers) if max(numbers.values()) <= MAX_COLOR else None
    digits = max(_DIGITS, len(str(run.length - 1)))
    for frame, entries in run.frames():
        labels, visible = run.flatten(frame, entries)
        values = renumbered_labels(labels, visible, numbers, np.uint8 if palette is not None else np.uint16)
        picture = Image.fromarray(values)
        if palette is not None:
            picture.putpalette(palette)
        picture.save(path / f"{frame:0{digits}}.png", optimize=False, **picture_mark("PNG"))
    if palette is None:
        run.note(
            "palette",
            1,
            f"Numbers above {MAX_COLOR} have no place in a palette: the images are 16-bit gray, without colors.",
        )


def is_ours(path: Path) -> bool:
    """Tell whether a folder holds nothing but images that :func:`write_png_folder` left."""
    return is_our_folder(path, r"[0-9]+\.png", is_our_picture)


def _palette(run: ExportRun, numbers: Mapping[int, int]) -> bytes:
    """Colors of the objects by number; those of no object are black."""
    colors: NDArray[np.uint8] = np.zeros((256, 3), np.uint8)
    for object_id, number in numbers.items():
        colors[number] = list(bytes.fromhex(run.objects[object_id].color[1:]))
    return colors.tobytes()
