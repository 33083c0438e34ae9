"""The report itself: all numbers of an evaluation, and everything needed to repeat it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter

from src_model.evaluation.provenance import Environment, ModelIdentity  # noqa: TC001  # pydantic reads it when the program runs
from src_model.evaluation.summary import Summary  # noqa: TC001  # pydantic reads it when the program runs

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class MovieUsed:
    """A movie that was evaluated.

    Attributes
    ----------
    name
        In its set.
    frames
        Frames that were followed.
    objects
        Numbers of the objects that were evaluated.
    data_sha256
        Digest of their images and true masks.
    """

    name: str
    frames: int
    objects: tuple[int, ...]
    data_sha256: str


@dataclass(frozen=True, slots=True)
class SetUsed:
    """A set that was evaluated: its name, where it comes from, its licence, and its movies."""

    name: str
    source: str
    licence: str | None
    movies: tuple[MovieUsed, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """An evaluation.

    Attributes
    ----------
    command
        The command that does it again.
    model, baseline_model
        Which weights.
    settings
        What else the numbers depend on.
    environment
        Where it ran.
    sets
        What it ran on.
    rows
        What came of it.
    """

    command: str
    model: ModelIdentity
    baseline_model: ModelIdentity
    settings: dict[str, Any]
    environment: Environment
    sets: tuple[SetUsed, ...]
    rows: tuple[Summary, ...]


def write_json(report: Report, path: Path) -> None:
    """Write the report as JSON; NaN, which JSON does not know, becomes null."""
    path.write_bytes(TypeAdapter(Report).dump_json(report, indent=2) + b"\n")
