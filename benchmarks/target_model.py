"""What the target model costs: seconds a frame with and without it, against the number of cells.

    python benchmarks/target_model.py --clock cpu --threads 1

The bundled model follows the same cells twice, taking turns frame by frame, so that a busy machine slows both alike.
Frames count once the memory bank is full.
"""

from __future__ import annotations

import argparse
from dataclasses import replace

import torch
from cells import CellMovie
from many_objects import FULL_BANK, race
from rich.console import Console
from rich.table import Table

from src_model.tracking import StreamingPredictor

WITHOUT, WITH = "without", "with"


def measure(predictors: dict[str, StreamingPredictor], movie: CellMovie, clock: str) -> dict[str, float]:
    """Return the median seconds a frame of each predictor."""
    return {each.name: each.median(clock) for each in race(predictors, None, movie)}


def main() -> None:
    """Parse the command line, measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=448, help="side of the frames and of the network's input")
    parser.add_argument("--counts", type=int, nargs="+", default=[1, 10, 50])
    parser.add_argument("--frames", type=int, default=5, help="frames counted, after those that fill the bank")
    parser.add_argument("--precision", choices=["exact", "fast"], default="fast")
    parser.add_argument("--window", choices=["auto", "off"], default="auto", help="track small cells in windows or not")
    parser.add_argument("--clock", choices=["wall", "cpu"], default="wall", help="cpu: on a machine that is busy")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    bundled = StreamingPredictor.load("default", device="cpu", image_size=options.size, precision=options.precision)
    settings = replace(bundled.steps.settings, window=options.window)
    predictors = {name: bundled.with_settings(replace(settings, target_model=name == WITH)) for name in (WITHOUT, WITH)}
    title = f"{options.precision}, {options.size} px, {options.threads} thread(s): seconds a frame ({options.clock})"
    table = Table("cells", WITHOUT, WITH, "more", title=title)
    for count in options.counts:
        seconds = measure(predictors, CellMovie(FULL_BANK + options.frames, options.size, count), options.clock)
        more = seconds[WITH] / seconds[WITHOUT] - 1
        table.add_row(str(count), *(f"{seconds[name]:.3f}" for name in (WITHOUT, WITH)), f"{100 * more:.1f} %")
    Console().print(table)


if __name__ == "__main__":
    main()
