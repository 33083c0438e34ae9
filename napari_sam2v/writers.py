"""Writers for File > Save: a Labels layer, with a Tracks layer for its divisions, in the formats of other programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from src_model.errors import FormatError

if TYPE_CHECKING:
    from napari_sam2v.readers import LayerData
    from src_model.document import Annotation, Division
    from src_model.formats import Format

FOLDERS = {".ctc": "ctc", ".pngs": "png"}
"""Formats that are folders, by the suffix that chooses them in napari's dialog."""


def write_layers(path: str, layers: Sequence[LayerData]) -> list[str]:
    """Write a Labels layer and, if there is one, the divisions of a Tracks layer.

    Parameters
    ----------
    path
        The file or folder; its suffix chooses the format, and without one it is a folder of the Cell Tracking
        Challenge. What was written as this format is replaced, another file after asking, another folder never.
    layers
        The Labels layer, and maybe a Tracks layer whose track ids are its labels.

    Returns
    -------
    list of str
        Path of the file or folder that was written.

    Raises
    ------
    FormatError
        If the layers or the path do not fit the format.
    MissingExtraError
        If a package is needed that is not installed.
    """
    from napari.utils.notifications import show_warning

    from src_model.formats import ExportOptions, export

    target = Path(path)
    chosen = _format(target)
    annotation = document_of_layers(layers)
    options = ExportOptions(sources=_movies_open(), force=_may_replace(target, chosen))
    report = export(annotation, target, chosen, options)
    # Layers know no origins of masks, so what remains to be told is what changed.
    for loss in report.losses:
        if loss.matters:
            show_warning(loss.text)
    return [str(report.path)]


def document_of_layers(layers: Sequence[LayerData]) -> Annotation:
    """Make a document of a Labels layer and the divisions of a Tracks layer.

    Raises
    ------
    FormatError
        If there is no Labels layer of the axes (T, Y, X) or (Y, X), or its values are no labels.
    """
    from src_model.document import MovieIdentity
    from src_model.formats import Imported, read_labels

    found = {kind: (data, meta) for data, meta, kind in layers}
    if "labels" not in found:
        raise FormatError(
            "there is no Labels layer to write; select one, and if wanted the Tracks layer of its objects"
        )
    data, meta = found["labels"]
    labels = _flat_movie(data, str(meta.get("name", "labels")))
    imported = read_labels(labels, axes="TYX", name=str(meta.get("name", "labels")))
    if "tracks" in found:
        known = {masklet.object_id for masklet in imported.masklets}
        divisions = _divisions(*found["tracks"], known)
        imported = Imported(imported.name, imported.shape, imported.masklets, divisions=divisions)
    scale, units = _geometry(meta, data_axes=np.ndim(_finest(data)))
    movie = MovieIdentity(imported.name, imported.shape, str(labels.dtype), scale=scale, units=units)
    return imported.document(movie)


def _movies_open() -> list[Path]:
    """Return the files of the images in the viewer, onto which nothing is written."""
    import napari
    from napari.layers import Image

    from src_model.formats.target import files_of_movie

    viewer = napari.current_viewer()
    images = [layer for layer in viewer.layers if isinstance(layer, Image)] if viewer is not None else []
    return [file for layer in images if layer.source.path for file in files_of_movie(Path(layer.source.path))]


def _may_replace(path: Path, chosen: Format) -> bool:
    """Ask whether a file of other origin may be replaced; without a window nobody can be asked, and it is kept."""
    import napari

    if chosen.folder or not path.is_file() or chosen.is_ours(path) or napari.current_viewer() is None:
        return False
    from napari_sam2v.bindings.dialogs import may_replace

    return may_replace(path)


def _format(path: Path) -> Format:
    from src_model.formats import format_named, format_of

    if not path.suffix:
        return format_named("ctc")
    name = FOLDERS.get(path.suffix.lower())
    return format_of(path) if name is None else format_named(name)


def _finest(data: Any) -> Any:
    """Return the finest level of multiscale data, and other data as they are."""
    levels = isinstance(data, list | tuple) or type(data).__name__ == "MultiScaleData"
    return data[0] if levels else data


def _flat_movie(data: Any, name: str) -> Any:
    import dask.array

    labels = _finest(data)
    if labels.ndim == 2:
        labels = np.asarray(labels)[np.newaxis]
    while labels.ndim > 3 and labels.shape[1] == 1:
        labels = dask.array.asarray(labels)[:, 0]
    if labels.ndim != 3:
        raise FormatError(
            f"the layer '{name}' has the shape {tuple(labels.shape)} and cannot be written: expected (T, Y, X); "
            "slice or project the other axes first"
        )
    return labels


def _geometry(meta: Mapping[str, Any], data_axes: int) -> tuple[tuple[float, float, float], tuple[str, str, str]]:
    """Return scale and names of units along t, y and x."""
    scale = [abs(float(size)) for size in meta.get("scale", ())] or [1.0] * data_axes
    units = [str(unit) for unit in meta.get("units") or ()] or [""] * data_axes
    if data_axes == 2:
        scale, units = [1.0, *scale], ["", *units]
    return (scale[0], scale[-2], scale[-1]), (units[0], units[-2], units[-1])


def _divisions(rows: Any, meta: Mapping[str, Any], known: set[int]) -> tuple[Division, ...]:
    """Read the graph of a Tracks layer: parents by daughter, several where tracks fused."""
    from src_model.document.lineage import divisions_of

    table = np.asarray(rows)
    starts = {
        int(number): int(table[table[:, 0] == number, 1].min()) for number in np.unique(table[:, 0]) if number in known
    }
    links = {
        int(daughter): {int(parent) for parent in np.atleast_1d(parents) if parent in starts}
        for daughter, parents in (meta.get("graph") or {}).items()
        if daughter in starts
    }
    return divisions_of({daughter: parents for daughter, parents in links.items() if parents}, starts)
