"""Draws the worst masklets that windows gave, with the same objects tracked without windows above them.

    python benchmarks/window_pictures.py windows.jsonl --sets sheet-30 phase-60 --out docs/images/windows.png

Reads what `benchmarks/windows.py` measured, and takes the same `--data` and `--pair` as it did. Green is
right, yellow missed, pink too much.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from pairs import add_pair_option
from windows import REPOSITORY, Job, Measured, opened, read, scored, started

from src_model.evaluation.report.strips import captioned, draw_masks
from src_model.masks import Rle

if TYPE_CHECKING:
    from numpy.typing import NDArray

FRAMES = 5
CHOICES: tuple[Literal["off"], Literal["auto"]] = ("off", "auto")


def worst(rows: list[Measured], name: str, prompt: str) -> Measured:
    """Choose the object of a set that was tracked worst in windows."""
    found = [row for row in rows if row.key[0] == name and row.key[2:4] == [prompt, "auto"]]
    if not found:
        raise SystemExit(f"{name} was not measured from one {prompt} with windows")
    return min(found, key=lambda row: row.j)


def pictures(row: Measured, options: argparse.Namespace) -> list[tuple[str, NDArray[np.uint8]]]:
    """Track the movie of an object both ways and draw the object."""
    name, movie_name, prompt, window, model, field, frames, objects = row.key
    pairs = tuple(map(tuple, options.pair))
    job = Job(name, movie_name, prompt, window, model, options.data, field, frames, objects, pairs)
    movie, targets = opened(job)
    target = next(each for each in targets if each.object_id == row.object_id)
    times = sorted(target.truth)
    shown = [times[round(place)] for place in np.linspace(0, len(times) - 1, FRAMES)]
    drawn = []
    for choice in CHOICES:
        session = started(replace(job, window=choice), movie, targets)
        for _ in session.propagate(stop=target.stop):
            pass
        masklet = session.masklets[target.object_id]
        masks = {frame: masklet.mask_at(frame) or Rle.empty(masklet.shape) for frame in shown}
        caption = f"{name}, one {prompt}, window={choice}: J {scored(target, masklet)[0]:.2f}"
        drawn.append((caption, draw_masks(movie, target.object_id, masks)))
    return drawn


def main() -> None:
    """Choose, track, draw, save."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=Path)
    parser.add_argument("--sets", nargs="+", required=True)
    parser.add_argument("--prompt", default="click", choices=["box", "click"])
    parser.add_argument("--data", type=Path, default=REPOSITORY.parent / "shared" / "data")
    parser.add_argument("--out", type=Path, required=True)
    add_pair_option(parser)
    options = parser.parse_args()
    rows = read(options.results)
    drawn = [each for name in options.sets for each in pictures(worst(rows, name, options.prompt), options)]
    captioned(drawn).quantize(64).save(options.out, optimize=True)


if __name__ == "__main__":
    main()
