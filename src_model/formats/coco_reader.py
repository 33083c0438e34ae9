"""Reading COCO JSON of movies: those that are written here, and others with tracks or without."""

from __future__ import annotations

from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from src_model.document import MAX_OBJECT_ID, AnnotatedObject
from src_model.document.lineage import check_lineage, divisions_of
from src_model.document.objects import MAX_TEXT
from src_model.errors import AnnotationError, FormatError, MaskError, StoppedError
from src_model.formats.coco import NO_CLASS
from src_model.formats.importing import Imported
from src_model.formats.linked_spots import MAX_FRAMES, checked_shape
from src_model.formats.marks import head_of
from src_model.formats.run import never, no_progress
from src_model.masks import Masklet, Polygon, Rle, polygons_to_mask

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from os import PathLike

    from src_model.document import Division
    from src_model.formats.run import Progress

_MOST_BYTES: Final = 2**30
"""It is parsed in memory, of which that takes several times as much."""
_SECTIONS: Final = (b'"info"', b'"images"', b'"annotations"', b'"categories"', b'"videos"')

_Id = Annotated[int, Field(ge=1, le=MAX_OBJECT_ID)]
_Frame = Annotated[int, Field(ge=0, lt=MAX_FRAMES)]
_Text = Annotated[str, Field(max_length=MAX_TEXT)]


class _Row(BaseModel):
    """Other programs write more than is read here."""

    model_config = ConfigDict(extra="ignore", frozen=True, allow_inf_nan=False)


class _Image(_Row):
    id: int
    height: int
    width: int
    frame_index: _Frame | None = None


class _Category(_Row):
    id: int
    name: _Text


class _Track(_Row):
    id: _Id
    category_id: int | None = None
    name: _Text = ""
    color: _Text = ""
    note: _Text = ""
    parent_id: _Id | None = None
    parent_ids: tuple[_Id, ...] = ()

    @property
    def parents(self) -> set[int]:
        """Ids of the tracks that it comes from."""
        return {*self.parent_ids, *(() if self.parent_id is None else (self.parent_id,))}


class _Annotation(_Row):
    image_id: int
    segmentation: list[list[float]] | dict[str, Any]
    track_id: _Id | None = None
    category_id: int | None = None
    score: float = 1.0
    object_score: float = 1.0


class _File(_Row):
    images: tuple[_Image, ...]
    annotations: tuple[_Annotation, ...]
    categories: tuple[_Category, ...] = ()
    tracks: tuple[_Track, ...] = ()


def is_coco(path: Path) -> bool:
    """Tell whether a file begins as COCO JSON does."""
    if path.suffix.lower() != ".json" or not path.is_file():
        return False
    head = head_of(path)
    return head.lstrip().startswith(b"{") and any(section in head for section in _SECTIONS)


def read_coco(
    path: str | PathLike[str], *, progress: Progress = no_progress, cancelled: Callable[[], bool] = never
) -> Imported:
    """Read masks with tracks, names, classes and lineage, as far as the file has them.

    Parameters
    ----------
    path
        The file. Images are frames in the order of their ``frame_index``, or else of the file; an annotation without
        ``track_id`` is an object on one frame.
    progress
        Told how many annotations are read, and of how many.
    cancelled
        Asked before each annotation whether to stop.

    Raises
    ------
    FormatError
        If it is no such file, damaged, too large, of several movies, or contradicts itself.
    StoppedError
        If ``cancelled`` said so.
    """
    file = _parsed(Path(path))
    name = Path(path).name
    frames, shape = _frames(file, name)
    masklets: dict[int, Masklet] = {}
    owners = _owners(file)
    for done, (owner, row) in enumerate(zip(owners, file.annotations, strict=True)):
        if cancelled():
            raise StoppedError(f"reading '{path}' was stopped")
        if row.image_id not in frames:
            raise FormatError(f"'{name}' has an annotation of image {row.image_id}, which it does not list")
        if owner not in masklets:
            masklets[owner] = Masklet(owner, shape[1:])
        frame, where = frames[row.image_id], f"'{name}', track {owner} on image {row.image_id},"
        if frame in masklets[owner]:
            raise FormatError(f"{where} has two annotations: expected one each")
        masklets[owner].set(frame, _mask(row, shape[1:], where), score=row.score, object_score=row.object_score)
        progress(done + 1, len(file.annotations))
    ordered = tuple(masklets[number] for number in sorted(masklets))
    try:
        return Imported(name, shape, ordered, tuple(_objects(file, owners)), _divisions(file, ordered, name))
    except AnnotationError as error:
        raise FormatError(f"'{name}' is damaged: {error}") from error


