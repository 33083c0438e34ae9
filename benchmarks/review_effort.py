"""How many looks and clicks a movie takes until it is right, when somebody follows its review queue.

    python benchmarks/whole_movie.py --movies nuclei --frames 20 --only sam2v --cache RUNS     # tracks, and keeps it
    python benchmarks/review_effort.py --movies nuclei --frames 20 --cache RUNS --btrack cell_config.json

The document of sam2v as it was kept, and what other linkers make of detections, imported from a folder of the Cell
Tracking Challenge, are reviewed by the same simulated person (see reviewer.py): the queue first, the worst first, until
it is empty, and then frame by frame, for what no event showed. "In all" is until TRA is .98 for the first time.
"""

from __future__ import annotations

import argparse
import tempfile
from bisect import bisect_left
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from linkers import OURS, add_options, available, document_path, ways
from linking import Files
from reviewer import Reviewer
from rich.table import Table
from whole_movie import Tracks, cases, scores, tracks_of, write

from src_model.cli.terminal import table_console
from src_model.document import load
from src_model.formats.opening import read_objects
from src_model.tracking import StreamingPredictor

if TYPE_CHECKING:
    from collections.abc import Iterator

    from src_model.document import Annotation, DocumentView

GOAL = 0.98


@dataclass(frozen=True, slots=True)
class Effort:
    """A moment of a review: looks and clicks until then, and TRA."""

    looks: int
    clicks: int
    tra: float


def document_of(tracks: Tracks) -> Annotation:
    """Import tracks from a folder of the Challenge, as anybody would."""
    with tempfile.TemporaryDirectory() as folder:
        write(tracks, Path(folder, "01_RES"), "mask", "res_track.txt")
        return read_objects(Path(folder, "01_RES")).document()


def review(document: Annotation, truth: Tracks) -> tuple[Effort, Effort, Effort]:
    """Follow the queue of a document, then go through its frames.

    Returns
    -------
    tuple of Effort
        As the document came, when the queue was empty, and when it was good enough for the first time, or all was done.
    """
    reviewer = Reviewer(document, truth)
    views, clicks = [document.snapshot()], [0]

    def follow(steps: Iterator[DocumentView]) -> int:
        for view in steps:
            views.append(view)
            clicks.append(reviewer.clicks)
        return len(views) - 1

    emptied, done = follow(reviewer.looks()), follow(reviewer.passes())

    @cache  # scoring takes seconds, so that few views are scored on the way to the first: TRA hardly ever falls
    def quality(look: int) -> float:
        return _tra(views[look], truth)

    reached = bisect_left(range(done), True, key=lambda look: quality(look) >= GOAL)
    return tuple(Effort(look, clicks[look], quality(look)) for look in (0, emptied, reached))  # type: ignore[return-value]


def _tra(view: DocumentView, truth: Tracks) -> float:
    return scores(tracks_of(view, len(truth.labels)), truth)["TRA"]


def main() -> None:
    """Parse the command line, review, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_options(parser)
    options = parser.parse_args()
    torch.set_num_threads(1)
    predictor = StreamingPredictor.load(options.model, precision="auto", threads=1)
    table = Table(
        "movie", "method", "cells", "TRA", "queue: looks", "clicks", "TRA", "in all: looks", "clicks", "TRA",
        "a cell: looks", "clicks", box=None,
    )  # fmt: skip
    reasons = {}
    for case in cases(options.movies, options.frames, options.data):
        cells = len(np.unique(np.concatenate([np.unique(labels) for labels in case.truth.labels]))) - 1
        every = ways(case, predictor, options.cache, Files(options.btrack, options.trackastra), options.methods)
        for name, tracks, _ in available(every):
            if isinstance(tracks, str):
                reasons[name] = tracks
                continue
            document = load(document_path(case, predictor, options.cache)) if name == OURS else document_of(tracks)
            before, emptied, done = review(document, case.truth)
            counts = [str(count) for each in (emptied, done) for count in (each.looks, each.clicks, f"{each.tra:.3f}")]
            a_cell = (f"{count / cells:.2f}" for count in (done.looks, done.clicks))
            table.add_row(case.name, name, str(cells), f"{before.tra:.3f}", *counts, *a_cell)
    console = table_console()
    console.print(table)
    for name, reason in reasons.items():
        console.print(f"{name}: {reason}")


if __name__ == "__main__":
    main()
