"""How well a checkpoint tracks: J over whole masklets, against the floor of prompting each frame with the last box.

    python benchmarks/quality.py                                  # the bundled default
    python benchmarks/quality.py --model runs/x/best.safetensors --davis path/to/davis2016 --limit 30

Sets: the sequences of a DAVIS 2016 folder that training never sees (every second one by name), simulated microscopy
with seeds that training never uses, and the bundled epithelium movie where the repository's ground truth is present.
``mask``: the first frame's true mask is given. ``click``: one click at the point of the first mask deepest inside.
``floor``: the first frame's true box, then on every frame, without memory, the box of the mask before.
"""

from __future__ import annotations

import argparse
import statistics
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from scipy.ndimage import distance_transform_edt

from src_model.data import epithelium_path
from src_model.frames import FrameSource, decide_normalization, open_movie
from src_model.masks import mask_box, mask_iou
from src_model.tracking import StreamingPredictor
from src_model.tracking.image_predictor import ImagePredictor
from src_model.training.simulation import SIMULATED_KINDS, simulate_movie

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Mask = NDArray[np.bool_]
REPOSITORY = Path(__file__).resolve().parents[1]
UNSEEN_SEED = 10_000_019


@dataclass(frozen=True)
class Target:
    """One object of a movie with its true masks from the first frame it is in."""

    name: str
    movie: FrameSource
    first: int
    truth: list[Mask]


def davis(folder: Path, limit: int) -> Iterator[Target]:
    """Every second sequence by name: those that training leaves out."""
    names = sorted(path.name for path in (folder / "JPEGImages").iterdir())
    for name in names[1::2]:
        files = sorted((folder / "Annotations" / name).glob("*.png"))[:limit]
        labels = open_movie(folder / "Annotations" / name)
        truth = [np.asarray(labels.read(t)).reshape(*labels.shape[1:3], -1)[..., 0] > 0 for t in range(len(files))]
        yield Target(name, open_movie(folder / "JPEGImages" / name), 0, truth)


def labelled(name: str, images: NDArray[np.generic], labels: NDArray[np.integer], objects: int) -> Iterator[Target]:
    """Take the largest objects of the first frame that stay for at least half of the movie."""
    ids, areas = np.unique(labels[0][labels[0] > 0], return_counts=True)
    kept = [i for i in ids[np.argsort(-areas)] if (labels == i).any(axis=(1, 2)).mean() >= 0.5][:objects]
    movie = open_movie(images, name=name)
    for object_id in kept:
        yield Target(f"{name} {object_id}", movie, 0, [frame == object_id for frame in labels])


def simulated(kind: str, movies: int, objects: int, limit: int) -> Iterator[Target]:
    """Simulate movies of one kind."""
    for index in range(movies):
        movie = simulate_movie(kind, seed=UNSEEN_SEED + index, frames=min(limit, 16), shape=(256, 256))
        yield from labelled(f"{kind} {index}", movie.images, movie.labels, objects)


def epithelium(objects: int) -> Iterator[Target]:
    """Take the movie that ships with the package."""
    truth = REPOSITORY / "tests" / "data" / "epithelium_labels.tif"
    if truth.exists():
        labels = open_movie(truth)
        stack = np.stack([labels.read(t) for t in range(len(labels))])
        images = open_movie(epithelium_path())
        frames = np.stack([images.read(t) for t in range(len(images))])
        yield from labelled("epithelium", frames, stack, objects)


def deepest_point(mask: Mask) -> tuple[int, int]:
    """Find the pixel (y, x) farthest from the border of the mask."""
    distance = distance_transform_edt(np.pad(mask, 1))[1:-1, 1:-1]
    y, x = np.unravel_index(int(distance.argmax()), mask.shape)
    return int(y), int(x)


def mean_j(found: dict[int, Mask], target: Target) -> float:
    """Mean IoU over the frames after the first; a frame without truth and without mask counts as 1."""
    scores = []
    for offset, truth in enumerate(target.truth[1:], start=1):
        mask = found[target.first + offset]
        scores.append(mask_iou(mask, truth) if truth.any() or mask.any() else 1.0)
    return statistics.fmean(scores)


def track(predictor: StreamingPredictor, target: Target, prompt: str) -> float:
    """J of a masklet from the first frame's mask or one click."""
    session = predictor.start(target.movie)
    first = target.truth[0]
    if prompt == "mask":
        session.prompt(target.first, 1, mask=first)
    else:
        session.prompt(target.first, 1, points=[deepest_point(first)])
    stop = target.first + len(target.truth)
    return mean_j({result.frame: result.masks[1] for result in session.propagate(stop=stop)}, target)


def floor(predictor: StreamingPredictor, target: Target) -> float:
    """J of prompting every frame with the box of the frame before, without memory."""
    images = ImagePredictor(predictor)
    normalization = decide_normalization(target.movie)
    box = mask_box(target.truth[0])
    found = {}
    for offset in range(1, len(target.truth)):
        images.set_image(target.movie.read(target.first + offset), normalization=normalization)
        mask = images.predict(box=box, multimask=False).masks[0]
        found[target.first + offset] = mask
        box = mask_box(mask) or box
    return mean_j(found, target)


def main() -> None:
    """Parse the command line and print a row for each set."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="default")
    parser.add_argument("--floor-model", help="checkpoint of the floor; the model itself if left out")
    parser.add_argument("--columns", nargs="+", default=["mask", "click", "floor"], choices=["mask", "click", "floor"])
    parser.add_argument("--image-size", type=int)
    parser.add_argument("--davis", type=Path, default=REPOSITORY.parent / "shared" / "data" / "davis2016")
    parser.add_argument("--objects", type=int, default=4, help="objects a movie")
    parser.add_argument("--movies", type=int, default=2, help="simulated movies of each kind")
    parser.add_argument("--limit", type=int, default=1000, help="frames a movie")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    predictor = StreamingPredictor.load(options.model, image_size=options.image_size)
    below = StreamingPredictor.load(options.floor_model or options.model, image_size=options.image_size)
    columns: dict[str, Callable[[Target], float]] = {
        "mask": lambda target: track(predictor, target, "mask"),
        "click": lambda target: track(predictor, target, "click"),
        "floor": lambda target: floor(below, target),
    }
    sets: dict[str, list[Target]] = {}
    if options.davis.exists():
        sets["DAVIS 2016, held out"] = list(davis(options.davis, options.limit))
    for kind in SIMULATED_KINDS:
        sets[f"simulated {kind}"] = list(simulated(kind, options.movies, options.objects, options.limit))
    sets["epithelium"] = list(epithelium(2 * options.objects))
    table = Table(title=f"J over whole masklets: {options.model}, {predictor.image_size} px")
    for column in ("set", "objects", *options.columns):
        table.add_column(column, justify="left" if column == "set" else "right")
    for title, targets in sets.items():
        if targets:
            means = [f"{statistics.fmean(map(columns[name], targets)):.3f}" for name in options.columns]
            table.add_row(title, str(len(targets)), *means)
    Console().print(table)


if __name__ == "__main__":
    main()
