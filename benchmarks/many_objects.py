"""Many cells in one movie: seconds a frame against their number, ours against the official predictor.

    python benchmarks/many_objects.py                                       # 1 to 200 cells, as a table
    python benchmarks/many_objects.py --figure docs/images/many-objects.svg

SAM 2.1 tiny has the same random weights in both predictors; the bundled model is measured beside them. They take turns
frame by frame, so that a busy machine slows all of them alike. Frames count once the memory bank is full. The official
implementation is installed by ``make parity``; without it only sam2v is measured.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from cells import CellMovie
from official import build_official, official_frames
from rich.console import Console
from rich.table import Table

from src_model.evaluation.report.curves import Axis, Line, figure
from src_model.frames import Normalization
from src_model.nn import MODEL_CONFIGS, Sam2Network, build_network
from src_model.tracking import PRESETS, StreamingPredictor

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from torch import nn

FULL_BANK = 8
"""Frames before the bank is full; they are not counted."""
OURS, OFFICIAL, BUNDLED = "sam2v", "official", "sam2v, bundled model"


@dataclass
class Contender:
    """A predictor that answers one frame each time it is asked."""

    name: str
    frames: Iterator[object]
    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    def step(self) -> None:
        """Track one frame."""
        wall, cpu = time.perf_counter(), time.process_time()
        next(self.frames)
        self.cpu.append(time.process_time() - cpu)
        self.wall.append(time.perf_counter() - wall)

    def median(self, clock: str) -> float:
        """Median seconds of the frames that count."""
        return statistics.median((self.cpu if clock == "cpu" else self.wall)[FULL_BANK:])


def our_frames(predictor: StreamingPredictor, movie: CellMovie) -> Iterator[object]:
    """Track all cells with sam2v, each from its box on frame 0."""
    session = predictor.start(movie, normalization=Normalization("limits", (0.0,), (255.0,)))
    for number in range(1, movie.count + 1):
        session.prompt(0, number, box=movie.box(number))
    return session.propagate()


def race(predictors: dict[str, StreamingPredictor], official: nn.Module | None, movie: CellMovie) -> list[Contender]:
    """Let all predictors track the same cells."""
    contenders = [Contender(name, our_frames(predictor, movie)) for name, predictor in predictors.items()]
    if official is not None:
        contenders.insert(1, Contender(OFFICIAL, official_frames(official, movie)))
    for _ in range(len(movie)):
        for contender in contenders:
            contender.step()
    return contenders


def print_table(console: Console, title: str, rows: dict[int, dict[str, float]]) -> None:
    """Print one row a number of cells."""
    names = list(next(iter(rows.values())))
    table = Table(title=title)
    for heading in ("cells", *names, f"{OFFICIAL} / {OURS}"):
        table.add_column(heading, justify="right")
    for count, seconds in rows.items():
        ratio = f"{seconds[OFFICIAL] / seconds[OURS]:.2f}" if OFFICIAL in seconds else "-"
        table.add_row(str(count), *(f"{seconds[name]:.3f}" for name in names), ratio)
    console.print(table)


def draw(path: Path, rows: dict[int, dict[str, float]], title: str) -> None:
    """Write a figure of seconds against the number of cells as SVG."""
    names = list(next(iter(rows.values())))
    lines = [
        Line(name, [(count, seconds[name]) for count, seconds in rows.items()], style)
        for style, name in enumerate(names)
    ]
    highest = max(value for seconds in rows.values() for value in seconds.values())
    axes = Axis("cells", 0, max(rows)), Axis("seconds a frame", 0, 1.05 * highest)
    path.write_text(figure(lines, *axes, title=title), encoding="utf-8")


def measure(options: argparse.Namespace, console: Console) -> dict[int, dict[str, float]]:
    """Measure all numbers of cells, smallest first; each is printed as soon as it is there."""
    torch.manual_seed(0)
    official = build_official(options.model, options.size)
    network: Sam2Network = build_network(MODEL_CONFIGS[options.model])
    if official is not None:
        network.load_state_dict(official.state_dict())
    predictors = {
        OURS: StreamingPredictor(network, settings=PRESETS["official"], image_size=options.size),
        BUNDLED: StreamingPredictor.load("default", device="cpu", image_size=options.size),
    }
    rows = {}
    for count in options.counts:
        movie = CellMovie(FULL_BANK + options.frames, options.size, count)
        opponent = official if count <= options.official_up_to else None
        contenders = race(predictors, opponent, movie)
        rows[count] = {each.name: each.median(options.clock) for each in contenders}
        console.print(count, rows[count])
    return rows


def common(rows: dict[int, dict[str, float]]) -> dict[int, dict[str, float]]:
    """Leave out what was not measured for every number of cells."""
    names: Sequence[str] = [name for name in next(iter(rows.values())) if all(name in each for each in rows.values())]
    return {count: {name: seconds[name] for name in names} for count, seconds in rows.items()}


def main() -> None:
    """Parse the command line, measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="sam2.1-tiny")
    parser.add_argument("--size", type=int, default=256, help="side of the frames and of the network's input")
    parser.add_argument("--counts", type=int, nargs="+", default=[1, 5, 20, 50, 100, 200])
    parser.add_argument("--frames", type=int, default=3, help="frames counted, after those that fill the bank")
    parser.add_argument("--official-up-to", type=int, default=200, help="measure the official predictor up to so many")
    parser.add_argument("--clock", choices=["wall", "cpu"], default="wall", help="cpu: on a machine that is busy")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--figure", type=Path, help="write a figure (SVG)")
    parser.add_argument("--out", type=Path, help="write the numbers (JSON)")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    console = Console()
    rows = measure(options, console)
    title = f"{options.model}, {options.size} px, {options.threads} thread(s): seconds a frame ({options.clock})"
    print_table(console, title, common(rows))
    if options.figure:
        draw(options.figure, common(rows), title)
    if options.out:
        options.out.write_text(json.dumps({"title": title, "rows": rows}), encoding="utf-8")


if __name__ == "__main__":
    main()
