"""Reading GEFF graphs: a disc for each node, since a graph holds no masks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from src_model.document.units import COUNTS
from src_model.errors import FormatError, MissingExtraError
from src_model.formats.geff_graph import SHAPE_KEY
from src_model.formats.linked_spots import MAX_SPOTS, Spot, checked_shape, extent_of, imported_spots
from src_model.formats.run import never, no_progress

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from os import PathLike

    from numpy.typing import NDArray

    from src_model.formats.importing import Imported
    from src_model.formats.run import Progress

_RADIUS: Final = 2.5
"""Pixels, where nothing tells how large objects are."""
_READ: Final = ("area", "radius", "object", "name", "score", "object_score")
"""Properties that say something of a node besides where it is."""


def is_geff(path: Path) -> bool:
    """Tell whether a folder is a graph of this format."""
    return path.is_dir() and (path / "nodes").is_dir() and (path / "edges").is_dir()


def read_geff(
    path: str | PathLike[str],
    *,
    shape: tuple[int, int, int] | None = None,
    progress: Progress = no_progress,
    cancelled: Callable[[], bool] = never,
) -> Imported:
    """Read a graph; nodes become discs of their radius or area.

    Parameters
    ----------
    path
        The folder.
    shape
        ``(T, Y, X)`` of the movie, for graphs that do not tell; left out, it is large enough for all nodes.
    progress, cancelled
        As in :class:`~src_model.formats.run.ExportOptions`; a graph is read at once.

    Raises
    ------
    FormatError
        If it is no such graph, damaged, too large, of a volume, or its positions are not in pixels.
    MissingExtraError
        If the package geff is not installed.
    """
    del progress, cancelled
    try:
        from geff import GeffReader
    except ImportError as error:
        raise MissingExtraError("geff", "geff", f"reading '{path}'") from error
    name = Path(path).name
    try:
        _check_size(Path(path), name)
        reader = GeffReader(str(path), validate=True)
        axes = _axes(reader.metadata, name)
        known = [each for each in dict.fromkeys((*axes, *_READ)) if each in reader.node_prop_names]
        reader.read_node_props(known)
        graph: Any = reader.build()
    except FormatError:
        raise
    except Exception as error:  # whatever zarr, pydantic and geff make of damaged stores
        raise FormatError(f"'{path}' cannot be read as a GEFF graph: {error}") from error
    columns = {key: _column(name, key, graph["node_props"][key]) for key in known}
    spots, notes = _spots(name, graph["node_ids"], columns, axes)
    told = (reader.metadata.extra or {}).get(SHAPE_KEY)
    if isinstance(told, list) and len(told) == 3 and all(isinstance(size, int) for size in told):
        shape = (told[0], told[1], told[2])
    size = checked_shape(name, shape or extent_of(spots.values()))
    edges = ((int(before), int(after)) for before, after in graph["edge_ids"])
    return imported_spots(name, spots, edges, size, notes)


def _check_size(path: Path, name: str) -> None:
    """Refuse a graph that is too large before it is read into memory."""
    import zarr

    for part in ("nodes", "edges"):
        count = zarr.open_array(store=str(path / part / "ids"), mode="r").shape[0]
        if count > MAX_SPOTS:
            raise FormatError(f"'{name}' has {count} {part}: expected {MAX_SPOTS} at most")


def _axes(metadata: Any, name: str) -> tuple[str, str, str]:
    """Return the names of the properties that are t, y and x."""
    axes = metadata.axes or []
    times = [axis.name for axis in axes if axis.type == "time"]
    spaces = [axis for axis in axes if axis.type != "time" and axis.type != "channel"]
    if len(times) != 1 or len(spaces) != 2:
        listed = ", ".join(axis.name for axis in axes) or "none"
        raise FormatError(f"'{name}' has the axes {listed}: expected a time axis and two of space, of a flat movie")
    for axis in spaces:
        if (axis.unit or "") not in COUNTS:
            raise FormatError(f"'{name}' gives {axis.name} in {axis.unit}: expected positions in pixels")
    return times[0], spaces[0].name, spaces[1].name


def _column(name: str, key: str, prop: Mapping[str, Any]) -> NDArray[Any]:
    values, missing = np.asarray(prop["values"]), prop.get("missing")
    if values.ndim != 1 or (missing is not None and np.any(missing)):
        raise FormatError(f"'{name}' does not give {key} of every node: expected one value each")
    return values


def _spots(
    name: str, ids: NDArray[Any], columns: Mapping[str, NDArray[Any]], axes: tuple[str, str, str]
) -> tuple[dict[int, Spot], list[str]]:
    count = len(ids)
    t, y, x = (columns[axis].astype(np.float64) for axis in axes)
    if not all(np.abs(values).max(initial=0) < 2**31 for values in (t, y, x)) or not np.array_equal(t, np.round(t)):
        raise FormatError(f"'{name}' has times or positions that cannot be: expected whole frame numbers and pixels")
    notes = ["A graph holds no masks: objects are discs of their area."]
    if "radius" in columns:
        radii = columns["radius"].astype(np.float64)
    elif "area" in columns:
        radii = np.sqrt(np.maximum(columns["area"].astype(np.float64), 0) / np.pi)
    else:
        radii = np.full(count, _RADIUS)
        notes = [f"Nothing tells how large objects are: they are discs with a radius of {_RADIUS} pixels."]
    if not (np.abs(radii) < 2**20).all():
        raise FormatError(f"'{name}' has radii that cannot be: expected numbers of pixels")
    objects = columns["object"] if columns.get("object", t).dtype.kind in "iu" else np.zeros(count, np.int64)
    names = columns["name"].astype(str) if "name" in columns else np.full(count, "")
    scores = [columns[key].astype(float) if key in columns else np.ones(count) for key in ("score", "object_score")]
    rows = zip(ids, t, y, x, radii, objects, names, *scores, strict=True)
    spots = {
        int(number): Spot(
            int(frame), float(row), float(column), None, (float(radius),) * 2, int(owner), str(text), *sure
        )
        for number, frame, row, column, radius, owner, text, *sure in rows
    }
    return spots, notes
