"""Folders of the Cell Tracking Challenge: a label image a frame and a table of tracks with their parents.

The table has four numbers a line: label, first and last frame, parent label or 0. A label must be on every frame in
between, so an object that comes back is a new track with the old one as its parent. Read back, a track that is the only
child of another one and begins after its end is the same object.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import tifffile

from src_model.document import MAX_OBJECT_ID, Division
from src_model.document.lineage import check_lineage
from src_model.errors import AnnotationError, FormatError, MovieError, StoppedError
from src_model.formats.importing import Imported, as_labels
from src_model.formats.marks import SOFTWARE, is_our_folder, is_our_tiff
from src_model.formats.report import some
from src_model.formats.run import never, no_progress, renumbered_labels
from src_model.formats.tracklets import TrackletBuilder
from src_model.frames.folder import read_image
from src_model.masks import Masklet, masks_from_labels

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from os import PathLike

    from src_model.formats.run import ExportRun, Progress

MAX_LABEL: Final = 2**16 - 1
TABLES: Final = ("res_track.txt", "man_track.txt")

_LABELS: Final = re.compile(r"(?:mask|man_track)([0-9]{1,6})\.tiff?")
_MOST_TEXT: Final = 2**24
"""Bytes of a table: half a million tracks. What is larger is no table, and is not read into memory."""


class Row(NamedTuple):
    """A line of the table: label, first and last frame, parent label or 0."""

    label: int
    first: int
    last: int
    parent: int


def write_ctc(run: ExportRun, path: Path) -> None:
    """Write a folder of results.

    Parameters
    ----------
    run
        The document on its way, of which each frame is taken once.
    path
        The folder, which does not exist yet and is made.

    Raises
    ------
    FormatError
        If there are more tracks than 16 bits can number.
    """
    path.mkdir()
    builder = TrackletBuilder(run.seen, run.parents, MAX_LABEL)
    digits = max(3, len(str(run.length - 1)))
    for frame, entries in run.frames():
        labels, visible = run.flatten(frame, entries)
        numbers = builder.step(frame, visible)
        image = renumbered_labels(labels, visible, numbers, np.uint16)
        file = path / f"mask{frame:0{digits}}.tif"
        tifffile.imwrite(file, image, photometric="minisblack", compression="zlib", metadata=None, software=SOFTWARE)
    rows = sorted(builder.tracklets, key=lambda tracklet: tracklet.label)
    lines = [f"{row.label} {row.first} {row.last} {row.parent}\n" for row in rows]
    (path / TABLES[0]).write_text("".join(lines), encoding="ascii", newline="\n")
    _note_changes(run, builder)


def is_ours(path: Path) -> bool:
    """Tell whether a folder holds nothing but what :func:`write_ctc` left; the table has no place for a mark."""
    return is_our_folder(path, r"mask[0-9]+\.tif", is_our_tiff, unmarked=TABLES[0])


def _note_changes(run: ExportRun, builder: TrackletBuilder) -> None:
    run.note_renumbered(builder.numbers, MAX_LABEL)
    for what, pairs, text in (
        ("gaps", builder.gaps, "What comes back after a gap is a new label with the old one as its parent: {}."),
        ("continued", builder.continued, "What goes on after a division is a new label beside the daughters: {}."),
    ):
        run.note(what, len(pairs), text.format(some(f"object {number} from frame {frame}" for number, frame in pairs)))
    for what, links, text in (
        ("links", builder.lost_links(), "No link is written from {}: the parent is not there before."),
        ("only children", builder.only_children(), "Divisions with one daughter look as if the parent came back: {}."),
    ):
        run.note(what, len(links), text.format(some(f"{parent} to {daughter}" for parent, daughter in links)))


def is_ctc(path: Path) -> bool:
    """Tell whether a folder holds label images and a table of tracks."""
    return _folder_with_table(path) is not None


def read_ctc(
    path: str | PathLike[str], *, progress: Progress = no_progress, cancelled: Callable[[], bool] = never
) -> Imported:
    """Read a folder of results, such as ``01_RES``, or the truth in ``01_GT`` or ``01_GT/TRA``.

    Parameters
    ----------
    path
        The folder of results or of truth, or the one above it.
    progress, cancelled
        As in :class:`~src_model.formats.run.ExportOptions`.

    Raises
    ------
    FormatError
        If there is no table, no label image, one is damaged, or links contradict one another.
    StoppedError
        If ``cancelled`` said so.
    """
    folder = _folder_with_table(Path(path))
    if folder is None:
        raise FormatError(f"'{path}' is no folder of the Cell Tracking Challenge: expected {' or '.join(TABLES)} in it")
    table = next(folder / name for name in TABLES if (folder / name).is_file())
    rows = read_table(table)
    files = _label_files(folder)
    owners, divisions, notes = _objects(rows, table)
    shape: tuple[int, int] | None = None
    masklets: dict[int, Masklet] = {}
    found: set[tuple[int, int]] = set()
    for done, (frame, file) in enumerate(files.items()):
        if cancelled():
            raise StoppedError(f"reading '{path}' was stopped")
        labels = _read_labels(file, shape)
        shape = labels.shape[0], labels.shape[1]
        for label, mask in masks_from_labels(labels).items():
            object_id = owners.setdefault(label, label)
            masklet = masklets.setdefault(object_id, Masklet(object_id, shape))
            if frame in masklet:
                raise FormatError(f"'{table}' contradicts '{file.name}': two labels of object {object_id} are in it")
            masklet.set(frame, mask)
            found.add((label, frame))
        progress(done + 1, len(files))
    assert shape is not None, "there is at least one file"
    notes += _differences(rows, found, table.name)
    known = set(masklets)
    return Imported(
        Path(path).name,
        (max(files) + 1, *shape),
        tuple(masklets[object_id] for object_id in sorted(masklets)),
        divisions=tuple(item for item in divisions if known >= {item.parent, *item.daughters}),
        notes=tuple(notes),
    )


def read_table(path: Path) -> dict[int, Row]:
    """Read a table of tracks by label.

    Raises
    ------
    FormatError
        If it is none, or names a parent that it does not list.
    """
    try:
        if path.stat().st_size > _MOST_TEXT:
            raise FormatError(f"'{path}' has {path.stat().st_size} bytes: tables of tracks have {_MOST_TEXT} at most")
        lines = [line.split() for line in path.read_text(encoding="ascii").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise FormatError(f"'{path}' cannot be read: {error}") from error
    rows: dict[int, Row] = {}
    for number, parts in enumerate(lines, 1):
        if len(parts) != 4 or not all(part.isdigit() and len(part) <= 10 for part in parts):
            raise FormatError(
                f"line {number} of '{path}' is {' '.join(parts)!r:.80}: expected four whole numbers, which are label, "
                "first frame, last frame, and parent or 0"
            )
        row = Row(*map(int, parts))
        if not 1 <= row.label <= MAX_OBJECT_ID or row.label in rows or row.last < row.first:
            raise FormatError(
                f"line {number} of '{path}' is {' '.join(parts)!r}: expected a label from 1 on, each once, and a last "
                "frame that is not before the first"
            )
        rows[row.label] = row
    for row in rows.values():
        if row.parent and row.parent not in rows:
            raise FormatError(f"'{path}' names {row.parent} as the parent of {row.label}, but does not list it")
    return rows


def _folder_with_table(path: Path) -> Path | None:
    for folder in (path, path / "TRA"):
        if any((folder / name).is_file() for name in TABLES):
            return folder
    return None


def _label_files(folder: Path) -> dict[int, Path]:
    """Label images by frame, without gaps."""
    matches = {entry: _LABELS.fullmatch(entry.name) for entry in folder.iterdir()}
    files = {int(match[1]): entry for entry, match in sorted(matches.items()) if match}
    if not files:
        raise FormatError(f"'{folder}' holds no label images: expected mask000.tif, mask001.tif, ...")
    missing = [frame for frame in range(min(files), max(files)) if frame not in files]
    if missing:
        raise FormatError(f"'{folder}' has no label image of frame {some(map(str, missing))}: copy it again")
    return dict(sorted(files.items()))


def _read_labels(file: Path, shape: tuple[int, int] | None) -> np.ndarray:
    try:
        values, _ = read_image(file)
    except MovieError as error:
        raise FormatError(str(error)) from error
    if values.ndim == 3:
        raise FormatError(f"'{file}' is a volume of {len(values)} planes: only flat label images can be annotated")
    labels = as_labels(values, file)
    if shape is not None and labels.shape != shape:
        raise FormatError(f"'{file}' has the size {labels.shape}: expected {shape} as the images before it")
    return labels


def _objects(rows: Mapping[int, Row], table: Path) -> tuple[dict[int, int], list[Division], list[str]]:
    """Join the tracks of one object; return object by label, the divisions, and what is odd."""
    children: dict[int, list[Row]] = {}
    for row in rows.values():
        if row.parent:
            children.setdefault(row.parent, []).append(row)
    joined = {found[0].label for label, found in children.items() if _goes_on(rows[label], found)}
    early = [row for row in rows.values() if row.parent and row.first <= rows[row.parent].last]
    notes = [f"Track {row.label} begins before its parent {row.parent} ends." for row in early[:5]]
    owners: dict[int, int] = {}
    for row in rows.values():
        chain = [row]
        while chain[-1].label in joined and chain[-1].label not in owners:
            chain.append(rows[chain[-1].parent])  # which ends before, so that this ends
        owner = owners.get(chain[-1].label, chain[-1].label)
        owners.update((link.label, owner) for link in chain)
    try:
        divisions = _merged(
            Division(owners[label], min(row.first for row in found), tuple(owners[row.label] for row in found))
            for label, found in children.items()
            if not _goes_on(rows[label], found)
        )
        check_lineage({item.parent: item for item in divisions})
    except AnnotationError as error:
        raise FormatError(f"'{table}' is damaged: {error}") from error
    return owners, divisions, notes


def _goes_on(parent: Row, children: list[Row]) -> bool:
    return len(children) == 1 and children[0].first > parent.last


def _merged(divisions: Iterable[Division]) -> list[Division]:
    """Put divisions of one object together; it has several if it came back between them."""
    merged: dict[int, Division] = {}
    for item in divisions:
        known = merged.get(item.parent, item)
        daughters = tuple(dict.fromkeys((*known.daughters, *item.daughters)))
        merged[item.parent] = Division(item.parent, min(known.frame, item.frame), daughters)
    return list(merged.values())


def _differences(rows: Mapping[int, Row], found: set[tuple[int, int]], table: str) -> list[str]:
    """Say where images and table do not agree; the images count."""
    listed = {(row.label, frame) for row in rows.values() for frame in (row.first, row.last)}
    missing = sorted(listed - found)
    foreign = sorted({label for label, frame in found if label not in rows or not _spans(rows[label], frame)})
    notes = []
    if missing:
        where = some(f"{label} on frame {frame}" for label, frame in missing)
        notes.append(f"{table} lists labels that are not in the images: {where}.")
    if foreign:
        notes.append(f"Labels are on frames where {table} does not list them: {some(map(str, foreign))}.")
    return notes


def _spans(row: Row, frame: int) -> bool:
    return row.first <= frame <= row.last
