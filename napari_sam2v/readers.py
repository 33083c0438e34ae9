"""Readers for File > Open and drag and drop: annotations, tracked cells, and movies that napari cannot read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from src_model.document.lineage import parents_of
from src_model.document.units import space_unit, time_unit
from src_model.formats import holds_tracks, read_objects
from src_model.frames.opening import VIDEO_SUFFIXES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from src_model.document import Annotation

MOVIE_SUFFIXES = (*VIDEO_SUFFIXES, ".npz", ".zarr.zip", ".ozx")
LayerData = tuple[Any, dict[str, Any], str]
PathLikes = str | PathLike[str] | Sequence[str | PathLike[str]]
Reader = Callable[[PathLikes], list[LayerData]]


def annotation_reader(path: PathLikes) -> Reader | None:
    """Return the reader of a .sam2v file; None for anything else."""
    single = _single(path)
    return read_annotation if single is not None and single.suffix.lower() == ".sam2v" else None


def tracked_cells_reader(path: PathLikes) -> Reader | None:
    """Return the reader of tracked cells, or of the table of the challenge in their folder; None for anything else."""
    single = _single(path)
    return read_tracked_cells if single is not None and holds_tracks(_folder(single)) else None


def movie_reader(path: PathLikes) -> Reader | None:
    """Return the reader of a video or another file that napari has no reader for; None for anything else."""
    single = _single(path)
    return read_movie if single is not None and single.name.lower().endswith(MOVIE_SUFFIXES) else None


def read_movie(path: PathLikes) -> list[LayerData]:
    """Make an Image layer of a movie, whose frames are read when they are looked at.

    Raises
    ------
    MovieError
        If it cannot be read.
    """
    import dask.array
    from napari.utils.notifications import show_warning

    from src_model.frames import open_movie

    single = _single(path)
    assert single is not None, "napari asked for a reader of it"
    movie = open_movie(single)
    for note in getattr(movie, "notes", ()):
        show_warning(note)

    def read(block_info: Any = None) -> NDArray[np.generic]:
        return movie.read(block_info[None]["array-location"][0][0])[np.newaxis]

    length, *frame = movie.shape
    chunks = ((1,) * length, *((size,) for size in frame))
    meta = np.empty((0,) * len(movie.shape), movie.dtype)
    frames = dask.array.map_blocks(read, chunks=chunks, dtype=movie.dtype, meta=meta)
    return [(frames, {"name": single.stem, "rgb": len(frame) == 3}, "image")]


def read_annotation(path: PathLikes) -> list[LayerData]:
    """Make a Labels layer of an annotation, painted when it is looked at, and a Tracks layer.

    Raises
    ------
    AnnotationFileError
        If it cannot be read.
    """
    from src_model.document import load

    single = _single(path)
    assert single is not None, "napari asked for a reader of it"
    return layers_of(load(single), single.stem, {"sam2v_annotation": str(single)})


def read_tracked_cells(path: PathLikes) -> list[LayerData]:
    """Make a Labels layer and a Tracks layer of a folder of the challenge, or of a file of TrackMate, COCO or GEFF.

    Raises
    ------
    FormatError
        If it cannot be read.
    MissingExtraError
        If a package is needed that is not installed.
    """
    from napari.utils.notifications import show_warning

    single = _single(path)
    assert single is not None, "napari asked for a reader of it"
    imported = read_objects(_folder(single))
    for note in imported.notes:
        show_warning(note)
    return layers_of(imported.document(), imported.name)


def layers_of(annotation: Annotation, name: str, metadata: dict[str, Any] | None = None) -> list[LayerData]:
    """Make a Labels layer of a document, and a Tracks layer if it has masks.

    Parameters
    ----------
    annotation
        The document; the labels look at it as it is now.
    name
        Name of the Labels layer; the Tracks layer gets one made of it.
    metadata
        Metadata of the Labels layer.
    """
    movie = annotation.movie
    units = [time_unit(movie.units[0]), space_unit(movie.units[1]), space_unit(movie.units[2])]
    place: dict[str, Any] = {
        "scale": movie.scale,
        "units": tuple("pixel" if unit is None else unit.name for unit in units),
        "axis_labels": ("t", "y", "x"),
    }
    options = {"name": name, "metadata": metadata or {}, "colormap": _colors(annotation), **place}
    layers: list[LayerData] = [(painted(annotation), options, "labels")]
    rows = _centroids(annotation)
    if len(rows):
        tracked = set(rows[:, 0].astype(int).tolist())
        layers.append((rows, {"name": f"{name} tracks", "graph": _graph(annotation, tracked), **place}, "tracks"))
    return layers


def painted(annotation: Annotation) -> Any:
    """Return the label images of a document as a dask array, (T, Y, X) uint16 or uint32, painted when looked at."""
    import dask.array

    from src_model.document import label_image
    from src_model.formats.label_movie import label_dtype

    frozen = cast("Annotation", annotation.snapshot())  # of which no more than a view is needed
    dtype = label_dtype(annotation.objects, least=np.uint16)
    length, (height, width) = annotation.movie.length, annotation.movie.frame_shape

    def paint(block_info: Any = None) -> NDArray[np.integer]:
        frame = block_info[None]["array-location"][0][0]
        return label_image(frozen, frame, dtype=dtype)[np.newaxis]

    chunks = ((1,) * length, (height,), (width,))
    return dask.array.map_blocks(paint, chunks=chunks, dtype=dtype, meta=np.empty((0, 0, 0), dtype))


def _colors(annotation: Annotation) -> Any:
    from napari.utils.colormaps import DirectLabelColormap

    colors: dict[int | None, str] = {object_id: info.color for object_id, info in annotation.objects.items()}
    return DirectLabelColormap(color_dict={None: "transparent", 0: "transparent", **colors})


def _centroids(annotation: Annotation) -> NDArray[np.float64]:
    """Rows of object id, frame, y, x."""
    from src_model.masks import centroid

    rows = [
        (object_id, frame, *middle)
        for object_id in annotation.objects
        for frame, entry in annotation.masklet(object_id).entries().items()
        if (middle := centroid(entry.mask)) is not None
    ]
    return np.array(rows, np.float64).reshape(-1, 4)


def _graph(annotation: Annotation, tracked: set[int]) -> dict[int, list[int]]:
    parents = parents_of(annotation.divisions.values())
    known = {daughter: [each for each in found if each in tracked] for daughter, found in parents.items()}
    return {daughter: found for daughter, found in known.items() if found and daughter in tracked}


def _single(path: PathLikes) -> Path | None:
    if isinstance(path, str | PathLike):
        return Path(path)
    return Path(path[0]) if len(path) == 1 else None


def _folder(path: Path) -> Path:
    return path.parent if path.name.endswith("_track.txt") else path
