"""Movies with labels of their own file: the bundled epithelium, and those named on a benchmark's command line."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from src_model.data import epithelium_path
from src_model.datasets import pair

if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Iterable

    from src_model.datasets import LabelledMovie

EPITHELIUM_LABELS = Path(__file__).resolve().parents[1] / "tests" / "data" / "epithelium_labels.tif"


def add_pair_option(parser: ArgumentParser) -> None:
    """Let a command line name movies: ``--pair hl60 hl60.tif hl60_labels.tif``."""
    parser.add_argument(
        "--pair",
        nargs=3,
        action="append",
        default=[],
        metavar=("NAME", "MOVIE", "LABELS"),
        help="a movie (TYX) and its labels as one more set, repeatable",
    )


def labelled_pairs(named: Iterable[tuple[str, str, str]] = ()) -> list[LabelledMovie]:
    """Open the epithelium, where the repository's truth of it is there, and movies that were named."""
    files: list[tuple[str, Path | str, Path | str]] = [(name, movie, labels) for name, movie, labels in named]
    if EPITHELIUM_LABELS.exists():
        files.insert(0, ("epithelium", epithelium_path(), EPITHELIUM_LABELS))
    return [pair(movie, labels, name=name) for name, movie, labels in files]
