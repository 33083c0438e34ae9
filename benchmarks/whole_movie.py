"""A whole movie without a click: how well it is tracked, beside its detections linked by overlap.

    python benchmarks/whole_movie.py                                           # epithelium, a simulated movie
    python benchmarks/whole_movie.py --movies ctc --data FOLDER --frames 20    # a movie of the challenge

Measures are those of the Cell Tracking Challenge, from py-ctcmetrics: SEG, DET, TRA, LNK, and the biological ones:
complete tracks (CT), track fractions (TF), branching correctness within a frame (BC), cell cycle accuracy (CCA). What
is beside it is the obvious way: the same automatic masks of each frame, groups and fragments dropped, linked with
those that overlap most on the frame before; two that overlap one mother are her daughters.
"""

from __future__ import annotations

import argparse
import pickle
import resource
import tempfile
import time
from contextlib import redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import tifffile
import torch
from pairs import labelled_pairs
from rich.table import Table
from scipy.optimize import linear_sum_assignment

from src_model.cli.terminal import table_console
from src_model.datasets import open_dataset
from src_model.detection import AutomaticDetector, AutomaticOptions
from src_model.detection.selection import single_objects
from src_model.document import Annotation, MovieIdentity, label_image, load, save
from src_model.formats.tracklets import TrackletBuilder
from src_model.frames import decide_normalization, open_movie
from src_model.masks import pairwise_mask_iou
from src_model.simulation import simulate_movie
from src_model.tracking import StreamingPredictor
from src_model.tracking.session_document import project_of
from src_model.workflow import DocumentTracker, WholeMovieOptions, track_all

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from src_model.frames import FrameSource
    from src_model.masks import Detection, Rle

METRICS = ["SEG", "DET", "TRA", "LNK", "CT", "TF", "BC", "CCA"]
CLICKS = 16
"""Clicks along each side of a frame, for what is linked by overlap."""

LEAST_OVERLAP = 0.3
"""IoU from which on two masks of neighbouring frames are the same cell."""

SIMULATED_SEED = 904


@dataclass(frozen=True, slots=True)
class Tracks:
    """Tracked cells: labels of each frame, ``(Y, X)`` integers, and the parent of each daughter."""

    labels: Sequence[NDArray[np.integer]]
    parents: Mapping[int, int]


@dataclass(frozen=True, slots=True)
class Case:
    """A movie with its truth."""

    name: str
    movie: FrameSource
    truth: Tracks


def cases(names: Sequence[str], frames: int | None, data: Path | None) -> list[Case]:
    """Open the movies that were asked for, up to so many frames."""
    found = []
    for name in names:
        if name == "ctc":
            assert data is not None, "checked together with the options"
            labelled = open_dataset(data)[0]
        elif name == "epithelium":
            labelled = labelled_pairs()[0]
        else:
            made = simulate_movie(name, SIMULATED_SEED, min(frames or 20, 20), (256, 256))
            truth = Tracks([each.astype(np.int32) for each in made.labels], made.parents)
            found.append(Case(name, open_movie(made.images, axes="TYX"), truth))
            continue
        count = min(frames or len(labelled.movie), len(labelled.movie))
        truth = Tracks([labelled.labels(frame) for frame in range(count)], labelled.parents)
        found.append(Case(name, labelled.movie, truth))
    return found


def track(case: Case, predictor: StreamingPredictor, every: int) -> Annotation:
    """Find and track everything in a movie."""
    identity = MovieIdentity.of(case.movie, path=case.name)
    document = Annotation(project_of(predictor.steps, identity, decide_normalization(case.movie)))
    tracker = DocumentTracker(case.movie, lambda: predictor, normalization=document.project.normalization)
    options = WholeMovieOptions(every=every, frames=range(len(case.truth.labels)))
    report = track_all(document, tracker, options, progress=lambda now: print(case.name, now.frame, flush=True))
    print(report.summary, flush=True)
    return document


def tracks_of(document: Annotation, frames: int) -> Tracks:
    """Read labels and parents of a document."""
    parents = {child: each.parent for each in document.divisions.values() for child in each.daughters}
    return Tracks([label_image(document, frame) for frame in range(frames)], parents)


def link(found: Sequence[Sequence[Rle]], shape: tuple[int, int]) -> Tracks:
    """Link masks with those that overlap most on the frame before; two that lie on one are its daughters."""
    labels, parents, held, last = [], {}, {}, 0
    for masks in found:
        before, numbers = list(held), {}
        overlaps = pairwise_mask_iou(masks, [held[n] for n in before]) if before else np.zeros((len(masks), 0))
        rows, columns = linear_sum_assignment(overlaps, maximize=True)
        same = {int(r): before[c] for r, c in zip(rows, columns, strict=True) if overlaps[r, c] >= LEAST_OVERLAP}
        for row in range(len(masks)):
            if row not in same:
                last += 1
                numbers[row] = last
                mother = int(overlaps[row].argmax()) if before and overlaps[row].any() else None
                twin = next((r for r, n in same.items() if mother is not None and n == before[mother]), None)
                if mother is not None and twin is not None and overlaps[row, mother] >= LEAST_OVERLAP / 2:
                    last += 1
                    numbers[twin] = last
                    parents |= {numbers[row]: before[mother], last: before[mother]}
        numbers = same | numbers
        held = {number: masks[row] for row, number in numbers.items()}
        image = np.zeros(shape, np.int32)
        for number, mask in held.items():
            image[mask.decode()] = number
        labels.append(image)
    return Tracks(labels, parents)


