"""``sam2v info``: what this installation is and has, for problem reports."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Iterator
from importlib import metadata
from importlib.util import find_spec

from rich.table import Table

from src_model import __version__
from src_model.cli import options as opt
from src_model.cli.job import DEFAULT_MODEL
from src_model.cli.terminal import table_console

_PACKAGES = ("torch", "numpy", "tifffile", "huggingface_hub")
_EXTRAS = {
    "napari": "napari",
    "cvat_sdk": "cvat",
    "uvicorn": "serve",
    "redis": "serve",
    "av": "video",
    "zarr": "zarr",
    "bioio": "microscopes",
    "geff": "geff",
    "ctc_metrics": "evaluate",
}
"""Packages by which an extra is recognised."""

_DISTRIBUTIONS = {"ctc_metrics": "py-ctcmetrics"}
"""Where the package index calls one otherwise."""


def info(model: opt.ModelOption = None, debug: opt.DebugOption = False) -> None:
    """Show versions, devices, threads, folders and the model in use."""
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in (*_versions(), *_devices(), *_model(model or DEFAULT_MODEL)):
        table.add_row(name, value)
    table_console().print(table, markup=False)


def _versions() -> Iterator[tuple[str, str]]:
    yield "sam2v", __version__
    yield "Python", f"{platform.python_version()} ({sys.executable})"
    yield "system", platform.platform()
    for package in _PACKAGES:
        yield package, metadata.version(package)
    for package, extra in _EXTRAS.items():
        present = find_spec(package) is not None
        name = _DISTRIBUTIONS.get(package, package.replace("_", "-"))
        yield package, metadata.version(name) if present else f"not installed (extra '{extra}')"


def _devices() -> Iterator[tuple[str, str]]:
    import torch

    from src_model.tracking import choose_device
    from src_model.tracking.precision import choose_precision
    from src_model.tracking.threads import usable_cores, use_threads

    names = [f"cuda:{number} ({torch.cuda.get_device_name(number)})" for number in range(torch.cuda.device_count())]
    names += ["mps"] if torch.backends.mps.is_available() else []
    yield "devices", ", ".join([*names, "cpu"])
    yield "used if auto", str(choose_device("auto"))
    yield "precision if auto", choose_precision("auto", choose_device("auto"))
    yield "threads", f"{use_threads()} of {usable_cores()} usable cores ({os.cpu_count()} in the machine)"


def _model(model: str) -> Iterator[tuple[str, str]]:
    from huggingface_hub import constants

    from src_model.weights import list_checkpoints, models_folder

    yield "models folder", str(models_folder())
    yield "download cache", constants.HF_HUB_CACHE
    statuses = {status.info.name: status for status in list_checkpoints()}
    if model not in statuses:
        yield "model in use", model
        return
    status = statuses[model]
    where = "not on disk" if status.path is None else str(status.path)
    yield "model in use", f"{model} ({where}{'; ' + status.problem if status.problem else ''})"
