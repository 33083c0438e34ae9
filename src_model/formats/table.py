"""A CSV table with a line for each object and frame: where it is, how large, how fast, how sure, how bright.

Areas, centroids and boxes are in pixels, rows (y) before columns (x), counted from 0, far edges excluded; speeds are in
pixels since the frame before, and empty where the object was not in view there. Where the movie has a pixel size or a
frame interval, columns in its units follow. The parents of a fusion are separated by spaces.
"""

from __future__ import annotations

import csv
import math
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from src_model.document.lineage import life_reasons
from src_model.document.units import COUNTS, space_unit, time_unit
from src_model.errors import DamagedFrameError, FormatError
from src_model.formats.marks import head_of
from src_model.masks import centroid
from src_model.measures import mean_intensity

if TYPE_CHECKING:
    from pathlib import Path

    from src_model.document import AnnotatedFrame, AnnotatedObject
    from src_model.formats.run import ExportRun
    from src_model.frames import FrameSource
    from src_model.masks import Rle

Place: TypeAlias = tuple[float, float] | None
"""(y, x) of a centroid, or a way; None where the object is not in view."""

Places: TypeAlias = dict[int, Place]
"""By object id, on one frame."""

_COLUMNS = (
    "frame",
    "object",
    "name",
    "class",
    "parent",
    "area",
    "centroid_y",
    "centroid_x",
    "box_y0",
    "box_x0",
    "box_y1",
    "box_x1",
    "score",
    "object_score",
    "origin",
)
_LINEAGE = ("lineage_id", "generation", "begins", "ends", "note")
"""Of the object, again in each of its lines."""

_SPEED = "speed"

_ADDED = (_SPEED, "time_", "area_", "centroid_y_", "centroid_x_", "mean_")
"""How the names of further columns begin."""

_COLORS = ("red", "green", "blue")


def write_table(run: ExportRun, path: Path) -> None:
    """Write the table; an object known to be absent from a frame has area 0 there.

    Parameters
    ----------
    run
        The document on its way, of which each frame is taken once.
    path
        The file, which does not exist yet.

    Raises
    ------
    FormatError
        If a channel to measure does not fit the annotation's movie.
    """
    _check_channels(run)
    scaled = _scaled_columns(run)
    bright = [f"mean_{name}" for channel, source in run.options.channels.items() for name in _parts(channel, source)]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([*_COLUMNS, *_LINEAGE, _SPEED, *scaled, *bright])
        lineages = {object_id: _lineage(run, object_id) for object_id in run.objects}
        damaged = 0
        places: Places = {}
        for frame, entries in run.frames():
            before, places = places, {number: centroid(entry.mask) for number, entry in entries.items()}
            images = [_read(source, frame) for source in run.options.channels.values()] if entries else []
            damaged += any(image is None for image in images)
            for object_id, entry in entries.items():
                row = [*_row(run, run.objects[object_id], frame, entry, places[object_id]), *lineages[object_id]]
                brightness = _brightness(run, images, entry.mask)
                moved = _moved(places[object_id], before.get(object_id))
                scale = run.annotation.movie.scale
                sizes = _scaled(frame, entry.mask.area, places[object_id], moved, scale) if scaled else []
                writer.writerow([*row, _length(moved), *sizes, *brightness])
    run.note("intensities", damaged, "Frames that cannot be read have no intensities.")
    run.note("masks", run.tally.masks, "A table holds no masks: only where objects are and how large.")


def is_ours(path: Path) -> bool:
    """Tell whether a file begins with the columns that are written here; a table has no other place for a mark."""
    line, *_ = head_of(path).decode("utf-8", "replace").split("\n")
    columns = line.split(",")
    added = columns[len(_COLUMNS) :]
    return tuple(columns[: len(_COLUMNS)]) == _COLUMNS and all(
        name in _LINEAGE or name.startswith(_ADDED) for name in added
    )


def _read(source: FrameSource, frame: int) -> np.ndarray | None:
    """Read a frame; None if it is damaged."""
    try:
        return source.read(frame)
    except DamagedFrameError:
        return None


def _row(run: ExportRun, info: AnnotatedObject, frame: int, entry: AnnotatedFrame, middle: Place) -> list[object]:
    return [
        frame,
        info.object_id,
        info.name,
        info.class_name,
        " ".join(map(str, run.kinship[info.object_id].parents)),
        entry.mask.area,
        *(("", "") if middle is None else (f"{part:.3f}" for part in middle)),
        *(entry.mask.box or ("",) * 4),
        f"{entry.score:.4f}",
        f"{entry.object_score:.4f}",
        str(entry.origin),
    ]


def _lineage(run: ExportRun, object_id: int) -> list[object]:
    kin, seen = run.kinship[object_id], run.seen_frames(object_id)
    reasons = life_reasons(object_id, run.kinship, seen[0], seen[-1], run.length) if seen else ("", "")
    return [kin.lineage_id, kin.generation, *reasons, run.objects[object_id].note]


def _scaled_columns(run: ExportRun) -> list[str]:
    """Names of the columns in world units; none if there are no such units."""
    movie = run.annotation.movie
    if movie.scale == (1.0, 1.0, 1.0) and set(movie.units) <= COUNTS:
        return []
    names = []
    for find, name in zip((time_unit, space_unit, space_unit), movie.units, strict=True):
        unit = find(name)
        names.append("scaled" if unit is None else unit.symbol.replace("µ", "u"))
    return [
        f"time_{names[0]}",
        f"area_{names[2]}2",
        f"centroid_y_{names[1]}",
        f"centroid_x_{names[2]}",
        f"{_SPEED}_{names[2]}_{names[0]}",
    ]


def _scaled(frame: int, area: int, middle: Place, moved: Place, scale: tuple[float, float, float]) -> list[str]:
    places = ("", "") if middle is None else (f"{middle[0] * scale[1]:.6g}", f"{middle[1] * scale[2]:.6g}")
    speed = _length(None if moved is None else (moved[0] * scale[1] / scale[0], moved[1] * scale[2] / scale[0]))
    return [f"{frame * scale[0]:.6g}", f"{area * scale[1] * scale[2]:.6g}", *places, speed]


def _moved(now: Place, before: Place) -> Place:
    """Return the way (y, x) since the frame before; None where the object was not in view on one of both."""
    return None if now is None or before is None else (now[0] - before[0], now[1] - before[1])


def _length(way: Place) -> str:
    return "" if way is None else f"{math.hypot(*way):.6g}"


def _check_channels(run: ExportRun) -> None:
    movie = run.annotation.movie
    for name, source in run.options.channels.items():
        if tuple(source.shape[1:3]) != movie.frame_shape or len(source) < movie.length:
            raise FormatError(
                f"'{source.name}' (channel {name}) has the shape {tuple(source.shape)} and cannot be measured: "
                f"expected {movie.length} frames of {movie.frame_shape} (Y, X) as the annotated movie has"
            )


def _parts(channel: str, source: FrameSource) -> list[str]:
    return [channel] if len(source.shape) == 3 else [f"{channel}_{color}" for color in _COLORS]


def _brightness(run: ExportRun, images: list[np.ndarray | None], mask: Rle) -> list[str]:
    return [
        value
        for source, image in zip(run.options.channels.values(), images, strict=True)
        for value in ([""] * len(_parts("", source)) if image is None else _means(image, mask))
    ]


def _means(image: np.ndarray, mask: Rle) -> list[str]:
    return ["" if np.isnan(mean) else f"{mean:.6g}" for mean in mean_intensity(image, mask).tolist()]
