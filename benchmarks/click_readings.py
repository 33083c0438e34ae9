"""How many clicks are read rightly, without and with the size of the objects that are there already.

    python benchmarks/click_readings.py                             # simulated, dsb2018, ctc_sim_01, epithelium
    python benchmarks/click_readings.py --part tuning               # what the constants of it were chosen on

Objects of a frame are clicked ten by ten, in random order, each at the point deepest inside; the session knows only
those of its own ten. A reading is right if its IoU with the object is 0.5 or more. One that is not is put right before
the next click, as a person does: by the best of the other readings (the key Q), by the true mask where none is right.
In the last columns nobody does.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from pairs import labelled_pairs

from src_model.datasets import open_dataset
from src_model.evaluation import folder_set
from src_model.evaluation.sets import FIRST_SEED, SimulatedLabels
from src_model.evaluation.targets import LEAST_AREA
from src_model.masks import mask_iou, masks_from_labels
from src_model.masks.geometry import deepest_point
from src_model.prompts import make_prompt
from src_model.simulation import SIMULATED_KINDS
from src_model.tracking import StreamingPredictor

if TYPE_CHECKING:
    from collections.abc import Iterator

    from src_model.datasets import LabelledMovie
    from src_model.masks import Rle
    from src_model.tracking import PromptAnswer, Session

REPOSITORY = Path(__file__).resolve().parents[1]
RIGHT = 0.5
"""IoU of a reading with the object that was clicked."""
CLICKS = 10
TUNING_SEED = 500
"""First seed of the simulated movies of the tuning part; training may have seen them."""
STILLS = 30
"""The first so many of the stills that training never saw are for tuning, the others are not."""

WAYS = {"without": (False, True), "with": (True, True), "with, nobody corrects": (True, False)}
"""Whether sizes count, and whether readings are put right, by name."""


def frames_of(part: str, data: Path, movies: int) -> Iterator[tuple[str, LabelledMovie, int]]:
    """List the frames on which objects are clicked: the name of the set, the movie, the frame."""
    first = FIRST_SEED if part == "report" else TUNING_SEED
    for kind in SIMULATED_KINDS:
        for seed in range(first, first + movies):
            yield f"simulated {kind}", SimulatedLabels(f"{kind} {seed}", "microscopy", kind, seed, 1), 0
    if (data / "dsb2018").is_dir():
        stills = folder_set(data / "dsb2018", held_out=True).movies
        for still in stills[STILLS:] if part == "report" else stills[:STILLS]:
            yield "dsb2018", still, 0
    if part == "report":
        yield from (("epithelium", movie, frame) for movie in labelled_pairs() for frame in (0, 3, 6, 9))
        if (data / "ctc_sim_01").is_dir():
            for movie in open_dataset(data / "ctc_sim_01"):
                yield from (("ctc_sim_01", movie, frame) for frame in (0, 16, 32, 48))


def groups_of(truth: dict[int, Rle], most: int) -> list[list[Rle]]:
    """Deal objects in random order into groups, as many as may be clicked one after the other; ``most`` groups."""
    order = np.random.default_rng(0).permutation(
        sorted(number for number, mask in truth.items() if mask.area >= LEAST_AREA)
    )
    return [[truth[number] for number in order[start : start + CLICKS]] for start in range(0, len(order), CLICKS)][
        :most
    ]


def clicked(session: Session, frame: int, group: list[Rle], *, by_size: bool, corrects: bool) -> list[bool]:
    """Click objects one after the other; tell of each whether its first reading was right."""
    found = []
    for number, truth in enumerate(group, start=1):
        click = make_prompt(session.frame_shape, points=[deepest_point(truth.decode())])
        answer = session.answer(frame, number, click, alike=None if by_size else ())
        found.append(mask_iou(answer.rle, truth) >= RIGHT)
        if corrects and not found[-1]:
            put_right(session, answer, truth)
    for number in [*session.objects]:
        session.remove_object(number)
    return found


def put_right(session: Session, answer: PromptAnswer, truth: Rle) -> None:
    """Choose the reading that is right, or paint the object."""
    overlaps = [mask_iou(candidate.rle, truth) for candidate in answer.candidates]
    best = int(np.argmax(overlaps))
    if overlaps[best] >= RIGHT:
        session.choose(answer.frame, answer.object_id, best)
    else:
        session.prompt(answer.frame, answer.object_id, mask=truth.decode(), replace=True)


def main() -> None:
    """Parse the command line, click, and print a row for each set."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="default")
    parser.add_argument("--part", choices=("report", "tuning"), default="report")
    parser.add_argument("--data", type=Path, default=REPOSITORY.parent / "shared" / "data")
    parser.add_argument("--movies", type=int, default=6, help="simulated movies of each kind")
    parser.add_argument("--groups", type=int, default=2, help="tens of objects a frame, at most")
    parser.add_argument("--only", help="a set by its name")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    predictor = StreamingPredictor.load(options.model)
    print(f"{'set':22}{'clicks':>8}{'1st':>8}", *(f"{way:>24}" for way in WAYS))
    for name, frames in groupby(frames_of(options.part, options.data, options.movies), key=itemgetter(0)):
        if options.only in (None, name):
            results: dict[str, list[list[bool]]] = defaultdict(list)
            for _, movie, frame in frames:
                groups = groups_of(masks_from_labels(movie.labels(frame)), options.groups)
                session = predictor.start(movie.movie)  # features are computed once for all ways
                for way, (by_size, corrects) in WAYS.items():
                    results[way] += [
                        clicked(session, frame, group, by_size=by_size, corrects=corrects) for group in groups
                    ]
            print(row_of(name, results), flush=True)


def row_of(name: str, results: dict[str, list[list[bool]]]) -> str:
    """Write a row: clicks, and shares of those read rightly, of the first of each group and of the others."""
    groups = results["without"]
    later = (np.mean([right for group in each for right in group[1:]]) for each in results.values())
    first = np.mean([group[0] for group in groups])
    return f"{name:22}{sum(map(len, groups)):8}{first:8.2f} " + " ".join(f"{share:24.3f}" for share in later)


if __name__ == "__main__":
    main()