def _parsed(path: Path) -> _File:
    try:
        size = path.stat().st_size
        if size > _MOST_BYTES:
            raise FormatError(f"'{path}' has {size} bytes: files of COCO have {_MOST_BYTES} at most")
        return _File.model_validate_json(path.read_bytes())
    except OSError as error:
        raise FormatError(f"'{path}' cannot be read: {error}") from error
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise FormatError(f"'{path}' is no COCO JSON of a movie: {where}: {first['msg']}") from error


def _frames(file: _File, name: str) -> tuple[dict[int, int], tuple[int, int, int]]:
    """Return the frame of each image, and ``(T, Y, X)``."""
    sizes = {(image.height, image.width) for image in file.images}
    if len(sizes) != 1:
        raise FormatError(f"'{name}' lists images of {len(sizes)} sizes: expected the frames of one movie")
    frames = {
        image.id: number if image.frame_index is None else image.frame_index for number, image in enumerate(file.images)
    }
    if len(frames) != len(file.images) or len(set(frames.values())) != len(frames):
        raise FormatError(f"'{name}' lists an image or a frame twice: expected the frames of one movie")
    ((height, width),) = sizes
    return frames, checked_shape(name, (max(frames.values()) + 1, height, width))


def _mask(row: _Annotation, shape: tuple[int, int], where: str) -> Rle:
    try:
        if isinstance(row.segmentation, list):
            outlines = [Polygon(np.array(ring).reshape(-1, 2)[:, ::-1]) for ring in row.segmentation]
            return Rle.encode(polygons_to_mask(outlines, shape))
        mask = Rle.from_coco(row.segmentation)
    except (MaskError, ValueError) as error:
        raise FormatError(f"{where} has a segmentation that cannot be: {error}") from error
    if mask.shape != shape:
        raise FormatError(f"{where} has a mask of the size {mask.shape}: expected {shape} as its image")
    return mask


def _owners(file: _File) -> list[int]:
    """Return the object id of each annotation; one without a track gets an id of its own."""
    free = count(max((each.track_id or 0 for each in file.annotations), default=0) + 1)
    return [next(free) if each.track_id is None else each.track_id for each in file.annotations]


def _objects(file: _File, owners: Iterable[int]) -> Iterator[AnnotatedObject]:
    classes = {category.id: category.name for category in file.categories}
    kinds = {owner: row.category_id for owner, row in zip(owners, file.annotations, strict=True)}
    tracks = {track.id: track for track in file.tracks}
    for number in sorted(kinds):
        track = tracks.get(number) or _Track(id=number)
        kind = classes.get(kinds.get(number) or track.category_id or 0, "")
        kind = "" if kind == NO_CLASS else kind
        yield AnnotatedObject(number, name=track.name, color=track.color, class_name=kind, note=track.note)


def _divisions(file: _File, masklets: Iterable[Masklet], name: str) -> tuple[Division, ...]:
    if len({track.id for track in file.tracks}) != len(file.tracks):
        raise FormatError(f"'{name}' lists a track twice: expected each once")
    begun = {masklet.object_id: masklet.frames[0] for masklet in masklets}
    parents = {track.id: track.parents & begun.keys() for track in file.tracks if track.id in begun}
    divisions = divisions_of({number: found for number, found in parents.items() if found}, begun)
    check_lineage({item.parent: item for item in divisions})
    return divisions
