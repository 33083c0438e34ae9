"""The report itself: all numbers of an evaluation, and everything needed to repeat it."""

from __future__ import annotations

import os
import platform
from dataclasses import asdict, dataclass, field
from importlib import metadata
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter

import src_model
from src_model.evaluation.summary import Summary  # noqa: TC001  # pydantic reads it when the program runs

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from src_model.tracking import StreamingPredictor

_PACKAGES = ("torch", "numpy", "scipy", "pillow", "tifffile", "py-ctcmetrics")


@dataclass(frozen=True, slots=True)
class EvaluatedModel:
    """Which weights ran, and how.

    Attributes
    ----------
    name, sha256
        Name of the checkpoint, and SHA-256 of its file in hexadecimal digits.
    image_size
        Side of the square network input in pixels.
    preset
        Name of the tracking settings, such as "default" or "official".
    tracking
        All of these settings by name, windows and precision included.
    """

    name: str
    sha256: str
    image_size: int
    preset: str
    tracking: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, predictor: StreamingPredictor) -> EvaluatedModel:
        """Name a loaded model."""
        steps = predictor.steps
        return cls(
            predictor.name,
            predictor.sha256,
            predictor.image_size,
            steps.settings.preset,
            asdict(steps.settings),
        )


@dataclass(frozen=True, slots=True)
class Environment:
    """The computer and the packages that an evaluation ran on.

    Attributes
    ----------
    sam2v, python
        Versions of this package and of Python.
    packages
        Version by name of what the numbers may depend on; those that are installed.
    system, device
        Operating system and processor, and what torch ran on.
    threads, cores
        CPU threads torch used, and cores there were.
    """

    sam2v: str
    python: str
    packages: dict[str, str]
    system: str
    device: str
    threads: int
    cores: int | None

    @classmethod
    def here(cls, device: str) -> Environment:
        """Describe this computer, without its name."""
        import torch

        return cls(
            sam2v=src_model.__version__,
            python=platform.python_version(),
            packages=package_versions(_PACKAGES),
            system=f"{platform.system()} {platform.release()} {platform.machine()}",
            device=device,
            threads=torch.get_num_threads(),
            cores=os.cpu_count(),
        )


def package_versions(packages: Sequence[str]) -> dict[str, str]:
    """Versions of packages by name; those that are not installed are left out."""
    versions = {}
    for package in packages:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return versions


@dataclass(frozen=True, slots=True)
class MovieUsed:
    """A movie that was evaluated.

    Attributes
    ----------
    name
        Name of the movie in its set.
    frames
        Number of frames that were followed.
    objects
        Numbers of the objects that were evaluated.
    data_sha256
        SHA-256 of images and true masks that were used, in hexadecimal digits.
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
class EvaluationReport:
    """An evaluation that is done: what ran, on what, and what came of it.

    Attributes
    ----------
    command
        Command line that does it again.
    model, baseline_model
        Weights and settings of the tracker, and of the image model of the baselines.
    settings
        What else the numbers depend on.
    environment
        Computer and packages.
    sets
        Movies that it ran on.
    rows
        The numbers, a row for each set, protocol and method.
    """

    command: str
    model: EvaluatedModel
    baseline_model: EvaluatedModel
    settings: dict[str, Any]
    environment: Environment
    sets: tuple[SetUsed, ...]
    rows: tuple[Summary, ...]


def write_json(report: EvaluationReport, path: Path) -> None:
    """Write the report as JSON; NaN, which JSON does not know, becomes null."""
    path.write_bytes(TypeAdapter(EvaluationReport).dump_json(report, indent=2) + b"\n")
