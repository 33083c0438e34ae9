"""How well a checkpoint tracks, on everything there is to evaluate on: the table of the model card.

    python benchmarks/quality.py                                  # the bundled default
    python benchmarks/quality.py --model runs/x/best.safetensors --data path/to/data --frames 30

Sets: the halves of DAVIS 2016 and of the dsb2018 stills that training never sees, simulated microscopy with seeds that
training never uses, such movies whose field drifts so that objects leave it, and the bundled epithelium movie where the
repository's ground truth is present. The baseline is prompting each frame with the box of the mask before. Everything
else `sam2v evaluate` does is left to it.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from pairs import add_pair_option, labelled_pairs
from panning import panned_set

from src_model.cli.terminal import table_console
from src_model.evaluation import Evaluation, EvaluationRequest, EvaluationSet, TargetChoice, folder_set, simulated_sets
from src_model.evaluation.report import summary_table
from src_model.tracking import StreamingPredictor

if TYPE_CHECKING:
    from collections.abc import Iterable

REPOSITORY = Path(__file__).resolve().parents[1]


def sets_in(data: Path, movies: int, named: Iterable[tuple[str, str, str]] = ()) -> tuple[EvaluationSet, ...]:
    """Open the sets that are there, and pairs of files that were named."""
    found = [folder_set(data / name, held_out=True) for name in ("davis2016", "dsb2018") if (data / name).is_dir()]
    found += [*simulated_sets("simulated", movies=movies), panned_set(movies)]
    found += [EvaluationSet(movie.name, (movie,), "a movie and its labels") for movie in labelled_pairs(named)]
    return tuple(found)


def main() -> None:
    """Parse the command line, evaluate, and print a row for each set and protocol."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="default")
    parser.add_argument("--baseline-model", help="checkpoint of the baseline; the model itself if left out")
    parser.add_argument("--protocols", nargs="+", default=["mask", "click"])
    parser.add_argument("--image-size", type=int)
    parser.add_argument("--data", type=Path, default=REPOSITORY.parent / "shared" / "data")
    parser.add_argument("--movies", type=int, default=2, help="simulated movies of each kind")
    parser.add_argument("--objects", type=int, default=4, help="objects a movie")
    parser.add_argument("--frames", type=int, help="frames a movie")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--out", type=Path, default=Path("quality"), help="folder of the report")
    add_pair_option(parser)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    request = EvaluationRequest(
        sets_in(options.data, options.movies, options.pair),
        tuple(options.protocols),
        ("previous-box",),
        TargetChoice(options.frames, options.objects),
        command=f"python benchmarks/quality.py --model {options.model}",
    )
    predictor = StreamingPredictor.load(options.model, image_size=options.image_size)
    baseline = None
    if options.baseline_model:
        baseline = StreamingPredictor.load(options.baseline_model, image_size=options.image_size)
    report = Evaluation(request, predictor, baseline).run(options.out)
    table_console().print(summary_table(report.rows, title=f"{predictor.name}, {predictor.image_size} px"))


if __name__ == "__main__":
    main()
