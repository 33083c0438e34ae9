"""DAVIS, YouTube-VOS, MOSE and LVOS folders: JPEGImages/<movie>/ with label images in Annotations/<movie>/.

In palette images the color's number is the object, and 255 is nobody's (a region left out). In gray images 255 alone
is the one object of DAVIS 2016; other values are objects. Frames without a label image are not labelled: YouTube-VOS
has one on every fifth frame, test sets have one on the first.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from src_model.datasets.listing import folders_in, label_paths, licence_of, pictures_in, read_label_image, read_text
from src_model.datasets.movie import Dataset, FlatMovie, Kind, Labels, recent_movie
from src_model.errors import MovieError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from src_model.frames import FrameSource

IMAGES, ANNOTATIONS, SPLITS = "JPEGImages", "Annotations", "ImageSets"
_RESOLUTIONS = ("480p", "1080p", "Full-Resolution")
"""Folders between JPEGImages and the movies; of several the first here is read."""
_VOID = 255


@dataclass(frozen=True)
class DavisMovie(FlatMovie):
    """A folder of frames with a folder of label images."""

    images: Path
    annotations: Path

    @property
    def movie(self) -> FrameSource:
        """Its frames: (T, Y, X) or (T, Y, X, 3), read when asked for."""
        return recent_movie(self.images)

    @property
    def labelled_frames(self) -> Sequence[int]:
        """Frames with a label image."""
        return tuple(self._paths)

    @cached_property
    def _paths(self) -> dict[int, Path]:
        paths = label_paths(self.annotations, pictures_in(self.images), (".png",))
        if not paths:
            raise MovieError(f"'{self.annotations}' holds no .png labels: expected one for at least the first frame")
        return paths

    def _read_labels(self, frame: int) -> Labels:
        image = read_label_image(self._paths[frame])
        void = image.values == _VOID
        if void.any():
            only = not image.palette and not (image.values[~void]).any()
            image.values[void] = 1 if only else 0
        return image.values


def is_davis(path: Path) -> bool:
    """Tell whether a folder, or the folder of a split in it, has this layout."""
    return (path / IMAGES).is_dir() or bool(_split_folders(path))


def open_davis(path: Path, *, split: str | None = None, kind: Kind = "natural") -> Dataset:
    """Open such a folder. Movies are the folders in Annotations; frames of others are never labelled.

    Parameters
    ----------
    path
        Folder with JPEGImages and Annotations, or with one such folder for each split.
    split
        A list in ImageSets, such as "val" or "2017/train", or one of those folders, such as "train"; None for all.
    kind
        What the movies show.

    Raises
    ------
    MovieError
        A folder is missing, the split is unknown or names a movie that is not there.
    """
    root, listed = path, split
    if not (path / IMAGES).is_dir():
        root, listed = _split_folder(path, split), None
    images = _with_resolution(root / IMAGES)
    annotations = root / ANNOTATIONS / images.relative_to(root / IMAGES)
    names = folders_in(annotations)
    missing = sorted(set(names) - set(folders_in(images)))
    if missing:
        raise MovieError(f"'{annotations / missing[0]}' has labels but no frames: expected '{images / missing[0]}'")
    if not names:
        raise MovieError(f"'{annotations}' is empty: expected a folder of label images for each movie")
    if listed is not None:
        names = _listed(root / SPLITS, listed, names)
    movies = tuple(DavisMovie(name, kind, images / name, annotations / name) for name in names)
    return Dataset(path.name, "davis", movies, licence_of(path))


def _with_resolution(folder: Path) -> Path:
    found = set(folders_in(folder))
    return next((folder / name for name in _RESOLUTIONS if name in found), folder)


def _split_folders(path: Path) -> list[str]:
    return [name for name in folders_in(path) if (path / name / IMAGES).is_dir()] if path.is_dir() else []


def _split_folder(path: Path, split: str | None) -> Path:
    splits = _split_folders(path)
    if split in splits:
        return path / str(split)
    if splits:
        raise MovieError(f"'{path}' has the splits {', '.join(splits)}, not {split!r}: pass split=... to choose one")
    raise MovieError(
        f"'{path}' has no folder '{IMAGES}': expected {IMAGES}/<movie>/*.jpg and {ANNOTATIONS}/<movie>/*.png"
    )


def _listed(folder: Path, split: str, names: list[str]) -> list[str]:
    """Names in the list of a split, in its order."""
    lists = {file.relative_to(folder).with_suffix("").as_posix(): file for file in sorted(folder.rglob("*.txt"))}
    found = [key for key in lists if key == split or key.endswith(f"/{split}")]
    if len(found) != 1:
        trouble = f"is one of several: {', '.join(found)}" if found else f"is not there: expected {_some(lists)}"
        raise MovieError(f"the split {split!r} of '{folder.parent}' {trouble}; pass split=... as it is listed")
    chosen = list(dict.fromkeys(_name_in(line) for line in read_text(lists[found[0]]).splitlines() if line.strip()))
    known = set(names)
    unknown = [name for name in chosen if name not in known]
    if unknown or not chosen:
        what = f"names '{unknown[0]}', which has no labels" if unknown else "is empty"
        raise MovieError(f"'{lists[found[0]]}' {what}: expected names of movies such as '{names[0]}'")
    return chosen


def _name_in(line: str) -> str:
    """Movie a line tells of: a name, or paths of a frame and its labels as in DAVIS 2016."""
    first = line.split()[0]
    return first.rsplit("/", 2)[-2] if "/" in first else first


def _some(lists: dict[str, Path]) -> str:
    return ", ".join(lists) or f"'{SPLITS}/<split>.txt'"
