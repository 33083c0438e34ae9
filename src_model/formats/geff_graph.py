"""GEFF, the graph exchange format of cell tracking: a node for each object and frame, an edge to the next one.

Nodes are centroids in frames and pixels, with the scale beside them; divisions are edges from the last node of the
parent to the first of the daughter. Gaps are edges over several frames.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from src_model.document.provenance import ORIGINS
from src_model.errors import MissingExtraError
from src_model.formats.marks import SOFTWARE, ZARR_ATTRIBUTE, is_our_zarr
from src_model.formats.report import some
from src_model.formats.units import space_unit, time_unit
from src_model.masks import centroid

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from src_model.formats.run import ExportRun

_FLOATS = ("y", "x", "score", "object_score")
_LONGEST_TEXT = 100
"""Characters of a name: it is repeated at every node."""


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
    graph = _Graph(run)
    nodes = np.arange(len(graph.columns["t"]), dtype=np.uint64)
    edges = np.array(graph.edges, np.uint64).reshape(-1, 2)
    axes: Any = [_axis(run, number, name) for number, name in enumerate("tyx")]
    metadata = GeffMetadata(
        directed=True,
        axes=axes,
        node_props_metadata={},
        edge_props_metadata={},
        track_node_props={"lineage": "lineage", "tracklet": "tracklet"},
    )
    properties: Any = {name: {"values": values, "missing": None} for name, values in graph.properties().items()}
    write_arrays(str(path), nodes, properties, edges, {}, metadata, zarr_format=2)
    zarr.open_group(store=str(path), mode="r+", zarr_format=2).attrs[ZARR_ATTRIBUTE] = SOFTWARE
    run.note("masks", len(nodes), "A graph holds no masks: only where objects are and how large.")
    long = [info for info in run.objects.values() if max(len(info.name), len(info.class_name)) > _LONGEST_TEXT]
    run.note("long names", len(long), f"Names and classes are cut after {_LONGEST_TEXT} characters.")
    lost = [f"{parent} to {daughter}" for parent, daughter in graph.lost]
    run.note("links", len(lost), f"No link is written from {some(lost)}: the parent is not there before.")


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


class _Graph:
    """Nodes in the order of frames, and edges between them."""

    def __init__(self, run: ExportRun) -> None:
        self._run = run
        self.columns: dict[str, list[Any]] = {name: [] for name in ("t", *_FLOATS, "object", "area", "origin")}
        self.edges: list[tuple[int, int]] = []
        self.lost: list[tuple[int, int]] = []
        latest: dict[int, int] = {}
        for frame, entries in run.frames():
            earlier = dict(latest)
            for object_id, entry in entries.items():
                middle = centroid(entry.mask)
                if middle is None:
                    continue
                node = len(self.columns["t"])
                row = (frame, *middle, entry.score, entry.object_score, object_id, entry.mask.area, str(entry.origin))
                for column, value in zip(self.columns.values(), row, strict=True):
                    column.append(value)
                self._link(object_id, node, earlier, run.parents)
                latest[object_id] = node
        self.lost += [(parent, one) for one, parent in run.parents.items() if one not in latest]

    def _link(self, object_id: int, node: int, earlier: Mapping[int, int], parents: Mapping[int, int]) -> None:
        before = earlier.get(object_id)
        if before is None and object_id in parents:
            before = earlier.get(parents[object_id])
            if before is None:
                self.lost.append((parents[object_id], object_id))
        if before is not None:
            self.edges.append((before, node))

    def properties(self) -> dict[str, NDArray[Any]]:
        """Return the values of all nodes by name."""
        tables: dict[str, NDArray[Any]] = {
            name: np.array(values, np.float64 if name in _FLOATS else np.int64)
            for name, values in self.columns.items()
            if name != "origin"
        }
        tables["origin"] = np.array(self.columns["origin"], f"<U{max(map(len, ORIGINS))}")
        infos = [self._run.objects[object_id] for object_id in self.columns["object"]]
        for name, texts in (("name", [info.name for info in infos]), ("class", [info.class_name for info in infos])):
            if any(texts):
                tables[name] = np.array([text[:_LONGEST_TEXT] for text in texts], str)
        tables["tracklet"], tables["lineage"] = self._tracks()
        return tables

    def _tracks(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Give numbers to the stretches between divisions, and to families; edges lead from lower to higher nodes."""
        count = len(self.columns["t"])
        children = np.bincount([first for first, _ in self.edges], minlength=count)
        source = {after: before for before, after in self.edges}
        tracklets, lineages = np.zeros(count, np.int64), np.zeros(count, np.int64)
        found = families = 0
        for node in range(count):
            before = source.get(node)
            if before is not None and children[before] == 1:
                tracklets[node] = tracklets[before]
            else:
                found += 1
                tracklets[node] = found
            if before is None:
                families += 1
                lineages[node] = families
            else:
                lineages[node] = lineages[before]
        return tracklets, lineages
