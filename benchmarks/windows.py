"""What windows that follow small objects gain and cost: the same objects tracked with the window off and with auto.

    python benchmarks/windows.py                                      # everything there is, in hours
    python benchmarks/windows.py --sets epithelium sheet-30 --field 1024 --frames 10 --objects 4
    python benchmarks/windows.py --table                              # print what was measured so far

Sets: ``epithelium`` (the bundled movie with the repository's truth), ``t98g`` and ``davis2016`` where ``--data`` has
them, and simulated movies ``<kind>-<diameter>`` whose objects have about that many pixels of diameter. Each movie is
tracked in a process of its own from one box or one click for each object, all objects together; J is the mean over
every labelled frame after the prompted one. Results are appended to ``--out``, one line of JSON an object, as soon as
they are there; what the file holds already is not measured again, so that the script may be stopped and started.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import resource
import time
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import cv2
import numpy as np
from pairs import add_pair_option, labelled_pairs
from rich.console import Console
from rich.table import Table

from src_model.datasets import LabelledMovie, open_dataset
from src_model.datasets.movie import FlatMovie
from src_model.evaluation.annotator import tight_box
from src_model.evaluation.sets import FIRST_SEED
from src_model.evaluation.targets import Target, TargetChoice, choose_targets
from src_model.frames import FrameSource, open_movie
from src_model.masks import Masklet, Rle, mask_iou
from src_model.masks.geometry import deepest_point
from src_model.simulation import SIMULATED_KINDS, simulate_movie

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from src_model.tracking import Session

REPOSITORY = Path(__file__).resolve().parents[1]
DIAMETERS = (15, 30, 60, 120)


@dataclass(frozen=True)
class ScaledMovie(FlatMovie):
    """A simulated movie enlarged or reduced until its objects have the diameter asked for."""

    simulated_kind: str
    diameter: int
    field: int
    frames: int

    @property
    def movie(self) -> FrameSource:
        """The frames."""
        return open_movie(self._made[0], axes="TYX", name=self.name)

    @property
    def labelled_frames(self) -> Sequence[int]:
        """All frames."""
        return range(self.frames)

    def _read_labels(self, frame: int) -> NDArray[np.int32]:
        labels: NDArray[np.int32] = self._made[1][frame].astype(np.int32)
        return labels

    @cached_property
    def _made(self) -> tuple[NDArray[np.generic], NDArray[np.uint16]]:
        probe = simulate_movie(self.simulated_kind, FIRST_SEED, 1, (512, 512))
        areas = np.bincount(probe.labels[0].ravel())[1:]
        factor = self.diameter / float(np.median(np.sqrt(areas[areas > 0] * 4 / np.pi)))
        side = max(32, round(self.field / factor))
        made = simulate_movie(self.simulated_kind, FIRST_SEED, self.frames, (side, side))
        size, smooth = (self.field, self.field), cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
        images = [cv2.resize(image, size, interpolation=smooth) for image in made.images]
        labels = [cv2.resize(frame, size, interpolation=cv2.INTER_NEAREST) for frame in made.labels]
        return np.stack(images), np.stack(labels)


@dataclass(frozen=True)
class Job:
    """One movie, tracked once."""

    set_name: str
    movie_name: str
    prompt: str
    window: Literal["auto", "off"]
    model: str
    data: Path
    field: int
    frames: int | None
    objects: int | None
    pairs: tuple[tuple[str, str, str], ...] = ()

    @property
    def key(self) -> list[object]:
        """What makes a measurement the same as another."""
        what = [self.set_name, self.movie_name, self.prompt, self.window]
        return [*what, self.model, self.field, self.frames, self.objects]


@dataclass(frozen=True)
class Measured:
    """One object of a job."""

    key: list[object]
    object_id: int
    j: float
    lost: bool
    seconds: float
    peak_mib: float
    windowed: float


def movies_of(
    name: str, data: Path, field: int, frames: int | None, pairs: tuple[tuple[str, str, str], ...] = ()
) -> list[LabelledMovie]:
    """Open the movies of a set; none where it is not there."""
    if single := [movie for movie in labelled_pairs(pairs) if movie.name == name]:
        return single
    kind, _, diameter = name.partition("-")
    if kind in SIMULATED_KINDS:
        return [ScaledMovie(name, "microscopy", kind, int(diameter), field, frames or 16)]
    return list(open_dataset(data / name)) if (data / name).is_dir() else []


def opened(job: Job) -> tuple[LabelledMovie, list[Target]]:
    """Open the movie of a job and choose its objects."""
    movies = movies_of(job.set_name, job.data, job.field, job.frames, job.pairs)
    movie = next(each for each in movies if each.name == job.movie_name)
    return movie, choose_targets(movie, TargetChoice(job.frames, job.objects))


def started(job: Job, movie: LabelledMovie, targets: Sequence[Target]) -> Session:
    """Prompt all objects, on one thread."""
    import torch

    from src_model.tracking import StreamingPredictor

    torch.set_num_threads(1)
    session = StreamingPredictor.load(job.model, device="cpu").start(movie.movie, window=job.window)
    for target in targets:
        truth = target.truth[target.first]
        if job.prompt == "box":
            session.prompt(target.first, target.object_id, box=tight_box(truth))
        else:
            session.prompt(target.first, target.object_id, points=[deepest_point(truth.decode())])
    return session


def measure(job: Job) -> list[Measured]:
    """Track all objects of a movie together; runs in a process of its own, whose peak memory is the job's."""
    movie, targets = opened(job)
    session = started(job, movie, targets)
    windowed: dict[int, int] = defaultdict(int)
    begun, frames = time.perf_counter(), 0
    for result in session.propagate(stop=max(target.stop for target in targets)):
        frames += 1
        for object_id in result.windows:
            windowed[object_id] += 1
    seconds = (time.perf_counter() - begun) / frames
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return [
        Measured(
            job.key,
            target.object_id,
            *scored(target, session.masklets[target.object_id]),
            seconds,
            peak,
            windowed[target.object_id] / frames,
        )
        for target in targets
    ]


