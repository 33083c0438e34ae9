"""How short and how right the review queue of a tracked movie is.

    python benchmarks/whole_movie.py --movies nuclei --frames 10 --only sam2v --cache RUNS     # tracks, and keeps it
    python benchmarks/review_queue.py --movies nuclei --frames 10 --cache RUNS

Each tracked mask is the true object of the best IoU on its frame, at least one half, and wrong where it has none, or
another one than its object mostly is. A flag is a mask on a frame that an event speaks of; flags on frames without a
mask (lost, ended) are right where the object's true one is there. Wrong masks of one object without a gap are one
error: who is shown any of them sees it. The queue is read worst first: how many errors does its first fifth name.
"""

from __future__ import annotations

import argparse
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from rich.table import Table
from whole_movie import Case, cases

from src_model.cli.terminal import table_console
from src_model.document import load
from src_model.masks import masks_from_labels, pairwise_mask_iou
from src_model.workflow import WholeMovieOptions
from src_model.workflow.review import ReviewKind, ReviewQueue

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from src_model.document import DocumentView
    from src_model.workflow.review import ReviewEvent

RIGHT = 0.5
"""IoU with the true object from which on a mask is right."""

Place = tuple[int, int]
"""Object id and frame."""


@dataclass(frozen=True, slots=True)
class Truth:
    """What is wrong in a tracked movie.

    Attributes
    ----------
    masks
        Whether each tracked mask is wrong.
    missing
        Where an object has no mask, and the true one that it mostly is goes on.
    undetected
        True objects on a frame that no mask holds.
    """

    masks: Mapping[Place, bool]
    missing: frozenset[Place]
    undetected: int

    @property
    def wrong(self) -> set[Place]:
        """The masks that are wrong."""
        return {place for place, is_wrong in self.masks.items() if is_wrong}


def compare(document: DocumentView, case: Case) -> Truth:
    """Find the true object of each mask, and those that are wrong."""
    held: dict[Place, int | None] = {}
    there: list[set[int]] = []
    undetected = 0
    for frame, labels in enumerate(case.truth.labels):
        truth = masks_from_labels(np.asarray(labels))
        found = {n: entry.mask for n, entry in document.masks_at(frame).items() if not entry.mask.is_empty}
        numbers = list(truth)
        overlaps = pairwise_mask_iou(list(found.values()), list(truth.values()))
        for row, number in enumerate(found):
            best = int(overlaps[row].argmax()) if numbers else -1
            held[number, frame] = numbers[best] if numbers and overlaps[row, best] >= RIGHT else None
        there.append(set(numbers))
        undetected += int((overlaps.max(axis=0, initial=0) < RIGHT).sum())
    counts: dict[int, Counter[int]] = defaultdict(Counter)
    for (number, _), label in held.items():
        if label is not None:
            counts[number][label] += 1
    mostly = {number: count.most_common(1)[0][0] for number, count in counts.items()}
    masks = {place: label is None or label != mostly[place[0]] for place, label in held.items()}
    frames = range(len(case.truth.labels))
    missing = {(n, t) for n, label in mostly.items() for t in frames if (n, t) not in held and label in there[t]}
    return Truth(masks, frozenset(missing), undetected)


def flagged(event: ReviewEvent) -> list[Place]:
    """Name the masks that an event speaks of: those of both objects, where there are two."""
    pairs = (ReviewKind.OVERLAP, ReviewKind.LOOKALIKE)
    objects = (event.object_id, *event.others) if event.kind in pairs else (event.object_id,)
    if event.kind is ReviewKind.DIVISION:
        objects = event.others
    return [(number, frame) for number in objects for frame in range(event.start, event.stop)]


def errors_of(wrong: set[Place]) -> list[set[Place]]:
    """Join wrong masks of one object on consecutive frames."""
    errors: list[set[Place]] = []
    for number, frame in sorted(wrong):
        if errors and (number, frame - 1) in errors[-1]:
            errors[-1].add((number, frame))
        else:
            errors.append({(number, frame)})
    return errors


def measure(name: str, events: Sequence[ReviewEvent], truth: Truth) -> list[str]:
    """Write a row of the table."""
    wrong, named = truth.wrong, [set(flagged(event)) for event in events]
    every = set().union(*named)
    judged = every & (truth.masks.keys() | truth.missing)
    right = judged & (wrong | truth.missing)
    first = set().union(*named[: -(-len(named) // 5)])
    useful = sum(bool(places & (wrong | truth.missing)) for places in named)
    errors = errors_of(wrong)
    cells = len({number for number, _ in truth.masks})
    return [
        name,
        str(cells),
        str(len(truth.masks)),
        f"{len(wrong)}, {len(errors)}",
        str(len(events)),
        f"{len(events) / max(cells, 1):.2f}",
        _share(useful, len(events)),
        _share(len(right), len(every)),
        _share(len(every & wrong), len(wrong)),
        _share(sum(bool(error & every) for error in errors), len(errors)),
        _share(sum(bool(error & first) for error in errors), len(errors)),
        f"{len(truth.missing)}, {truth.undetected}",
    ]


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.2f}" if whole else "-"


def kinds_table(events: Sequence[ReviewEvent], truth: Truth) -> Table:
    """Tell of each kind of event how many there are, and how many speak of something that is wrong."""
    table = Table("kind", "events", "about an error", "wrong masks named", box=None)
    for kind in ReviewKind:
        of_kind = [set(flagged(event)) for event in events if event.kind is kind]
        useful = sum(bool(places & (truth.wrong | truth.missing)) for places in of_kind)
        table.add_row(kind.value, str(len(of_kind)), str(useful), str(len(set().union(*of_kind) & truth.wrong)))
    return table


def main() -> None:
    """Parse the command line, measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--movies", nargs="+", default=["nuclei"])
    parser.add_argument("--data", type=Path, help="folder of a movie of the Cell Tracking Challenge, for --movies ctc")
    parser.add_argument("--frames", type=int, help="of each movie, as in the run that was kept")
    parser.add_argument("--every", type=int, default=WholeMovieOptions().every, help="as in the run that was kept")
    parser.add_argument("--model", default="default")
    parser.add_argument("--cache", type=Path, required=True, help="the folder in which whole_movie.py kept its runs")
    options = parser.parse_args()
    console = table_console()
    table = Table(
        "movie", "cells", "masks", "wrong, errors", "events", "a cell", "about an error", "precision", "recall",
        "errors named", "in the first fifth", "missing, undetected", box=None,
    )  # fmt: skip
    for case in cases(options.movies, options.frames, options.data):
        name = f"{case.name}_{options.model}_{options.every}_{len(case.truth.labels)}.sam2v"
        document = load(options.cache / name)
        truth, events = compare(document, case), ReviewQueue().update(document.snapshot())
        table.add_row(*measure(case.name, events, truth))
        console.print(kinds_table(events, truth))
    console.print(table)


if __name__ == "__main__":
    main()
