"""What has to be known to do an evaluation again."""

from __future__ import annotations

import os
import platform
from dataclasses import asdict, dataclass, field
from importlib import metadata
from typing import TYPE_CHECKING, Any

import src_model

if TYPE_CHECKING:
    from src_model.tracking import StreamingPredictor

_PACKAGES = ("torch", "numpy", "scipy", "pillow", "tifffile", "py-ctcmetrics")


@dataclass(frozen=True, slots=True)
class ModelIdentity:
    """Which weights ran, and how.

    Attributes
    ----------
    name, sha256
        Of the checkpoint file.
    image_size
        Side of the network input.
    preset
        Name of the tracking settings.
    tracking
        All of them, windows and precision included.
    backend
        What computed the heavy parts.
    """

    name: str
    sha256: str
    image_size: int
    preset: str
    tracking: dict[str, Any] = field(default_factory=dict)
    backend: str = "torch"

    @classmethod
    def of(cls, predictor: StreamingPredictor) -> ModelIdentity:
        """Name a loaded model."""
        steps = predictor.steps
        return cls(
            predictor.name,
            predictor.sha256,
            predictor.image_size,
            steps.settings.preset,
            asdict(steps.settings),
            steps.backend,
        )


@dataclass(frozen=True, slots=True)
class Environment:
    """Where it ran.

    Attributes
    ----------
    sam2v, python
        Versions.
    packages
        Versions of what the numbers may depend on; those that are installed.
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
            packages=_versions(),
            system=f"{platform.system()} {platform.release()} {platform.machine()}",
            device=device,
            threads=torch.get_num_threads(),
            cores=os.cpu_count(),
        )


def _versions() -> dict[str, str]:
    versions = {}
    for package in _PACKAGES:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return versions
