"""Looking into folders: their entries, their label images, their licence; with clear words for what is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from src_model.datasets.movie import Labels, as_labels
from src_model.errors import MovieError
from src_model.frames.file_names import natural_key
from src_model.frames.folder import PICTURE_SUFFIXES, read_image

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_MOST_TEXT = 2**24


class LabelImage(NamedTuple):
    """A label image as stored; ``palette`` tells whether its values were numbers of colors in a palette."""

    values: Labels
    palette: bool


def folders_in(folder: Path) -> list[str]:
    """List the names of the folders in a folder, sorted; hidden ones are left out.

    Raises
    ------
    MovieError
        It is no folder, or cannot be listed.
    """
    return sorted(entry.name for entry in _entries(folder) if entry.is_dir())


def files_in(folder: Path, suffixes: Iterable[str]) -> list[Path]:
    """List the files of a folder that end so (lower case, with dot), in natural order; raises as `folders_in`."""
    wanted = set(suffixes)
    found = [entry for entry in _entries(folder) if entry.suffix.lower() in wanted and entry.is_file()]
    return sorted(found, key=natural_key)


def pictures_in(folder: Path) -> list[Path]:
    """List the image files of a folder in the order in which they are frames; raises as `folders_in`."""
    return files_in(folder, PICTURE_SUFFIXES)


def _entries(folder: Path) -> list[Path]:
    try:
        return [entry for entry in folder.iterdir() if not entry.name.startswith(".")]
    except OSError as error:
        raise MovieError(f"'{folder}' cannot be listed ({error.strerror}): expected a folder") from error


def label_paths(folder: Path, images: list[Path], suffixes: Iterable[str]) -> dict[int, Path]:
    """Find the label file of each frame that has one: it is named as the frame is.

    Raises
    ------
    MovieError
        A label file belongs to no frame.
    """
    numbers = {image.stem: number for number, image in enumerate(images)}
    found: dict[int, Path] = {}
    for path in files_in(folder, suffixes):
        if path.stem not in numbers:
            where = images[0].parent if images else folder
            raise MovieError(f"'{path}' belongs to no frame: expected an image named '{path.stem}' in '{where}'")
        found[numbers[path.stem]] = path
    return dict(sorted(found.items()))


def read_label_image(path: Path) -> LabelImage:
    """Read a label image: palettes as their numbers, gray and TIFF images as their values.

    Raises
    ------
    MovieError
        It is damaged, in colors that are not all gray, or holds no labels.
    """
    if PICTURE_SUFFIXES.get(path.suffix.lower()) == "PNG":
        numbers = _palette_numbers(path)
        if numbers is not None:
            return LabelImage(as_labels(numbers, path), palette=True)
    values, _ = read_image(path)
    if values.ndim == 3 and values.shape[2] == 3:
        if not (values == values[..., :1]).all():
            raise MovieError(f"'{path}' is in colors: expected labels, one number a pixel (a palette or gray image)")
        values = values[..., 0]
    return LabelImage(as_labels(values, path), palette=False)


def _palette_numbers(path: Path) -> np.ndarray | None:
    """Read the numbers of a PNG's palette colors; None if it has no palette."""
    from PIL import Image

    try:
        with Image.open(path) as picture:
            return np.asarray(picture) if picture.mode == "P" else None
    except (OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError) as error:
        raise MovieError(f"'{path}' cannot be read as an image ({error}): it may be damaged; replace it") from error


def read_text(path: Path) -> str:
    """Read a text file of at most 16 MiB; MovieError if that fails."""
    try:
        if path.stat().st_size > _MOST_TEXT:
            raise MovieError(f"'{path}' has {path.stat().st_size} bytes: expected a text file of at most {_MOST_TEXT}")
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise MovieError(f"'{path}' cannot be read ({error}): expected a text file") from error


def licence_of(folder: Path) -> str | None:
    """Give the first line of a folder's licence file, at most 200 characters; None where there is none."""
    for path in sorted(_entries(folder)):
        if path.name.lower().startswith(("license", "licence", "copying")) and path.is_file():
            with path.open(encoding="utf-8", errors="replace") as file:
                start = file.read(4096)
            return next((line.strip()[:200] for line in start.splitlines() if line.strip()), None)
    return None
