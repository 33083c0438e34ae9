"""What is found on each frame, linked by programs of others, beside the same movie tracked by sam2v.

    python benchmarks/whole_movie.py --movies nuclei --frames 20 --only sam2v --cache RUNS     # tracks, and keeps it
    python benchmarks/linkers.py --movies nuclei --frames 20 --cache RUNS --btrack cell_config.json

All linkers get the same masks, found once and kept in the folder: automatic ones of each frame by itself, groups and
fragments dropped. "ultrack, thresholds" gets none and chooses segments of its own from thresholds of the images. A
linker that cannot be used is named with the reason; see docs/whole-movie.md for how to install them.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from linking import LINKERS, Files, Scene, UnavailableError
from rich.table import Table
from whole_movie import METRICS, Case, Tracks, cases, detections, link, row, tracks_of

from src_model.cli.terminal import table_console
from src_model.document import load
from src_model.masks import labels_from_masks
from src_model.tracking import StreamingPredictor
from src_model.workflow import WholeMovieOptions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from src_model.masks import Rle

OURS, BY_OVERLAP = "sam2v", "overlap"
METHODS = (OURS, BY_OVERLAP, *LINKERS)


def scene_of(case: Case, found: Sequence[Sequence[Rle]]) -> Scene:
    """Paint the masks of each frame, numbered from 1, beside its image; of those that overlap the later one is seen."""
    shape = (case.movie.shape[1], case.movie.shape[2])
    labels = [labels_from_masks(dict(enumerate(masks, 1)), shape, np.int32, overlap="last") for masks in found]
    images = [np.asarray(case.movie.read(frame), np.float32) for frame in range(len(found))]
    return Scene(np.stack(labels), np.stack([each if each.ndim == 2 else each.mean(axis=-1) for each in images]))


def ways(
    case: Case, predictor: StreamingPredictor, cache: Path, files: Files, methods: Sequence[str]
) -> dict[str, Callable[[], Tracks]]:
    """Name the ways to track a movie; nothing is computed before one is called, but what is found on each frame."""
    found = detections(case, predictor, cache)
    scene = scene_of(case, found)

    def ours() -> Tracks:
        path = document_path(case, predictor, cache)
        if not path.exists():
            raise UnavailableError(f"{path.name} is not in {cache}: run whole_movie.py --only sam2v --cache first")
        return tracks_of(load(path), len(case.truth.labels))

    linkers = {name: lambda use=use: use(scene, files) for name, use in LINKERS.items()}
    every = {OURS: ours, BY_OVERLAP: lambda: link(found, scene.labels.shape[1:]), **linkers}
    return {name: every[name] for name in methods}


def document_path(case: Case, predictor: StreamingPredictor, cache: Path) -> Path:
    """Return where whole_movie.py keeps the document of a movie."""
    return cache / f"{case.name}_{predictor.name}_{WholeMovieOptions().every}_{len(case.truth.labels)}.sam2v"


def available(ways: dict[str, Callable[[], Tracks]]) -> Iterator[tuple[str, Tracks | str, float]]:
    """Track in each way; yield its name, the tracks or the reason why there are none, and seconds of the processor."""
    for name, track in ways.items():
        started = time.process_time()
        try:
            tracks: Tracks | str = track()
        except UnavailableError as error:
            tracks = str(error)
        yield name, tracks, time.process_time() - started


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that say what is linked, and by which files."""
    parser.add_argument("--movies", nargs="+", default=["nuclei"])
    parser.add_argument("--data", type=Path, help="folder of a movie of the Cell Tracking Challenge, for --movies ctc")
    parser.add_argument("--frames", type=int, help="of each movie, as in the run that was kept")
    parser.add_argument("--model", default="default")
    parser.add_argument("--cache", type=Path, required=True, help="the folder in which whole_movie.py kept its runs")
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=METHODS, metavar="METHOD")
    parser.add_argument("--btrack", type=Path, help="models/cell_config.json of the repository quantumjot/btrack")
    parser.add_argument("--trackastra", type=Path, help="folder of a Trackastra model")


def main() -> None:
    """Parse the command line, find, link, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_options(parser)
    options = parser.parse_args()
    torch.set_num_threads(1)
    predictor = StreamingPredictor.load(options.model, precision="auto", threads=1)
    table = Table("movie", "method", "frames", *METRICS, "divisions", "s a frame", box=None)
    reasons = {}
    for case in cases(options.movies, options.frames, options.data):
        every = ways(case, predictor, options.cache, Files(options.btrack, options.trackastra), options.methods)
        for name, tracks, seconds in available(every):
            if isinstance(tracks, str):
                reasons[name] = tracks
            else:
                table.add_row(*row(case.name, name, tracks, case.truth, None if name == OURS else seconds))
    console = table_console()
    console.print(table)
    for name, reason in reasons.items():
        console.print(f"{name}: {reason}")


if __name__ == "__main__":
    main()
