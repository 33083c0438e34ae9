"""From which predicted IoU and stability on are masks of a checkpoint right? The thresholds of automatic masks.

    python benchmarks/automatic_masks.py                                # the bundled default
    python benchmarks/automatic_masks.py --model my-cells --data path/to/data

Everything in single images is searched once with hardly any threshold; then each pair of thresholds is applied to what
was found, as `AutomaticDetector` does. A mask is right if its IoU with an object of its own is over 0.5. Sets: the
first frames of simulated movies of each kind with seeds that training never uses, stills that training never saw, and
the bundled epithelium where the repository's truth of it is there. The pair to keep beside a checkpoint
(`MaskThresholds`) is the strictest whose mean F1 over the sets lies within 0.01 of the best: where F1 hardly tells
pairs apart, a wrong mask, which somebody has to find and delete, costs more than one that is missing.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from pairs import add_pair_option, labelled_pairs
from rich.table import Table
from scipy.optimize import linear_sum_assignment

from src_model.cli.terminal import table_console
from src_model.detection import AutomaticDetector, AutomaticOptions
from src_model.detection.selection import suppress_overlaps
from src_model.evaluation import EvaluationSet, folder_set, simulated_sets
from src_model.tracking import StreamingPredictor

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from numpy.typing import NDArray

    from src_model.datasets import LabelledMovie
    from src_model.detection import AutomaticDetection

REPOSITORY = Path(__file__).resolve().parents[1]
SCORES = (0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.88)
STABILITIES = (0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95)
SAM = (0.88, 0.95)
RIGHT = 0.5
AS_GOOD = 0.01
"""Mean F1 by which a pair may stay behind the best."""


@dataclass(frozen=True, slots=True)
class Found:
    """What was found in one image.

    Attributes
    ----------
    scores, stabilities
        ``(N,)`` of each mask.
    boxes
        ``(N, 4)``.
    overlaps
        ``(N, K)`` IoU with each of K true objects.
    """

    scores: NDArray[np.float64]
    stabilities: NDArray[np.float64]
    boxes: NDArray[np.float64]
    overlaps: NDArray[np.float64]

    def counts(self, min_score: float, min_stability: float, max_box_overlap: float) -> NDArray[np.int64]:
        """Count right masks, all masks, all objects."""
        (passed,) = ((self.scores >= min_score) & (self.stabilities >= min_stability)).nonzero()
        kept = passed[suppress_overlaps(self.boxes[passed], self.scores[passed], max_box_overlap)]
        rows, columns = linear_sum_assignment(self.overlaps[kept], maximize=True)
        right = int((self.overlaps[kept][rows, columns] > RIGHT).sum())
        return np.array([right, len(kept), self.overlaps.shape[1]])


def sets_in(data: Path, movies: int, stills: int, named: Iterable[tuple[str, str, str]]) -> Iterator[EvaluationSet]:
    """Open the sets that are there."""
    if (data / "dsb2018").is_dir():
        every = folder_set(data / "dsb2018", held_out=True)
        spread = every.movies[:: max(1, len(every.movies) // stills)][:stills]
        yield EvaluationSet("stills", spread, every.source)
    yield from simulated_sets("simulated", movies=movies, frames=1)
    yield from (EvaluationSet(movie.name, (movie,), "a movie and its labels") for movie in labelled_pairs(named))


def search(detector: AutomaticDetector, movie: LabelledMovie) -> Found:
    """Find everything in the first frame and compare it with the truth."""
    frame = movie.labelled_frames[0]
    truth = movie.labels(frame)
    found = detector.detect(movie.movie.read(frame))
    return Found(
        np.array([item.score for item in found], dtype=np.float64),
        np.array([item.stability for item in found], dtype=np.float64),
        np.array([item.box for item in found], dtype=np.float64).reshape(-1, 4),
        _overlaps(found, truth),
    )


def _overlaps(found: list[AutomaticDetection], truth: NDArray[np.integer]) -> NDArray[np.float64]:
    """IoU of every mask with every object, ``(N, K)``."""
    ids, numbers = np.unique(truth, return_inverse=True)
    numbers = numbers.reshape(truth.shape)
    areas = np.bincount(numbers.ravel())
    common = np.array([np.bincount(numbers[item.mask.decode()], minlength=len(ids)) for item in found]).reshape(
        -1, len(ids)
    )
    union = areas + common.sum(axis=1, keepdims=True) - common
    return (common / union)[:, ids > 0]


def measured(found: dict[str, list[Found]], pair: tuple[float, float], overlap: float) -> dict[str, tuple[float, ...]]:
    """F1, recall and precision of a pair of thresholds on each set, and their means."""
    rows = {}
    for name, images in found.items():
        right, given, true = np.sum([image.counts(*pair, overlap) for image in images], axis=0)
        rows[name] = (2 * right / max(given + true, 1), right / max(true, 1), right / max(given, 1))
    means = np.mean(list(rows.values()), axis=0)
    return rows | {"mean": tuple(means.tolist())}


def strictest(f1: Mapping[tuple[float, float], float], given: Mapping[tuple[float, float], int]) -> tuple[float, float]:
    """Choose the pair that gives the fewest masks among those whose mean F1 is nearly the best."""
    least = max(f1.values()) - AS_GOOD
    return min((pair for pair in f1 if f1[pair] >= least), key=lambda pair: (given[pair], -f1[pair]))


def report(found: dict[str, list[Found]], overlap: float) -> None:
    """Print the mean F1 of every pair, the pair to keep, and that beside the best and SAM's on each set."""
    table = {pair: measured(found, pair, overlap) for pair in product(SCORES, STABILITIES)}
    f1 = {pair: rows["mean"][0] for pair, rows in table.items()}
    given = {pair: sum(int(i.counts(*pair, overlap)[1]) for each in found.values() for i in each) for pair in table}
    best, chosen = max(f1, key=lambda pair: f1[pair]), strictest(f1, given)
    shown = tuple(dict.fromkeys((chosen, best, SAM)))
    grid = Table("mean F1, predicted IoU from", *(f"stability {value}" for value in STABILITIES), box=None)
    for score in SCORES:
        grid.add_row(str(score), *(f"{f1[score, value]:.3f}" for value in STABILITIES))
    each = Table("F1 (recall, precision)", *(f"{pair[0]}, {pair[1]}" for pair in shown), box=None)
    for name in table[best]:
        cells = (table[pair][name] for pair in shown)
        each.add_row(name, *(f"{f1:.3f} ({recall:.2f}, {precision:.2f})" for f1, recall, precision in cells))
    console = table_console()
    console.print(grid)
    console.print(each)
    console.print(
        f"The strictest pair within {AS_GOOD} of the best ({best[0]}, {best[1]}: {f1[best]:.3f}, {given[best]} masks): "
        f"{chosen[0]}, {chosen[1]} ({f1[chosen]:.3f}, {given[chosen]} masks)"
    )


def main() -> None:
    """Parse the command line, search, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="default")
    parser.add_argument("--data", type=Path, default=REPOSITORY.parent / "shared" / "data")
    parser.add_argument("--movies", type=int, default=3, help="simulated images of each kind")
    parser.add_argument("--stills", type=int, default=12, help="stills, spread over those held out")
    parser.add_argument("--points", type=int, default=32, help="clicks along each side of an image")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    add_pair_option(parser)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    asked = AutomaticOptions(
        points_per_side=options.points,
        min_score=SCORES[0],
        min_stability=STABILITIES[0],
        max_box_overlap=1.0,
        tile=None,
    )
    detector = AutomaticDetector(StreamingPredictor.load(options.model, precision="auto"), asked)
    found, started = {}, time.process_time()
    for item in sets_in(options.data, options.movies, options.stills, options.pair):
        found[item.name] = [search(detector, movie) for movie in item.movies]
        spent = time.process_time() - started
        print(f"{item.name}: {len(item.movies)} images, {spent:.0f} s of the processor so far", flush=True)
    report(found, AutomaticOptions().max_box_overlap)


if __name__ == "__main__":
    main()