def detections(case: Case, predictor: StreamingPredictor, cache: Path | None) -> list[list[Rle]]:
    """Find everything on each frame by itself; kept on disk where a folder is given."""
    detector = AutomaticDetector(predictor, AutomaticOptions(points_per_side=CLICKS))
    normalization = decide_normalization(case.movie)

    def find(frame: int) -> list[Detection]:
        return list(detector.detect(case.movie.read(frame), normalization=normalization))

    each = [
        kept(cache, f"{case.name}_{predictor.name}_{frame}_{CLICKS}", find, frame)
        for frame in range(len(case.truth.labels))
    ]
    return [[item.mask for item in single_objects(found) if item.mask is not None] for found in each]


def kept(cache: Path | None, name: str, find: Callable[[int], list[Detection]], frame: int) -> list[Detection]:
    """Find, or read what was found before."""
    path = None if cache is None else cache / f"{name}.pkl"
    if path is None or not path.exists():
        found = find(frame)
        if path is not None:
            path.write_bytes(pickle.dumps(found))
        return found
    found = pickle.loads(path.read_bytes())
    return found


def scores(found: Tracks, truth: Tracks) -> dict[str, float]:
    """Score by py-ctcmetrics, which reads folders."""
    from ctc_metrics.scripts.evaluate import evaluate_sequence

    with tempfile.TemporaryDirectory() as folder, redirect_stdout(StringIO()):
        results, gold = Path(folder, "01_RES"), Path(folder, "01_GT")
        write(found, results, "mask", "res_track.txt")
        write(truth, gold / "TRA", "man_track", "man_track.txt")
        write(truth, gold / "SEG", "man_seg", None)
        result: dict[str, float] = evaluate_sequence(str(results), str(gold), list(METRICS), threads=1)
    return result


def write(tracks: Tracks, folder: Path, name: str, table: str | None) -> None:
    """Write a folder of the Challenge; a gap becomes a child, as in an export."""
    folder.mkdir(parents=True)
    seen = [np.unique(labels[labels > 0]).tolist() for labels in tracks.labels]
    builder = TrackletBuilder({number for each in seen for number in each}, tracks.parents, 2**16 - 1)
    for frame, (labels, visible) in enumerate(zip(tracks.labels, seen, strict=True)):
        numbers = builder.step(frame, visible)
        lookup = np.zeros(max(visible, default=0) + 1, np.uint16)
        for number, label in numbers.items():
            lookup[number] = label
        tifffile.imwrite(folder / f"{name}{frame:03d}.tif", lookup[labels])
    if table is not None:
        rows = sorted((each.label, each.first, each.last, each.parent) for each in builder.tracklets)
        (folder / table).write_text("".join(f"{label} {b} {e} {p}\n" for label, b, e, p in rows), encoding="ascii")


def row(name: str, method: str, found: Tracks, truth: Tracks, seconds: float | None) -> list[str]:
    """Score and write a row of the table."""
    got = scores(found, truth)
    right, wrong, missed = (got[f"{what}_div(1)"] for what in ("tp", "fp", "fn"))
    cells = [name, method, str(len(truth.labels))]
    cells += [_number(got.get("BC(1)" if metric == "BC" else metric)) for metric in METRICS]
    spent = "" if seconds is None else f"{seconds / len(truth.labels):.1f}"
    return [*cells, f"{right:.0f} of {right + missed:.0f}, {wrong:.0f} wrong", spent]


def _number(value: float | None) -> str:
    return "-" if value is None or not np.isfinite(value) else f"{value:.3f}"


def main() -> None:
    """Parse the command line, track, link, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--movies", nargs="+", default=["epithelium", "nuclei"])
    parser.add_argument("--data", type=Path, help="folder of a movie of the Cell Tracking Challenge, for --movies ctc")
    parser.add_argument("--frames", type=int, help="of each movie, at most")
    parser.add_argument("--every", type=int, default=WholeMovieOptions().every, help="frames between looks")
    parser.add_argument("--model", default="default")
    parser.add_argument("--cache", type=Path, help="a folder that keeps detections, and documents that were tracked")
    parser.add_argument("--only", choices=("sam2v", "overlap"), help="one method alone")
    options = parser.parse_args()
    if "ctc" in options.movies and options.data is None:
        parser.error("--movies ctc needs --data, the folder of that movie")
    if options.cache is not None:
        options.cache.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    predictor = StreamingPredictor.load(options.model, precision="auto", threads=1)
    table = Table("movie", "method", "frames", *METRICS, "divisions", "s a frame", box=None)
    for case in cases(options.movies, options.frames, options.data):
        frames = len(case.truth.labels)
        if options.only != "overlap":
            name = f"{case.name}_{predictor.name}_{options.every}_{frames}.sam2v"
            path = None if options.cache is None else options.cache / name
            started, seconds = time.process_time(), None
            if path is not None and path.exists():
                document = load(path)
            else:
                document = track(case, predictor, options.every)
                seconds = time.process_time() - started
                if path is not None:
                    save(document, path)
            table.add_row(*row(case.name, "sam2v", tracks_of(document, frames), case.truth, seconds))
        if options.only != "sam2v":
            shape = (case.movie.shape[1], case.movie.shape[2])
            linked = link(detections(case, predictor, options.cache), shape)
            table.add_row(*row(case.name, "overlap", linked, case.truth, None))
    console = table_console()
    console.print(table)
    console.print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.1f} GiB, one thread")


if __name__ == "__main__":
    main()
