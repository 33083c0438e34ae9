"""Draws what the held-out clips said while a checkpoint was trained, for the model card.

python tools/training_curve.py runs/third runs/fourth --out docs/images/training.svg

Runs follow one another: each began with the weights of the one before.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

from src_model.evaluation.report.curves import Axis, Line, figure

SCORES = {"all/mask": "J, first mask given", "all/click": "J, one click", "all/first": "IoU of the click itself"}


def read(run: Path, after: float) -> dict[str, list[tuple[float, float]]]:
    """Read the averages of a run, whose minutes count on from those before it."""
    found: dict[str, list[tuple[float, float]]] = {score: [] for score in SCORES}
    with (run / "validation.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["score"] in found:
                found[row["score"]].append((after + float(row["minutes"]), float(row["value"])))
    return found


def main() -> None:
    """Read all runs, draw, save."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("--after", type=float, default=0.0, help="minutes of training before the first run")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    points: dict[str, list[tuple[float, float]]] = {score: [] for score in SCORES}
    minutes = options.after
    for run in options.runs:
        found = read(run, minutes)
        for score, values in found.items():
            points[score] += values
        minutes = max(x for values in found.values() for x, _ in values)
    lines = [Line(label, points[score], style) for style, (score, label) in enumerate(SCORES.items())]
    highest, lowest = (pick(y for line in lines for _, y in line.points) for pick in (max, min))
    svg = figure(
        lines,
        Axis("minutes of training", options.after, minutes),
        Axis("held-out clips", lowest - 0.02, highest + 0.08),
        title="Quality on held-out clips against minutes of training",
    )
    options.out.write_text(svg, encoding="utf-8")


if __name__ == "__main__":
    main()
