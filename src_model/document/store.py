"""The cells of a document in its database: which of their values count at a moment, and how new ones are added.

A cell is an object, its mask or its prompt on a frame, its locks, an edge of the lineage, or the project. Each row of a
table is one value that a cell had: ``version`` orders them, ``step`` says which step of the history wrote it, and a row
without a value says that the cell was emptied. What counts at a :class:`Moment` is the latest row of a step on its
line. So undo writes nothing, and a snapshot stays what it is while the document changes.
"""

from __future__ import annotations

import json
import math
import sqlite3
import threading
import weakref
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

from src_model.document.cells import (
    EMPTY_MASK_BYTES,
    packed_mask,
    packed_object,
    packed_project,
    packed_prompt,
    packed_spans,
    unpacked_mask,
    unpacked_object,
    unpacked_project,
    unpacked_prompt,
    unpacked_spans,
)
from src_model.document.lineage import Division
from src_model.document.provenance import ORIGINS, AnnotatedFrame
from src_model.errors import AnnotationFileError, Sam2vError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from src_model.document.objects import AnnotatedObject
    from src_model.document.project import Project
    from src_model.document.spans import SpanSet
    from src_model.document.working_copy import WorkingCopy
    from src_model.masks import Rle
    from src_model.prompts import Prompt

_Value = TypeVar("_Value")

_PLANE: Final = 0
"""Plane (z) of all cells of a plain time-lapse."""

_CODES: Final = {origin: code for code, origin in enumerate(ORIGINS)}
_ROW_BYTES: Final = 48
"""What a row takes besides its value, about."""


@dataclass(frozen=True, slots=True)
class Moment:
    """Which rows count.

    Attributes
    ----------
    steps
        Numbers of the steps on the line from the beginning to the current step.
    version
        Later rows do not count.
    """

    steps: SpanSet
    version: int


@dataclass(frozen=True, slots=True)
class MaskFacts:
    """What is known of a mask without reading it.

    Attributes
    ----------
    frame
        Frame number, from 0.
    version
        Of the value: equal versions are the same mask.
    origin
        Code of where it came from, an index of ``ORIGINS``.
    score, object_score
        Predicted IoU, and the probability that the object is there.
    is_empty
        Whether the object is known not to be there.
    """

    frame: int
    version: int
    origin: int
    score: float
    object_score: float
    is_empty: bool


