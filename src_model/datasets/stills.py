"""Folders of labelled stills: images/<name>.png with labels/<name>.png; each is a movie of one frame."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from src_model.datasets.listing import label_paths, licence_of, pictures_in, read_label_image
from src_model.datasets.movie import Dataset, FlatMovie, Kind, Labels, recent_movie
from src_model.errors import MovieError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from src_model.frames import FrameSource

IMAGES, LABELS = "images", ("labels", "masks")
_LOSSLESS = (".png", ".tif", ".tiff")


@dataclass(frozen=True)
class StillMovie(FlatMovie):
    """A labelled picture, as a movie of one frame."""

    image: Path
    truth: Path

    @property
    def movie(self) -> FrameSource:
        """The picture as a movie of one frame."""
        return recent_movie(self.image)

    @property
    def labelled_frames(self) -> Sequence[int]:
        """Its only frame, number 0."""
        return range(1)

    def _read_labels(self, frame: int) -> Labels:
        return read_label_image(self.truth).values


def is_stills(path: Path) -> bool:
    """Tell whether a folder has this layout."""
    return (path / IMAGES).is_dir() and any((path / name).is_dir() for name in LABELS)


def open_stills(path: Path, *, kind: Kind = "microscopy") -> Dataset:
    """Open a folder of labelled stills; images without labels are left out.

    Raises
    ------
    MovieError
        A folder is missing or empty, or labels have no image.
    """
    found = [path / name for name in LABELS if (path / name).is_dir()]
    if not found:
        raise MovieError(f"'{path}' has no folder 'labels': expected images/<name>.png and labels/<name>.png")
    images = pictures_in(path / IMAGES)
    truths = label_paths(found[0], images, _LOSSLESS)
    if not truths:
        raise MovieError(f"'{found[0]}' holds no labels: expected a {', '.join(_LOSSLESS)} file named as an image is")
    movies = (StillMovie(images[number].stem, kind, images[number], truth) for number, truth in truths.items())
    return Dataset(path.name, "stills", tuple(sorted(movies, key=lambda movie: movie.name)), licence_of(path))
