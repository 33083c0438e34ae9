"""SA-V folders: videos of 24 frames a second, of which every fourth is labelled; objects may overlap.

Train: `<id>.mp4` with run-length masks in `<id>_manual.json`, or in `<id>_auto.json` where nobody drew any; beside each
other or one folder down. Validation and test: frames in JPEGImages_24fps/<id>/ and a folder of mask images for each
object in Annotations_6fps/<id>/<object>/. Their objects count from 0; here all count from 1, since 0 is background.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, FailFast, Field, ValidationError

from src_model.datasets.listing import files_in, folders_in, label_paths, licence_of, pictures_in, read_label_image
from src_model.datasets.movie import Dataset, Kind, OverlappingMovie, recent_movie
from src_model.errors import MaskError, MovieError
from src_model.masks import Rle

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from src_model.frames import FrameSource

IMAGES, ANNOTATIONS = "JPEGImages_24fps", "Annotations_6fps"
EVERY = 4
"""One of so many frames is labelled."""
_MOST_JSON = 2**28


class CocoMask(BaseModel):
    """A mask as COCO writes it: size (Y, X), compressed counts."""

    size: tuple[int, int]
    counts: str


class MaskletFile(BaseModel):
    """What is read of a video's file: masks by labelled frame and object, and the objects' ids."""

    masklet: Annotated[list[Annotated[list[CocoMask | None], FailFast()]], FailFast()]
    masklet_id: list[Annotated[int, Field(ge=0, lt=2**31 - 1)]]


@dataclass(frozen=True)
class SavFramesMovie(OverlappingMovie):
    """A movie of the validation or test set."""

    images: Path
    annotations: Path

    @property
    def movie(self) -> FrameSource:
        """Its frames: (T, Y, X) or (T, Y, X, 3), read when asked for."""
        return recent_movie(self.images)

    @property
    def labelled_frames(self) -> Sequence[int]:
        """Frames with a mask image of any object."""
        return self._frames

    def object_ids(self) -> tuple[int, ...]:
        """Ids of all objects: one more than their folder's number."""
        return tuple(self._paths)

    @cached_property
    def _paths(self) -> dict[int, dict[int, Path]]:
        images, found = pictures_in(self.images), {}
        for name in folders_in(self.annotations):
            if not (name.isascii() and name.isdigit()):
                raise MovieError(f"'{self.annotations / name}' is no object: expected a number, such as '000'")
            found[int(name) + 1] = label_paths(self.annotations / name, images, (".png",))
        return dict(sorted(found.items()))

    @cached_property
    def _frames(self) -> tuple[int, ...]:
        frames = sorted({frame for paths in self._paths.values() for frame in paths})
        if not frames:
            raise MovieError(f"'{self.annotations}' holds no masks: expected <object>/<frame>.png")
        return tuple(frames)

    def _read_mask(self, object_id: int, frame: int) -> Rle | None:
        path = self._paths[object_id].get(frame)
        return None if path is None else Rle.encode(read_label_image(path).values > 0)


@dataclass(frozen=True)
class SavVideoMovie(OverlappingMovie):
    """A movie of the training set."""

    video: Path
    masklets: Path

    @property
    def movie(self) -> FrameSource:
        """Its frames: (T, Y, X) or (T, Y, X, 3), read when asked for."""
        return recent_movie(self.video)

    @property
    def labelled_frames(self) -> Sequence[int]:
        """Every fourth frame, from 0: at 24 frames a second, six were annotated."""
        return range(0, EVERY * len(_masklets(self.masklets).masklet), EVERY)

    def object_ids(self) -> tuple[int, ...]:
        """Ids of all objects: one more than in the file."""
        return tuple(sorted(number + 1 for number in _masklets(self.masklets).masklet_id))

    def _read_mask(self, object_id: int, frame: int) -> Rle | None:
        file = _masklets(self.masklets)
        coco = file.masklet[frame // EVERY][file.masklet_id.index(object_id - 1)]
        if coco is None:
            return None
        try:
            return Rle.from_coco(coco.model_dump())
        except MaskError as error:
            raise MovieError(f"'{self.masklets}' has a damaged mask of object {object_id - 1}: {error}") from error


@lru_cache(maxsize=4)
def _masklets(path: Path) -> MaskletFile:
    """Read a file of masklets; several megabytes, so only few are kept."""
    try:
        if path.stat().st_size > _MOST_JSON:
            raise MovieError(f"'{path}' has {path.stat().st_size} bytes: expected at most {_MOST_JSON}")
        file = MaskletFile.model_validate_json(path.read_bytes())
    except OSError as error:
        raise MovieError(f"'{path}' cannot be read ({error.strerror}): expected masklets of SA-V") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise MovieError(f"'{path}' holds no masklets of SA-V: {first['msg']} at '{place}'") from error
    uneven = [number for number, row in enumerate(file.masklet) if len(row) != len(file.masklet_id)]
    if uneven or not file.masklet or len(set(file.masklet_id)) < len(file.masklet_id):
        what = f"row {uneven[0]} has another number of masks" if uneven else "there are no frames, or an id comes twice"
        raise MovieError(f"'{path}' does not fit together: {what}; expected one mask an id in each row of 'masklet'")
    return file


def is_sav(path: Path) -> bool:
    """Tell whether a folder has this layout."""
    return (path / IMAGES).is_dir() or (path.is_dir() and bool(_videos(path)))


def open_sav(path: Path, *, kind: Kind = "natural") -> Dataset:
    """Open a folder of SA-V; `split` is not needed, since each split has a folder.

    Raises
    ------
    MovieError
        There are no labelled videos, or frames of a labelled one are missing.
    """
    if (path / IMAGES).is_dir():
        movies = _frame_movies(path, kind)
    else:
        movies = tuple(SavVideoMovie(video.stem, kind, video, masklets) for video, masklets in _videos(path))
    if not movies:
        raise MovieError(
            f"'{path}' holds no labelled videos: expected <id>.mp4 with <id>_manual.json or <id>_auto.json, "
            f"or {IMAGES} with {ANNOTATIONS}"
        )
    return Dataset(path.name, "sa-v", tuple(sorted(movies, key=lambda movie: movie.name)), licence_of(path))


def _frame_movies(path: Path, kind: Kind) -> tuple[OverlappingMovie, ...]:
    names = folders_in(path / ANNOTATIONS)
    missing = sorted(set(names) - set(folders_in(path / IMAGES)))
    if missing:
        raise MovieError(f"'{path / ANNOTATIONS / missing[0]}' has no frames: expected '{path / IMAGES / missing[0]}'")
    return tuple(SavFramesMovie(name, kind, path / IMAGES / name, path / ANNOTATIONS / name) for name in names)


def _videos(path: Path) -> list[tuple[Path, Path]]:
    """Videos with their masklets, in this folder and those one down."""
    found = []
    for folder in [path, *(path / name for name in folders_in(path))]:
        files = {file.name for file in files_in(folder, (".json",))}
        for video in files_in(folder, (".mp4",)):
            masklets = [name for part in ("manual", "auto") if (name := f"{video.stem}_{part}.json") in files]
            if masklets:
                found.append((video, folder / masklets[0]))
    return found