class CellStore:
    """Reads and writes the cells of a document through one connection, which threads take turns to use.

    Parameters
    ----------
    connect
        Opens the connection when it is first needed.
    name
        What to call the document in errors.
    moment
        Which rows count; the document moves it, a snapshot never does.
    """

    def __init__(self, connect: Callable[[], sqlite3.Connection], name: str, moment: Moment) -> None:
        self.name = name
        self.moment = moment
        self.lock = threading.RLock()
        self._connect = connect
        self._connection: sqlite3.Connection | None = None
        self._closes: weakref.finalize[[], CellStore] | None = None
        # The frame whose masks were read together last: many objects are looked up on it one after the other.
        self._frame_read: tuple[Moment, int, dict[int, AnnotatedFrame]] | None = None

    @property
    def connection(self) -> sqlite3.Connection:
        """The connection, opened if it is not yet."""
        with self.lock:
            if self._connection is None:
                self._connection = self._connect()
                self._closes = weakref.finalize(self, self._connection.close)
            return self._connection

    def move(self, copy: WorkingCopy) -> None:
        """Go on in another file, which becomes a copy of this one."""
        with self.lock:
            with closing(sqlite3.connect(copy.path)) as there:
                self.connection.backup(there)
            self.close()
            self._connect = copy.writer

    def rolled_back(self, moment: Moment) -> None:
        """Go back to a moment, as what was written since is gone."""
        self.moment = moment
        self._frame_read = None

    def close(self) -> None:
        """Close the connection."""
        with self.lock:
            if self._closes is not None:
                self._closes()
            self._connection = self._closes = None

    # Reading ---------------------------------------------------------------------------------------------------------

    def project(self) -> Project:
        """Return what holds for the whole document."""
        rows = self._latest("SELECT 0, version, step, value FROM project ORDER BY version DESC", (), 1)
        found = next(rows, None)
        if found is None:
            raise AnnotationFileError(f"'{self.name}' is damaged: nothing says which movie it belongs to")
        return self._checked(unpacked_project, found[1])

    def objects(self) -> dict[int, AnnotatedObject]:
        """Return the objects by ascending id."""
        rows = self._latest("SELECT object, version, step, value FROM objects ORDER BY object, version DESC", (), 1)
        found = {object_id: self._checked(unpacked_object, text) for object_id, text in rows if text}
        if any(object_id != info.object_id for object_id, info in found.items()):
            raise AnnotationFileError(f"'{self.name}' is damaged: an object lies under the number of another")
        return found

    def prompts(self, shape: tuple[int, int], object_id: int | None = None) -> dict[int, dict[int, Prompt]]:
        """Return prompts by object and frame, both ascending; of one object, or of all."""
        where, values = ("WHERE object = ?", (object_id,)) if object_id is not None else ("", ())
        rows = self._latest(
            f"SELECT object, t, version, step, value, mask FROM prompts {where} ORDER BY object, t, z, version DESC",
            values,
            2,
        )
        table: dict[int, dict[int, Prompt]] = {}
        for number, frame, text, mask in rows:
            if text is not None:
                prompt = self._checked(unpacked_prompt, text, mask, shape)
                table.setdefault(number, {})[frame] = prompt
        return table

    def locks(self, length: int) -> dict[int, SpanSet]:
        """Return the locked frames of a movie of ``length`` frames, by object."""
        rows = self._latest("SELECT object, version, step, spans FROM locks ORDER BY object, z, version DESC", (), 1)
        found = ((number, self._checked(unpacked_spans, text, length)) for number, text in rows)
        return {number: spans for number, spans in found if spans}

    def divisions(self) -> dict[int, Division]:
        """Return the divisions by ascending parent."""
        rows = self._latest(
            "SELECT parent, child, version, step, t FROM edges ORDER BY parent, child, version DESC", (), 2
        )
        edges: dict[int, dict[int, int]] = {}
        for parent, child, frame in rows:
            if frame is not None:
                edges.setdefault(parent, {})[child] = frame
        return {parent: self._checked(_division, parent, found) for parent, found in edges.items()}

    def mask(self, object_id: int, frame: int, shape: tuple[int, int]) -> AnnotatedFrame | None:
        """Return an object's mask on a frame, or None."""
        if self._frame_read is not None and self._frame_read[:2] == (self.moment, frame):
            return self._frame_read[2].get(object_id)
        return self.masks(object_id, shape, frame, frame + 1).get(frame)

    def masks(
        self, object_id: int, shape: tuple[int, int], start: int = 0, stop: int | None = None
    ) -> dict[int, AnnotatedFrame]:
        """Return an object's masks from ``start`` up to ``stop`` (excluded), by ascending frame."""
        rows = self._latest(
            "SELECT t, version, step, origin, score, object_score, runs FROM masks "
            "WHERE object = ? AND t >= ? AND t < ? ORDER BY t, z, version DESC",
            (object_id, start, 2**31 if stop is None else stop),
            1,
        )
        return {frame: self._entry(values, shape) for frame, *values in rows if values[-1] is not None}

    def masks_on(self, frame: int, shape: tuple[int, int]) -> dict[int, AnnotatedFrame]:
        """Return the masks of all objects on a frame, by ascending id."""
        if self._frame_read is not None and self._frame_read[:2] == (self.moment, frame):
            return dict(sorted(self._frame_read[2].items()))
        rows = self._latest(
            "SELECT object, version, step, origin, score, object_score, runs FROM masks "
            "WHERE t = ? AND z = ? ORDER BY object, version DESC",
            (frame, _PLANE),
            1,
        )
        found = {number: self._entry(values, shape) for number, *values in rows if values[-1] is not None}
        self._frame_read = (self.moment, frame, found)
        return dict(found)

    def mask_facts(self, object_id: int, start: int = 0, stop: int | None = None) -> Iterator[MaskFacts]:
        """Tell what is known of an object's masks, by ascending frame, without reading them."""
        rows = self._latest(
            "SELECT t, version, step, version, origin, score, object_score, length(runs) FROM masks "
            "WHERE object = ? AND t >= ? AND t < ? ORDER BY t, z, version DESC",
            (object_id, start, 2**31 if stop is None else stop),
            1,
        )
        for frame, version, origin, score, object_score, size in rows:
            if size is not None:
                if origin not in range(len(ORIGINS)):
                    raise AnnotationFileError(f"'{self.name}' is damaged: a mask of an unknown origin")
                yield MaskFacts(frame, version, origin, score, object_score, size == EMPTY_MASK_BYTES)

    def fact(self, name: str) -> object:
        """Return what was noted about the document itself; None if nothing."""
        try:
            with self.lock:
                found = self.connection.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
        except sqlite3.Error as error:
            raise AnnotationFileError(f"'{self.name}' cannot be read: {error}") from error
        return None if found is None else found[0]

    def mask_counts(self) -> dict[int, int]:
        """Return how many masks each object has that has any, by ascending id."""
        query = (
            "SELECT object, count(*) FROM (SELECT object, runs IS NOT NULL AS there, max(version) FROM masks "
            "WHERE version <= ? AND step IN (SELECT value FROM json_each(?)) GROUP BY object, t, z) "
            "WHERE there GROUP BY object ORDER BY object"
        )
        try:
            with self.lock:
                steps = json.dumps(list(self.moment.steps))
                return dict(self.connection.execute(query, (self.moment.version, steps)).fetchall())
        except sqlite3.Error as error:
            raise AnnotationFileError(f"'{self.name}' cannot be read: {error}") from error

    # Writing ---------------------------------------------------------------------------------------------------------

    def put_fact(self, name: str, value: int | str | None) -> None:
        """Note something about the document itself, in place of what was noted."""
        self.connection.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (name, value))

    def put_project(self, step: int, project: Project) -> int:
        """Add a value; return how many bytes it takes, as all that follow do."""
        text = packed_project(project)
        self.connection.execute("INSERT INTO project VALUES (?, ?, ?)", (self.moment.version, step, text))
        return len(text) + _ROW_BYTES

    def put_objects(self, step: int, objects: Mapping[int, AnnotatedObject | None]) -> int:
        """Add objects, or empty their cells."""
        rows = [
            (number, self.moment.version, step, None if info is None else packed_object(info))
            for number, info in objects.items()
        ]
        self.connection.executemany("INSERT INTO objects VALUES (?, ?, ?, ?)", rows)
        return _size(rows)

    def put_masks(self, step: int, masks: Mapping[int, Mapping[int, AnnotatedFrame | None]]) -> int:
        """Add masks by object and frame, or empty their cells."""
        version = self.moment.version
        rows = [
            (object_id, frame, _PLANE, version, step, None, None, None, None)
            if entry is None
            else (
                *(object_id, frame, _PLANE, version, step),
                *(_CODES[entry.origin], entry.score, entry.object_score, packed_mask(entry.mask)),
            )
            for object_id, entries in masks.items()
            for frame, entry in entries.items()
        ]
        self.connection.executemany("INSERT INTO masks VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
        self._bring_up_to_date(masks)
        return _size(rows)

    def put_prompts(self, step: int, object_id: int, prompts: Mapping[int, Prompt | None]) -> int:
        """Add prompts of an object, or empty their cells."""
        rows = [
            (
                *(object_id, frame, _PLANE, self.moment.version, step),
                *((None, None) if prompt is None else packed_prompt(prompt)),
            )
            for frame, prompt in prompts.items()
        ]
        self.connection.executemany("INSERT INTO prompts VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
        return _size(rows)

    def put_locks(self, step: int, object_id: int, locked: SpanSet) -> int:
        """Say which frames of an object are locked."""
        row = (object_id, _PLANE, self.moment.version, step, packed_spans(locked))
        self.connection.execute("INSERT INTO locks VALUES (?, ?, ?, ?, ?)", row)
        return _size([row])

    def put_edges(self, step: int, parent: int, edges: Mapping[int, int | None]) -> int:
        """Say on which frame the parent becomes which children, or that it does not become them."""
        rows = [(parent, child, self.moment.version, step, frame) for child, frame in edges.items()]
        self.connection.executemany("INSERT INTO edges VALUES (?, ?, ?, ?, ?)", rows)
        return _size(rows)

    # Inside ----------------------------------------------------------------------------------------------------------

    def _bring_up_to_date(self, masks: Mapping[int, Mapping[int, AnnotatedFrame | None]]) -> None:
        """Let the frame that was read together last hold what was written since."""
        if self._frame_read is None:
            return
        _, frame, together = self._frame_read
        for object_id, entries in masks.items():
            if frame in entries:
                entry = entries[frame]
                if entry is None:
                    together.pop(object_id, None)
                else:
                    together[object_id] = entry

    def _latest(self, query: str, values: tuple[Any, ...], keys: int) -> Iterator[tuple[Any, ...]]:
        """Yield the key and the value of every cell that counts now; version and step follow the key in the query."""
        moment = self.moment
        steps, last = moment.steps, moment.version
        try:
            with self.lock:
                rows = self.connection.execute(query, values).fetchall()
        except sqlite3.Error as error:
            raise AnnotationFileError(f"'{self.name}' cannot be read: {error}") from error
        done: tuple[Any, ...] | None = None
        for row in rows:
            key = row[:keys]
            if key != done and row[keys] <= last and row[keys + 1] in steps:
                done = key
                yield (*key, *row[keys + 2 :])

    def _entry(self, values: list[Any], shape: tuple[int, int]) -> AnnotatedFrame:
        origin, score, object_score, runs = values
        scores_are_numbers = all(value is not None and math.isfinite(value) for value in (score, object_score))
        if origin not in range(len(ORIGINS)) or not scores_are_numbers:
            raise AnnotationFileError(f"'{self.name}' is damaged: a mask of an unknown origin, or without scores")
        mask = self._checked(unpacked_mask, runs, shape)
        return AnnotatedFrame(mask, score, object_score, ORIGINS[origin])

    def _checked(self, unpack: Callable[..., _Value], *values: object) -> _Value:
        """Unpack what a row holds; what is wrong with it becomes an error that names the document."""
        try:
            return unpack(*values)
        except Sam2vError as error:
            raise AnnotationFileError(f"'{self.name}' is damaged: {error}") from error


def mask_bytes(mask: Rle) -> int:
    """Return how many bytes a mask takes in the database, about."""
    return _ROW_BYTES + mask.counts.size


def _division(parent: int, edges: Mapping[int, int]) -> Division:
    frames = set(edges.values())
    if len(frames) != 1:
        raise AnnotationFileError(f"object {parent} would divide on several frames: {sorted(frames)}")
    return Division(parent, frames.pop(), tuple(sorted(edges)))


def _size(rows: Iterable[tuple[Any, ...]]) -> int:
    return sum(_ROW_BYTES + sum(len(value) for value in row if isinstance(value, str | bytes)) for row in rows)
