"""Objects of other programs, whatever format they come in."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from src_model.formats.coco_reader import is_coco, read_coco
from src_model.formats.ctc import is_ctc, read_ctc
from src_model.formats.geff_reader import is_geff, read_geff
from src_model.formats.importing import Imported, read_labels
from src_model.formats.run import never, no_progress
from src_model.formats.trackmate_reader import is_trackmate, read_trackmate

if TYPE_CHECKING:
    from collections.abc import Callable
    from os import PathLike

    from src_model.formats.run import Progress


def holds_tracks(path: Path) -> bool:
    """Tell whether a file or folder holds objects with their lineage: of the challenge, TrackMate, COCO or GEFF."""
    return is_ctc(path) or is_trackmate(path) or is_coco(path) or is_geff(path)


def read_objects(
    path: str | PathLike[str],
    *,
    shape: tuple[int, int, int] | None = None,
    progress: Progress = no_progress,
    cancelled: Callable[[], bool] = never,
) -> Imported:
    """Read objects, with their lineage where the format holds it.

    Parameters
    ----------
    path
        A folder of the challenge, a file of TrackMate, COCO JSON, a GEFF graph, or a labels movie.
    shape
        ``(T, Y, X)`` of the movie that they belong to, for formats that do not tell.
    progress, cancelled
        As in :class:`~src_model.formats.run.ExportOptions`.

    Raises
    ------
    FormatError
        If it cannot be read as any of them.
    MissingExtraError
        If a package is needed that is not installed.
    StoppedError
        If ``cancelled`` said so.
    """
    file = Path(path)
    if is_ctc(file):
        return read_ctc(file, progress=progress, cancelled=cancelled)
    if is_trackmate(file):
        return read_trackmate(file, shape=shape, progress=progress, cancelled=cancelled)
    if is_coco(file):
        return read_coco(file, progress=progress, cancelled=cancelled)
    if is_geff(file):
        return read_geff(file, shape=shape, progress=progress, cancelled=cancelled)
    return read_labels(file, progress=progress, cancelled=cancelled)
