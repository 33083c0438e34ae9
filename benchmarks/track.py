"""Where the time of a tracked frame goes: sam2v, exact and fast, against the official predictor, in one run.

    python benchmarks/track.py                          # 1 and 5 objects at 512 and 1024
    python benchmarks/track.py --objects 1 5 20 --sizes 512
    python benchmarks/track.py --compute-options        # what each way of computing faster brings
    python benchmarks/track.py --memory                 # peak memory over 100 and 2,000 frames
    python benchmarks/track.py --model default --sizes 448          # the bundled checkpoint, which has no opponent
    ONEDNN_MAX_CPU_ISA=AVX2 ATEN_CPU_CAPABILITY=avx2 python benchmarks/track.py     # as on a processor with AVX2 alone

All predictors run the ``official`` behaviour with the same random weights over the same frames, in turn, frame by
frame; what is printed is the median over the frames with a full memory bank, in seconds, split by part, and how many
times as fast as the first column that is. ``--clock cpu`` counts computing time, summed over threads, which a busy
machine disturbs less. The last rows tell how far each part is from the limit: the rate at which it computes, over that
of a large matrix product in the same run. The official implementation is installed by ``make parity``; without it only
sam2v is measured. ``fast`` is left out where the processor has no units for bfloat16: it would be ``exact`` again.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING
from unittest import mock

import numpy as np
import torch
from official import build_official, missing_opponent
from operations import operations
from rich.console import Console
from rich.table import Table
from torch import nn

from src_model.nn import MODEL_CONFIGS, Sam2Network, build_network
from src_model.nn.compute import PLAIN_COMPUTE, ComputeOptions, compute_with, onednn
from src_model.tracking import PRESETS, StreamingPredictor
from src_model.tracking.precision import choose_precision
from src_model.weights import load_network

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from src_model.tracking.settings import Precision

PARTS = {
    "image_encoder": "image encoder",
    "memory_attention": "memory attention",
    "sam_prompt_encoder": "heads",
    "sam_mask_decoder": "heads",
    "memory_encoder": "memory encoder",
}
FULL_BANK = 8
"""Frames before the bank is full; they are not counted."""
CPU = torch.device("cpu")
ALL_OPTIONS = ComputeOptions()
CLOCKS: dict[str, Callable[[], float]] = {"wall": time.perf_counter, "cpu": time.process_time}


@dataclass
class PartTimer:
    """Adds up the time spent in the parts of a network, which both implementations name alike."""

    clock: Callable[[], float]
    spent: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))

    def watch(self, network: nn.Module) -> None:
        """Time every call of the parts."""
        for attribute, part in PARTS.items():
            module = getattr(network, attribute)
            started: list[float] = []
            module.register_forward_pre_hook(lambda *_, s=started: s.append(self.clock()))
            module.register_forward_hook(lambda *_, s=started, p=part: self._add(p, s.pop()))

    def _add(self, part: str, start: float) -> None:
        self.spent[part] += self.clock() - start


@dataclass
class Contender:
    """A predictor that answers one frame each time it is asked."""

    name: str
    timer: PartTimer
    frames: Iterator[object]
    compute: ComputeOptions = ALL_OPTIONS
    precision: Precision = "exact"
    records: list[dict[str, float]] = field(default_factory=list)

    def step(self) -> None:
        """Track one frame and record where the time went."""
        self.timer.spent.clear()
        start = self.timer.clock()
        with compute_with(self.compute):
            next(self.frames)
        self.records.append({**self.timer.spent, "frame": self.timer.clock() - start})

    def median(self, part: str) -> float:
        """Median seconds of a part over the frames with a full bank."""
        return statistics.median(record.get(part, 0.0) for record in self.records[FULL_BANK:])


@dataclass(frozen=True)
class Work:
    """What is tracked."""

    name: str
    size: int
    objects: int
    counted: int
    clock: Callable[[], float]

    def official(self) -> Contender | None:
        """Return the official predictor, or None where there is none."""
        torch.manual_seed(0)
        predictor = build_official(self.name, self.size)
        if predictor is None:
            return None
        timer = PartTimer(self.clock)
        timer.watch(predictor)
        return Contender("official", timer, official_frames(predictor, self.movie(), self.objects))

    def ours(self, name: str, precision: Precision, compute: ComputeOptions = ALL_OPTIONS) -> Contender:
        """Return sam2v with some compute options."""
        network = our_network(self.name)
        timer = PartTimer(self.clock)
        timer.watch(network)
        frames = our_frames(network, self.movie(), self.objects, precision)
        return Contender(name, timer, frames, compute, precision)

    def movie(self) -> np.ndarray:
        """Make the frames."""
        return make_movie(FULL_BANK + self.counted, self.size)


def our_network(name: str) -> Sam2Network:
    """Load the bundled checkpoint, or build another network with random weights."""
    if name == "default":
        return load_network(name, device=CPU).network
    torch.manual_seed(0)
    return build_network(MODEL_CONFIGS[name]).requires_grad_(False)


def precisions() -> tuple[Precision, ...]:
    """List the precisions that differ on this processor."""
    return ("exact", "fast") if choose_precision("auto", CPU) == "fast" else ("exact",)


def make_movie(frames: int, size: int) -> np.ndarray:
    """Smooth noise that drifts: ``(T, size, size, 3)`` uint8."""
    rng = np.random.default_rng(0)
    coarse = torch.from_numpy(rng.random((1, 3, 24, 24), dtype=np.float32))
    scene = nn.functional.interpolate(coarse, (2 * size, 2 * size), mode="bicubic")[0].clamp(0, 1).permute(1, 2, 0)
    pixels = (scene.numpy() * 255).astype(np.uint8)
    return np.stack([pixels[t : t + size, 2 * t : 2 * t + size] for t in range(frames)])


def box_of(index: int, size: int) -> tuple[int, int, int, int]:
    """Place a box ``(y0, x0, y1, x1)`` for each object, on a grid."""
    side = size // 8
    y, x = side + (index // 5) * side, side + (index % 5) * side
    return y, x, y + side, x + side


def our_frames(network: Sam2Network, movie: np.ndarray, objects: int, precision: Precision) -> Iterator[object]:
    """Track with sam2v."""
    settings = replace(PRESETS["official"], precision=precision)
    session = StreamingPredictor(network, settings=settings, image_size=movie.shape[1]).start(movie, read_ahead=False)
    for index in range(objects):
        session.prompt(0, index + 1, box=box_of(index, movie.shape[1]))
    return session.propagate()


def official_frames(predictor: nn.Module, movie: np.ndarray, objects: int) -> Iterator[object]:
    """Track with the official predictor on the same frames."""
    config = MODEL_CONFIGS["sam2.1-tiny"]
    mean, std = (torch.tensor(values).view(1, 3, 1, 1) for values in (config.pixel_mean, config.pixel_std))
    images = (torch.from_numpy(movie).permute(0, 3, 1, 2).float() / 255 - mean) / std
    size = movie.shape[1]
    with mock.patch("sam2.sam2_video_predictor.load_video_frames", return_value=(images, size, size)):
        state = predictor.init_state("frames in memory")
    for index in range(objects):
        y0, x0, y1, x1 = box_of(index, size)
        predictor.add_new_points_or_box(state, 0, index + 1, box=np.array([x0, y0, x1, y1], dtype=np.float32))
    return predictor.propagate_in_video(state)


def against_official(work: Work) -> list[Contender]:
    """List what users can choose between."""
    ours = [work.ours(precision, precision) for precision in precisions()]
    official = work.official()
    return ours if official is None else [official, *ours]


def by_option(work: Work, precision: Precision) -> list[Contender]:
    """List plain torch, each compute option left out alone, and all of them."""
    left_out = [
        work.ours(f"without {option.name}", precision, replace(ComputeOptions(), **{option.name: False}))
        for option in fields(ComputeOptions)
    ]
    return [work.ours("none", precision, PLAIN_COMPUTE), *left_out, work.ours("all", precision)]


def run(contenders: list[Contender], frames: int) -> None:
    """Let all take turns, frame by frame."""
    for _ in range(frames):
        for contender in contenders:
            contender.step()


def print_comparison(console: Console, work: Work, contenders: list[Contender], rates: dict[str, float]) -> None:
    """Print one table: parts by predictor, how many times as fast as the first, and the distance to the limit."""
    table = Table(title=f"{work.name}, {work.size} px, {work.objects} object(s): seconds a frame")
    for column in ("part", *(contender.name for contender in contenders)):
        table.add_column(column, justify="right")
    first = contenders[0]
    for part in [*dict.fromkeys(PARTS.values()), "frame"]:
        cells = [f"{contender.median(part):.3f} ({_ratio(first, contender, part)}x)" for contender in contenders]
        table.add_row(part, *cells)
    table.add_row("frames a second", *(f"{1 / contender.median('frame'):.2f}" for contender in contenders))
    table.add_section()
    needed = operations(work.name, work.size, work.objects)
    for part, count in needed.items():
        cells = [_rate(contender, part, count, rates) for contender in contenders]
        table.add_row(f"{part}, {count / 1e9:.1f} GFLOP: GFLOP/s", *cells)
    console.print(table)


def _ratio(first: Contender, contender: Contender, part: str) -> str:
    median = contender.median(part)
    return f"{first.median(part) / median:.2f}" if median else "-"


def _rate(contender: Contender, part: str, count: float, rates: dict[str, float]) -> str:
    """Operations that sam2v needs for the part, over its time, and that over the rate of a large matrix product."""
    median = contender.median(part)
    if contender.name == "official" or not median:
        return "-"
    rate = count / median / 1e9
    return f"{rate:.0f} ({100 * rate / rates[contender.precision]:.0f} %)"


def print_options(console: Console, work: Work, contenders: list[Contender]) -> None:
    """Print one table: what leaving out each compute option costs."""
    precision = contenders[0].precision
    table = Table(title=f"{work.name}, {work.size} px, {work.objects} object(s), {precision}: compute options left out")
    columns = [*dict.fromkeys(PARTS.values()), "frame"]
    for column in ("options", *columns, "times as slow"):
        table.add_column(column, justify="right")
    everything = contenders[-1].median("frame")
    for contender in contenders:
        cells = [f"{contender.median(part):.3f}" for part in columns]
        table.add_row(contender.name, *cells, f"{contender.median('frame') / everything:.2f}")
    console.print(table)


def limits(clock: Callable[[], float]) -> dict[str, float]:
    """Rate of a large matrix product, in GFLOP/s, by precision."""
    side, rates = 2048, {}
    for precision in precisions():
        dtype = torch.bfloat16 if precision == "fast" else torch.float32
        x, weight = (torch.randn(side, side).to(dtype) for _ in range(2))
        ways: list[Callable[[], object]] = [lambda x=x, w=weight: x @ w]
        if onednn.is_usable(dtype):
            packed = onednn.pack(weight)
            ways.append(lambda x=x, w=packed: onednn.product(x, w))
        rates[precision] = max(2 * side**3 / _best(way, clock) / 1e9 for way in ways)
    return rates


def _best(way: Callable[[], object], clock: Callable[[], float]) -> float:
    times = []
    for _ in range(5):
        start = clock()
        way()
        times.append(clock() - start)
    return min(times)


@dataclass
class RollingMovie:
    """A still that rolls sideways, each frame made when it is read: a movie that takes no memory itself."""

    still: np.ndarray
    frames: int
    name: str = "rolling"

    @property
    def shape(self) -> tuple[int, ...]:
        """``(T, Y, X, 3)``."""
        return (self.frames, *self.still.shape)

    @property
    def dtype(self) -> np.dtype[np.generic]:
        """Type of the values."""
        return self.still.dtype

    def __len__(self) -> int:
        """Return the number of frames."""
        return self.frames

    def read(self, frame: int) -> np.ndarray:
        """Make a frame."""
        return np.roll(self.still, frame % self.still.shape[1], axis=1)


def measure_memory(frames: int, objects: int) -> float:
    """Peak resident memory in MiB of tracking that many frames, in a process of its own."""
    command = [sys.executable, __file__, "--memory-run", str(frames), "--objects", str(objects)]
    finished = subprocess.run(command, check=True, capture_output=True, text=True)
    return float(finished.stdout.split()[-1])


def memory_run(frames: int, objects: int) -> None:
    """Track frames that are made when read, with the small settings of the default model, and print the peak."""
    size = 224
    movie = RollingMovie(make_movie(1, size)[0], frames)
    predictor = StreamingPredictor.load("default", device="cpu", image_size=size)
    session = predictor.start(movie, cache_bytes=64 * 2**20)
    for index in range(objects):
        session.prompt(0, index + 1, box=box_of(index, size))
    for _ in session.propagate():
        pass
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def compare(options: argparse.Namespace, console: Console) -> None:
    """Measure every size and number of objects."""
    clock = CLOCKS[options.clock]
    rates = limits(clock)
    console.print(f"torch {torch.__version__}, {options.threads} thread(s), {options.clock} time")
    console.print(f"{torch.backends.cpu.get_cpu_capability()}; precision if auto: {choose_precision('auto', CPU)}")
    each = ", ".join(f"{precision} {rate:.0f}" for precision, rate in rates.items())
    console.print(f"a large matrix product, GFLOP/s: {each}")
    missing = None if options.compute_options else missing_opponent(options.model)
    if missing:
        console.print(missing)
    for size in options.sizes:
        for objects in options.objects:
            work = Work(options.model, size, objects, options.frames, clock)
            if not options.compute_options:
                contenders = against_official(work)
                run(contenders, FULL_BANK + options.frames)
                print_comparison(console, work, contenders, rates)
                continue
            for precision in precisions():
                contenders = by_option(work, precision)
                run(contenders, FULL_BANK + options.frames)
                print_options(console, work, contenders)


def main() -> None:
    """Parse the command line and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="sam2.1-tiny")
    parser.add_argument("--sizes", type=int, nargs="+", default=[512, 1024])
    parser.add_argument("--objects", type=int, nargs="+", default=[1, 5])
    parser.add_argument("--frames", type=int, default=5, help="frames counted, after those that fill the bank")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--clock", choices=sorted(CLOCKS), default="wall")
    parser.add_argument("--compute-options", action="store_true", help="what each of them brings instead")
    parser.add_argument("--memory", action="store_true", help="peak memory over 100 and 2,000 frames instead")
    parser.add_argument("--memory-run", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    os.environ["TQDM_DISABLE"] = "1"  # the official predictor draws a bar of its own
    torch.set_num_threads(options.threads)
    console = Console(width=max(Console().width, 120))
    if options.memory_run:
        memory_run(options.memory_run, options.objects[0])
    elif options.memory:
        short, long = (measure_memory(frames, options.objects[0]) for frames in (100, 2000))
        console.print(f"peak memory: {short:.0f} MiB over 100 frames, {long:.0f} MiB over 2,000 ({long / short:.2f}x)")
    else:
        compare(options, console)


if __name__ == "__main__":
    main()