def scored(target: Target, masklet: Masklet) -> tuple[float, bool]:
    """Mean J after the prompted frame, and whether the object is lost on the last frame that it is in."""
    frames, empty = [frame for frame in target.truth if frame > target.first], Rle.empty(masklet.shape)
    values = {frame: mask_iou(masklet.mask_at(frame) or empty, target.truth[frame]) for frame in frames}
    present = [frame for frame in frames if not target.truth[frame].is_empty]
    return float(np.mean(list(values.values()))), bool(present and values[present[-1]] < 0.1)


def table(rows: list[Measured]) -> Table:
    """Sum up by set and prompt, off beside auto, over the objects for which there are both."""
    groups: dict[tuple[str, str], dict[str, dict[tuple[object, ...], Measured]]] = {}
    for row in rows:
        name, movie, prompt, window = (str(value) for value in row.key[:4])
        choices = groups.setdefault((name, prompt), {})
        choices.setdefault(window, {})[movie, row.object_id, *row.key[4:]] = row
    shown = Table("set", "prompt", "objects", "J off", "J auto", "gain", "lost off", "lost auto", title="Windows")
    for heading in ("in a window", "s/frame off", "s/frame auto", "MiB off", "MiB auto"):
        shown.add_column(heading)
    for (name, prompt), choices in sorted(groups.items()):
        both = choices.get("off", {}).keys() & choices.get("auto", {}).keys()
        if not both:
            continue
        off, auto = ([choices[window][key] for key in sorted(both, key=str)] for window in ("off", "auto"))
        means = {
            field: [float(np.mean([getattr(row, field) for row in side])) for side in (off, auto)]
            for field in ("j", "seconds", "windowed")
        }
        shown.add_row(
            name,
            prompt,
            str(len(both)),
            *(f"{value:.3f}" for value in means["j"]),
            f"{means['j'][1] - means['j'][0]:+.3f}",
            *(str(sum(row.lost for row in side)) for side in (off, auto)),
            f"{means['windowed'][1]:.0%}",
            *(f"{value:.2f}" for value in means["seconds"]),
            *(f"{max(row.peak_mib for row in side):.0f}" for side in (off, auto)),
        )
    return shown


def read(path: Path) -> list[Measured]:
    """Read what was measured so far."""
    if not path.exists():
        return []
    return [Measured(**json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]


def run(jobs: Sequence[Job], path: Path, console: Console) -> None:
    """Do the jobs that the file does not hold."""
    done = {json.dumps(row.key) for row in read(path)}
    path.parent.mkdir(parents=True, exist_ok=True)
    context = multiprocessing.get_context("spawn")
    for job in jobs:
        if json.dumps(job.key) in done:
            continue
        with ProcessPoolExecutor(1, mp_context=context) as pool:
            rows = pool.submit(measure, job).result()
        with path.open("a", encoding="utf-8") as file:
            file.writelines(json.dumps(asdict(row)) + "\n" for row in rows)
        console.print(f"{' '.join(map(str, job.key[:4]))}: J {np.mean([row.j for row in rows]):.3f}")


def main() -> None:
    """Parse the command line, measure what is missing, and print a row for each set and prompt."""
    simulated = [f"{kind}-{diameter}" for kind in ("nuclei", "sheet", "phase") for diameter in DIAMETERS]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", nargs="+", default=["epithelium", "t98g", "davis2016", *simulated])
    parser.add_argument("--movies", nargs="+", help="only those of these names")
    parser.add_argument("--prompts", nargs="+", default=["box", "click"], choices=["box", "click"])
    parser.add_argument("--windows", nargs="+", default=["off", "auto"], choices=["off", "auto"])
    parser.add_argument("--model", default="default")
    parser.add_argument("--data", type=Path, default=REPOSITORY.parent / "shared" / "data")
    parser.add_argument("--field", type=int, default=2048, help="side of simulated frames in pixels")
    parser.add_argument("--frames", type=int, help="frames a movie; of simulated ones 16 if left out")
    parser.add_argument("--objects", type=int, help="objects a movie")
    parser.add_argument("--out", type=Path, default=Path("windows.jsonl"))
    parser.add_argument("--table", action="store_true", help="measure nothing")
    add_pair_option(parser)
    options = parser.parse_args()
    console = Console(width=160)
    if not options.table:
        bounds = (options.data, options.field, options.frames)
        pairs = tuple(map(tuple, options.pair))
        jobs = [
            Job(name, each.name, prompt, window, options.model, *bounds, options.objects, pairs)
            for name in [*(name for name, *_ in pairs), *options.sets]
            for each in movies_of(name, *bounds, pairs)
            if options.movies is None or each.name in options.movies
            for prompt in options.prompts
            for window in options.windows
        ]
        run(jobs, options.out, console)
    console.print(table(read(options.out)))


if __name__ == "__main__":
    main()
