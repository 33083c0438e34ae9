"""Results on disk: a header that says what is evaluated, then one line of JSON for every finished unit of work."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter, ValidationError

from src_model.errors import EvaluationError
from src_model.evaluation.scoring import ObjectScores  # noqa: TC001  # pydantic reads it when the program runs

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class UnitKey:
    """One unit of work.

    Attributes
    ----------
    set, movie
        Names of the set and of the movie in it.
    protocol, method
        How it was annotated, and what followed the objects.
    """

    set: str
    movie: str
    protocol: str
    method: str


@dataclass(frozen=True, slots=True)
class CellScores:
    """SEG, DET and TRA of the Cell Tracking Challenge; None where there is nothing to score."""

    seg: float | None
    det: float | None
    tra: float | None


@dataclass(frozen=True, slots=True)
class UnitRecord:
    """What came of one unit.

    Attributes
    ----------
    key
        Which movie, protocol and method.
    frames
        Number of frames that were followed, labelled or not.
    seconds
        Seconds of computing, all objects together.
    data_sha256
        Digest of the images and masks that were evaluated.
    objects
        The scores of each object.
    cells
        Scores of all objects together, where all of a microscopy movie were evaluated.
    """

    key: UnitKey
    frames: int
    seconds: float
    data_sha256: str
    objects: tuple[ObjectScores, ...]
    cells: CellScores | None = None


_RECORD: TypeAdapter[UnitRecord] = TypeAdapter(UnitRecord)


class RecordFile:
    """Finished units, which a later run with the same settings does not do again.

    Parameters
    ----------
    path
        The file; made if it does not exist.
    settings
        Everything the numbers depend on, as JSON would hold it.

    Raises
    ------
    EvaluationError
        If the file holds results of other settings, or cannot be read.
    """

    def __init__(self, path: Path, settings: dict[str, Any]) -> None:
        self._path = path
        self._settings = json.loads(json.dumps(settings))
        self.done: dict[UnitKey, UnitRecord] = {}
        if path.exists() and path.stat().st_size:
            self._read()
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._append(json.dumps({"settings": self._settings}))

    def add(self, record: UnitRecord) -> None:
        """Write a finished unit; it is on disk when this returns."""
        self._append(_RECORD.dump_json(record).decode())
        self.done[record.key] = record

    def _append(self, line: str) -> None:
        with self._path.open("a", encoding="utf-8") as file:
            file.write(line + "\n")

    def _read(self) -> None:
        text = self._path.read_text(encoding="utf-8")
        whole, _, torn = text.rpartition("\n")
        header, *lines = whole.split("\n")
        self._check(header)
        for number, line in enumerate(lines, start=2):
            try:
                record = _RECORD.validate_json(line)
            except ValidationError as error:
                raise EvaluationError(
                    f"line {number} of '{self._path}' is no result of an evaluation; delete the file to start anew"
                ) from error
            self.done[record.key] = record
        if torn:
            # The run before was killed while it wrote: that unit is done again.
            self._path.write_text(whole + "\n", encoding="utf-8")

    def _check(self, header: str) -> None:
        try:
            found = json.loads(header)["settings"]
        except (ValueError, TypeError, KeyError) as error:
            raise EvaluationError(
                f"'{self._path}' does not begin with the settings of an evaluation; delete it or choose another folder"
            ) from error
        differ = sorted(name for name in {*found, *self._settings} if found.get(name) != self._settings.get(name))
        if differ:
            was, now = found.get(differ[0]), self._settings.get(differ[0])
            raise EvaluationError(
                f"'{self._path}' holds results of other settings ({', '.join(differ)}: {was!r:.80} there, {now!r:.80} "
                "now); choose another folder, or delete it"
            )
