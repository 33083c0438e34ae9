"""Our own annotation documents: what a user confirmed is truth, to be trained on and evaluated with at once.

Confirmed are frames that are locked, painted, imported, or answered a prompt. Tracked frames that nobody locked are the
model's own guess; only truth "all" takes them too.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, TypeAlias

from src_model.datasets.listing import files_in, licence_of
from src_model.datasets.movie import Dataset, Kind, OverlappingMovie, recent_movie
from src_model.document import SUFFIX, Annotation, load
from src_model.errors import MovieError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from src_model.frames import FrameSource
    from src_model.masks import Rle

Trust: TypeAlias = Literal["confirmed", "all"]


@dataclass(frozen=True)
class AnnotationMovie(OverlappingMovie):
    """A movie with the document that annotates it.

    Attributes
    ----------
    path : Path
        The document, a ``.sam2v`` file.
    stamp : tuple of int
        Time of its last change in nanoseconds, and its size: a document that was saved again is another truth.
    truth : "confirmed" or "all"
        Which of its masks are truth.
    """

    path: Path
    stamp: tuple[int, int]
    truth: Trust = "confirmed"

    @property
    def movie(self) -> FrameSource:
        """The annotated movie: where the document says that it is, or beside the document."""
        return _movie_of(self)

    @property
    def labelled_frames(self) -> Sequence[int]:
        """Frames on which any object is known."""
        return tuple(sorted({frame for frames in _known_frames(self).values() for frame in frames}))

    @property
    def parents(self) -> Mapping[int, int]:
        """Parent id by daughter id, of all divisions that were marked."""
        divisions = _document(self).divisions.values()
        return MappingProxyType({daughter: each.parent for each in divisions for daughter in each.daughters})

    def object_ids(self) -> tuple[int, ...]:
        """Ids of the objects that are known on some frame."""
        return tuple(_known_frames(self))

    def known_frames(self, object_id: int) -> Sequence[int]:
        """Frames on which the object's mask, or its absence, is known."""
        return _known_frames(self).get(object_id, ())

    def _read_mask(self, object_id: int, frame: int) -> Rle | None:
        return _document(self).mask_at(object_id, frame) if frame in self.known_frames(object_id) else None


def is_annotations(path: Path) -> bool:
    """Tell whether this is a document or a folder with documents."""
    return bool(_documents(path))


def open_annotations(path: Path, *, truth: Trust = "confirmed", kind: Kind = "microscopy") -> Dataset:
    """Open a document or a folder of documents.

    Parameters
    ----------
    path
        A file that was saved by the plugin or the command, or a folder of such.
    truth
        "confirmed", or "all" to take unconfirmed tracked frames for true.
    kind
        What the movies show.

    Raises
    ------
    MovieError
        There are no documents, or the truth is none of the two.
    """
    if truth not in ("confirmed", "all"):
        raise MovieError(f"truth={truth!r} cannot be taken from annotations: expected 'confirmed' or 'all'")
    movies = []
    for file in _documents(path):
        stat = file.stat()
        movies.append(AnnotationMovie(file.stem, kind, file, (stat.st_mtime_ns, stat.st_size), truth))
    if not movies:
        raise MovieError(f"'{path}' holds no annotations: expected {SUFFIX} files")
    return Dataset(path.name, "annotation", tuple(movies), licence_of(path if path.is_dir() else path.parent))


def _documents(path: Path) -> list[Path]:
    if path.is_dir():
        return files_in(path, (SUFFIX,))
    return [path] if path.suffix.lower() == SUFFIX and path.is_file() else []


@lru_cache(maxsize=8)
def _document(movie: AnnotationMovie) -> Annotation:
    return load(movie.path)


@lru_cache(maxsize=64)
def _known_frames(movie: AnnotationMovie) -> dict[int, tuple[int, ...]]:
    """Frames on which each object is known; objects that are known on none are left out."""
    document = _document(movie)
    known = {}
    for object_id in document.objects:
        frames = tuple(
            state.frame
            for state in document.frame_states(object_id)
            if state.origin is not None and (movie.truth == "all" or state.locked or not state.origin.is_tracked)
        )
        if frames:
            known[object_id] = frames
    if not known:
        raise MovieError(
            f"'{movie.path}' confirms no mask: lock frames that are right, or pass truth='all' to trust tracked ones"
        )
    return known


@lru_cache(maxsize=8)
def _movie_of(movie: AnnotationMovie) -> FrameSource:
    identity = _document(movie).movie
    beside = movie.path.parent
    names = [identity.path, Path(identity.path).name, Path(identity.name).name]
    found = next((beside / name for name in names if name and (beside / name).exists()), None)
    if found is None:
        raise MovieError(
            f"the movie '{identity.name}' that '{movie.path}' annotates is not there: expected it at "
            f"'{identity.path or beside / identity.name}' or beside the annotation"
        )
    source = recent_movie(found)
    differences = identity.differences(source)
    if differences:
        raise MovieError(f"'{found}' is not the movie that '{movie.path}' annotates: {differences[0]}")
    return source
