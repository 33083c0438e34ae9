"""GEFF, the graph exchange format of cell tracking: a node for each object and frame, an edge to the next one.

Nodes are centroids in frames and pixels, with the scale beside them, and edges as in
:mod:`~src_model.formats.track_graph`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np

from src_model.document.provenance import ORIGINS
from src_model.document.units import space_unit, time_unit
from src_model.errors import MissingExtraError
from src_model.formats.marks import SOFTWARE, ZARR_ATTRIBUTE, is_our_zarr
from src_model.formats.track_graph import LONGEST_TEXT, TrackGraph, note_long_texts
from src_model.masks import centroid

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from src_model.formats.run import ExportRun

_FLOATS = ("y", "x", "score", "object_score")
SHAPE_KEY = "sam2v_shape"
"""Where the file says how large the movie is, (T, Y, X): the format itself has no place for that."""


def write_geff(run: ExportRun, path: Path) -> None:
    """Write the graph.

    Parameters
    ----------
    run
        The document on its way, of which each frame is taken once.
    path
        The folder, which does not exist yet.

    Raises
    ------
    MissingExtraError
        If the package geff is not installed.
    """
    try:
        import zarr
        from geff import GeffMetadata
        from geff.core_io import write_arrays
    except ImportError as error:
        raise MissingExtraError("geff", "geff", f"writing '{path}'") from error
    found = _Nodes(run)
    nodes = np.arange(len(found.graph.objects), dtype=np.uint64)
    edges = np.array(found.graph.edges, np.uint64).reshape(-1, 2)
    movie = run.annotation.movie
    axes: Any = [_axis(run, number, name) for number, name in enumerate("tyx")]
    metadata = GeffMetadata(
        directed=True,
        axes=axes,
        node_props_metadata={},
        edge_props_metadata={},
        track_node_props={"lineage": "lineage_id", "tracklet": "tracklet_id"},
        extra={SHAPE_KEY: [movie.length, *movie.frame_shape]},
    )
    properties: Any = {name: {"values": values, "missing": None} for name, values in found.properties().items()}
    write_arrays(str(path), nodes, properties, edges, {}, metadata, zarr_format=2)
    zarr.open_group(store=str(path), mode="r+", zarr_format=2).attrs[ZARR_ATTRIBUTE] = SOFTWARE
    run.note("masks", len(nodes), "A graph holds no masks: only where objects are and how large.")
    note_long_texts(run, *(text for info in run.objects.values() for text in (info.name, info.class_name)))
    found.graph.note_changes()


def is_ours(path: Path) -> bool:
    """Tell whether a folder holds nothing but what :func:`write_geff` left."""
    return is_our_zarr(path, "nodes|edges")


def _axis(run: ExportRun, number: int, name: str) -> dict[str, Any]:
    movie = run.annotation.movie
    unit = time_unit(movie.units[number]) if name == "t" else space_unit(movie.units[number])
    axis: dict[str, Any] = {"name": name, "type": "time" if name == "t" else "space"}
    axis["unit"] = "frame" if name == "t" else "pixel"
    if unit is not None:
        axis |= {"scale": movie.scale[number], "scaled_unit": unit.name}
    elif movie.scale[number] != 1:
        axis["scale"] = movie.scale[number]
    return axis


class _Nodes:
    """What is known of each node of the graph."""

    def __init__(self, run: ExportRun) -> None:
        self._run = run
        self.graph = TrackGraph(run)
        self.columns: dict[str, list[Any]] = {name: [] for name in ("t", *_FLOATS, "area", "origin")}
        for frame, entries in run.frames():
            middles = {object_id: centroid(entry.mask) for object_id, entry in entries.items()}
            for object_id in self.graph.step(each for each, middle in middles.items() if middle is not None):
                entry, (y, x) = entries[object_id], cast("tuple[float, float]", middles[object_id])
                row = (frame, y, x, entry.score, entry.object_score, entry.mask.area, str(entry.origin))
                for column, value in zip(self.columns.values(), row, strict=True):
                    column.append(value)

    def properties(self) -> dict[str, NDArray[Any]]:
        """Return the values of all nodes by name."""
        tables: dict[str, NDArray[Any]] = {
            name: np.array(values, np.float64 if name in _FLOATS else np.int64)
            for name, values in self.columns.items()
            if name != "origin"
        }
        tables["origin"] = np.array(self.columns["origin"], f"<U{max(map(len, ORIGINS))}")
        objects = self.graph.objects
        infos = [self._run.objects[object_id] for object_id in objects]
        for name, texts in (("name", [info.name for info in infos]), ("class", [info.class_name for info in infos])):
            if any(texts):
                tables[name] = np.array([text[:LONGEST_TEXT] for text in texts], str)
        kinship = self.graph.kinship()
        tables["object"] = np.array(objects, np.int64)
        tables["tracklet_id"] = self.graph.tracklets()
        tables["lineage_id"] = np.array([kinship[object_id].lineage_id for object_id in objects], np.int64)
        tables["generation"] = np.array([kinship[object_id].generation for object_id in objects], np.int64)
        return tables
